//! Messages to one person, in any room that the sender shares with them.

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{StatusCode, header, request::Parts},
};
use axum_extra::headers::{Authorization, HeaderMapExt as _, authorization::Bearer};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Web,
    body::Fields,
    errors::Refused,
    extract::{Me, Path},
};
use crate::{
    chat::{self, Error, Requester, person_id},
    domain::{Network, PersonId},
    protocol::Chat,
    session::Bot,
};

/// The sender: a visitor by the cookie, or a bot by its token. A request with a token does not use
/// the rights of its cookie.
pub(super) enum Speaker {
    Visitor(Me),
    Bot(Bot, Option<Network>),
}

impl Speaker {
    fn requester(&self) -> Requester<'_> {
        match self {
            Self::Visitor(me) => me.requester(),
            Self::Bot(bot, network) => {
                Requester { id: &bot.person.id, pass: None, network: network.as_ref() }
            }
        }
    }
}

impl FromRequestParts<Web> for Speaker {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Refused> {
        if !parts.headers.contains_key(header::AUTHORIZATION) {
            let me = Option::<Me>::from_request_parts(parts, web).await?;
            return Ok(Self::Visitor(me.ok_or(Error::Unauthorized)?));
        }
        let shown = parts.headers.typed_get::<Authorization<Bearer>>();
        let shown = shown.ok_or(Error::InvalidToken)?;
        let bot = web.sessions.bot(shown.token()).await.map_err(Error::from)?;
        Ok(Self::Bot(bot.ok_or(Error::InvalidToken)?, parts.extensions.get().cloned()))
    }
}

/// A message to one person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessagePost {
    /// The text; `content` is another name for it.
    #[schemars(length(min = 1, max = 2000))]
    #[serde(alias = "content")]
    chat: String,
    /// The sender's name for the message; the server stores repeated sends once.
    #[schemars(regex(pattern = "^[!-~]{1,64}$"))]
    client_id: Option<String>,
}

/// `POST /chatter/{id}/message`
pub(super) async fn whisper(
    State(web): State<Web>,
    speaker: Speaker,
    Path(id): Path<String>,
    Fields(MessagePost { chat, client_id }): Fields<MessagePost>,
) -> Result<(StatusCode, Json<Chat>), Refused> {
    let to: PersonId = person_id(&id)?;
    let client_id = chat::client_id(client_id.as_deref())?;
    let message = web.chat.whisper_wherever(speaker.requester(), &to, &chat, client_id).await?;
    Ok((StatusCode::CREATED, Json(Chat::from(&message))))
}
