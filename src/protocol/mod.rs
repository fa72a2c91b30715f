//! The wire protocol: event names and payloads of Socket.IO, and frames of the gateway.
//!
//! These types are the protocol's reference; HTTP routes respond with the same payloads. Field
//! names are in camel case; times are RFC 3339 in UTC with milliseconds.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub mod document;
mod events;
pub mod frames;
mod object;
mod payloads;

use crate::{
    chat::{Error, FieldError, RoomChangeForm, RoomForm},
    domain::{self, Language, Preferences, Seq, Theme},
};

pub use events::{CHAT, Event, LOBBY, client_events, server_events};
pub use object::Object;
pub use payloads::{
    Chat, Chats, Gif, Head, Kicked, Person, Presence, Removed, Room, Rooms, RoomsFound, System,
    Typing, Welcome,
};

/// The `auth` of a handshake with a room.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct Handshake {
    /// The room's id; absent when the page's address names the room.
    pub room: Option<String>,
    /// The room's password; needed unless this session has shown it before.
    pub password: Option<String>,
    /// Number of the newest message that the client has.
    pub after: Option<Seq>,
}

/// A message to send.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatPost {
    /// The text.
    #[schemars(length(min = 1, max = 2000))]
    pub chat: String,
    /// The sender's name for the message; the server stores repeated sends once.
    #[schemars(regex(pattern = "^[!-~]{1,64}$"))]
    pub client_id: Option<String>,
}

/// A message to delete.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub struct ChatDelete {
    /// Its number in the room.
    pub seq: Seq,
}

/// A whisper to send.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhisperPost {
    /// The recipient's id.
    pub to: String,
    /// The text.
    #[schemars(length(min = 1, max = 2000))]
    pub chat: String,
    /// The sender's name for the message; the server stores repeated sends once.
    #[schemars(regex(pattern = "^[!-~]{1,64}$"))]
    pub client_id: Option<String>,
}

/// A person, by id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Whom {
    /// The person's id.
    pub id: String,
}

/// A field that forms send as text and programs may send as a number.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Text {
    /// Text.
    Text(String),
    /// A number.
    Number(serde_json::Number),
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        match text {
            Text::Text(text) => text,
            Text::Number(number) => number.to_string(),
        }
    }
}

/// A request for one room, or for a page of the rooms whose titles contain `q`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct RoomGet {
    /// The room's id.
    pub id: Option<String>,
    /// Text to find in titles; empty for all rooms.
    #[serde(default)]
    pub q: String,
    /// The page's number, from 1.
    pub page: Option<usize>,
}

/// A room to create.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct RoomPost {
    /// The title.
    pub title: Option<Text>,
    /// The capacity, in people.
    pub max: Option<Text>,
    /// The password; absent or empty for none.
    pub password: Option<Text>,
}

impl From<RoomPost> for RoomForm {
    fn from(fields: RoomPost) -> Self {
        let text = |field: Option<Text>| field.map(String::from).unwrap_or_default();
        Self { title: text(fields.title), max: text(fields.max), password: text(fields.password) }
    }
}

/// Changes to a room; absent fields stay as they are.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct RoomPatch {
    /// The title.
    pub title: Option<Text>,
    /// The capacity, in people.
    pub max: Option<Text>,
    /// The new password; empty to remove it.
    pub password: Option<Text>,
    /// Whether the room refuses new people.
    pub locked: Option<bool>,
}

impl From<RoomPatch> for RoomChangeForm {
    fn from(fields: RoomPatch) -> Self {
        Self {
            title: fields.title.map(String::from),
            max: fields.max.map(String::from),
            password: fields.password.map(String::from),
            locked: fields.locked,
        }
    }
}

/// A room, and the changes to it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct RoomPut {
    /// The room's id.
    pub id: String,
    /// The changes.
    #[serde(flatten)]
    pub patch: RoomPatch,
}

/// A room to close.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct RoomDelete {
    /// The room's id.
    pub id: String,
}

/// A request for history: before a message, after a message, or the newest.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct ChatGet {
    /// Read the newest messages before this number.
    pub before: Option<Seq>,
    /// Read the oldest messages after this number.
    pub after: Option<Seq>,
    /// Number of messages; at most, and by default, 100.
    pub limit: Option<usize>,
}

impl ChatGet {
    /// The requested window. `after` wins over `before`.
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

/// A reader's preferences. An absent field stays as it is; an empty one follows the browser.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct ReaderPut {
    /// `en` or `ko`.
    pub language: Option<String>,
    /// `light` or `dark`.
    pub theme: Option<String>,
}

impl ReaderPut {
    /// Applies the request to the current preferences.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the fields whose codes are unknown.
    pub fn preferences(&self, now: Preferences) -> Result<Preferences, Error> {
        let language_unknown = FieldError { field: "language", code: "language_unknown" };
        let theme_unknown = FieldError { field: "theme", code: "theme_unknown" };
        let language = chosen(self.language.as_deref(), now.language, Language::from_code);
        let theme = chosen(self.theme.as_deref(), now.theme, Theme::from_code);
        match (language, theme) {
            (Ok(language), Ok(theme)) => Ok(Preferences { language, theme }),
            (language, theme) => {
                let language = language.err().map(|Unknown| language_unknown);
                let theme = theme.err().map(|Unknown| theme_unknown);
                Err(Error::Invalid([language, theme].into_iter().flatten().collect()))
            }
        }
    }
}

/// The code of a language or theme that does not exist.
struct Unknown;

/// One preference after a request: unchanged when absent, unset when empty.
fn chosen<T>(
    requested: Option<&str>,
    now: Option<T>,
    from_code: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Unknown> {
    match requested {
        None => Ok(now),
        Some("") => Ok(None),
        Some(code) => from_code(code).map(Some).ok_or(Unknown),
    }
}

/// An error, as clients receive it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// The error's code, for programs and translations.
    pub code: &'static str,
    /// The error's text, in English.
    pub message: String,
    /// An error code for each invalid field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<BTreeMap<&'static str, &'static str>>,
    /// Milliseconds until the client may retry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl From<&Error> for ErrorBody {
    fn from(error: &Error) -> Self {
        let fields = match error {
            Error::Invalid(fields) => Some(fields.iter().map(|f| (f.field, f.code)).collect()),
            _ => None,
        };
        // Rounded up, so that a client that waits exactly this long is not too early.
        let millis = |wait: Duration| wait.as_micros().div_ceil(1_000);
        let retry_after_ms = error.retry_after().and_then(|wait| millis(wait).try_into().ok());
        Self { code: error.code(), message: error.to_string(), fields, retry_after_ms }
    }
}

/// The body of a refusal over HTTP.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Refusal {
    /// The reason.
    pub error: ErrorBody,
}

/// The acknowledgement of a request.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Reply<T> {
    /// Whether the request succeeded.
    pub ok: bool,
    /// The result, when it succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<T>,
    /// The error, when it failed.
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
