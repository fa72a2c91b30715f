//! The words that are spoken with a page or a program: event names, and what each carries.
//!
//! This file and its payloads are the manual of the protocol. Routes answer with the same payloads. Field names are
//! in camel case; times are RFC 3339 in UTC with milliseconds.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

mod payloads;

use crate::{
    chat::Error,
    domain::{self, Seq},
};

pub use payloads::{Chat, Chats, Gif, Head, Person, Presence, Room, System, Typing, Welcome};

/// The namespace of the lobby.
pub const LOBBY: &str = "/room";
/// The namespace of the inside of a room.
pub const CHAT: &str = "/chat";

/// What the server says.
pub mod told {
    /// Lobby: a room was made. [`super::Room`].
    pub const NEW_ROOM: &str = "newRoom";
    /// Lobby: a room's count, title, owner or lock changed. [`super::Room`].
    pub const UPDATE_ROOM: &str = "updateRoom";
    /// Lobby and room: a room is gone. Its id.
    pub const REMOVE_ROOM: &str = "removeRoom";
    /// Room: the first word to whoever came in. [`super::Welcome`].
    pub const WELCOME: &str = "welcome";
    /// Room: somebody came in. [`super::Presence`].
    pub const JOIN: &str = "join";
    /// Room: somebody is gone. [`super::Presence`].
    pub const EXIT: &str = "exit";
    /// Room: somebody said something. [`super::Chat`].
    pub const CHAT: &str = "chat";
    /// Room: how far it has got. [`super::Head`].
    pub const HEAD: &str = "head";
    /// Room: somebody is typing, or stopped. [`super::Typing`].
    pub const TYPING: &str = "typing";
    /// Room: who owns it now. [`super::Person`].
    pub const OWNER: &str = "owner";
    /// Something went wrong, and nobody waited for an answer. [`super::ErrorBody`].
    pub const ERROR: &str = "error";
}

/// What a client asks. Each is acknowledged with a [`Reply`], but for `typing`.
pub mod asked {
    /// Room: say something. [`super::ChatPost`], answered with [`super::Chat`].
    pub const CHAT_POST: &str = "chat:post";
    /// Room: read history. [`super::ChatGet`], answered with [`super::Chats`].
    pub const CHAT_GET: &str = "chat:get";
    /// Room: I am typing, or stopped. A boolean.
    pub const TYPING: &str = "typing";
    /// Room: leave at once, without the grace.
    pub const EXIT: &str = "exit";
}

/// What a handshake brings to a room.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Handshake {
    /// Which room; without it, the page's address says.
    pub room: Option<String>,
    /// The room's password, from whoever has not shown it before.
    pub password: Option<String>,
    /// The newest message they have.
    pub after: Option<Seq>,
}

/// Something to say.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatPost {
    /// The words.
    pub chat: String,
    /// What the sender calls it, so that a retry is stored once.
    pub client_id: Option<String>,
}

/// Which history to read: before a message, after one, or the newest.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ChatGet {
    /// The newest ones before this.
    pub before: Option<Seq>,
    /// The oldest ones after this.
    pub after: Option<Seq>,
    /// How many; at most, and by default, 100.
    pub limit: Option<usize>,
}

impl ChatGet {
    /// The stretch that is meant. `after` counts when both are given.
    #[must_use]
    pub fn window(&self) -> domain::Window {
        let most = crate::chat::MAX_WINDOW;
        let limit = self.limit.unwrap_or(most).clamp(1, most);
        match self.after {
            Some(after) => domain::Window::After { after, limit },
            None => domain::Window::Latest { before: self.before, limit },
        }
    }
}

/// Why something was refused.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// What programs and translations call it.
    pub code: &'static str,
    /// In English.
    pub message: String,
    /// What is wrong with each field, as codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<BTreeMap<&'static str, &'static str>>,
    /// Milliseconds until it may be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl From<&Error> for ErrorBody {
    fn from(error: &Error) -> Self {
        let fields = match error {
            Error::Invalid(fields) => Some(fields.iter().map(|f| (f.field, f.code)).collect()),
            _ => None,
        };
        // Rounded up: whoever waits exactly so long is not too early.
        let millis = |wait: Duration| wait.as_micros().div_ceil(1_000);
        let retry_after_ms = error.retry_after().and_then(|wait| millis(wait).try_into().ok());
        Self { code: error.code(), message: error.to_string(), fields, retry_after_ms }
    }
}

/// The answer to whatever is acknowledged.
#[derive(Debug, Clone, Serialize)]
pub struct Reply<T> {
    /// Whether it was done.
    pub ok: bool,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<T>,
    /// Why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}

impl<T> From<Result<T, Error>> for Reply<T> {
    fn from(outcome: Result<T, Error>) -> Self {
        match outcome {
            Ok(data) => Self { ok: true, data: Some(data), error: None },
            Err(error) => Self { ok: false, data: None, error: Some(ErrorBody::from(&error)) },
        }
    }
}
