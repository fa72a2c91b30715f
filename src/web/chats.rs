//! Routes of a room's messages.

use axum::{Json, extract::State, http::StatusCode};

use super::{
    Web,
    body::Fields,
    errors::Refused,
    extract::{Me, Path, Query},
};
use crate::{
    chat::{self, Error, person_id, room_id},
    domain::Seq,
    protocol::{Chat, ChatGet, ChatPost, Chats, WhisperPost},
};

/// `GET /room/{id}/chat`
pub(super) async fn history(
    State(web): State<Web>,
    me: Me,
    Path(id): Path<String>,
    Query(params): Query<ChatGet>,
) -> Result<Json<Chats>, Refused> {
    let id = room_id(&id)?;
    let history = web.chat.history(&id, me.requester(), params.window()).await?;
    Ok(Json(Chats::from(&history)))
}

/// `POST /room/{id}/chat`
pub(super) async fn say(
    State(web): State<Web>,
    me: Me,
    Path(id): Path<String>,
    Fields(ChatPost { chat, client_id }): Fields<ChatPost>,
) -> Result<(StatusCode, Json<Chat>), Refused> {
    let id = room_id(&id)?;
    let client_id = chat::client_id(client_id.as_deref())?;
    let message = web.chat.say(&id, me.requester(), &chat, client_id).await?;
    Ok((StatusCode::CREATED, Json(Chat::from(&message))))
}

/// `POST /room/{id}/whisper`
pub(super) async fn whisper(
    State(web): State<Web>,
    me: Me,
    Path(id): Path<String>,
    Fields(WhisperPost { to, chat, client_id }): Fields<WhisperPost>,
) -> Result<(StatusCode, Json<Chat>), Refused> {
    let id = room_id(&id)?;
    let client_id = chat::client_id(client_id.as_deref())?;
    let to = person_id(&to)?;
    let message = web.chat.whisper(&id, me.requester(), &to, &chat, client_id).await?;
    Ok((StatusCode::CREATED, Json(Chat::from(&message))))
}

/// `DELETE /room/{id}/chat/{seq}`
pub(super) async fn remove(
    State(web): State<Web>,
    me: Me,
    Path((id, seq)): Path<(String, String)>,
) -> Result<Json<Chat>, Refused> {
    let id = room_id(&id)?;
    let seq: Seq = seq.parse().map_err(|_| Error::NoSuchMessage)?;
    let left = web.chat.delete(&id, me.requester(), seq).await?;
    Ok(Json(Chat::from(&left)))
}
