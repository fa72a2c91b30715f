//! A room's messages, over HTTP.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
};

use super::{Web, body::Fields, errors::Refused, reader::Me};
use crate::{
    chat::{self, Error, room_id},
    sockets::protocol::{Chat, ChatGet, ChatPost, Chats},
};

/// `GET /room/{id}/chat`
pub(super) async fn history(
    State(web): State<Web>,
    me: Me,
    Path(id): Path<String>,
    query: Result<Query<ChatGet>, QueryRejection>,
) -> Result<Json<Chats>, Refused> {
    let id = room_id(&id)?;
    let Query(asked) = query.map_err(|_| Error::Malformed)?;
    let pass = me.pass(&id).await?;
    let history = web.chat.history(&id, me.id(), pass.as_ref(), asked.window()).await?;
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
    let message = web.chat.say(&id, me.id(), &chat, client_id).await?;
    Ok((StatusCode::CREATED, Json(Chat::from(&message))))
}
