//! The words that are spoken with a page or a program: event names, and what each carries.
//!
//! This file and its payloads are the manual of the protocol. Routes answer with the same payloads. Field names are
//! in camel case; times are RFC 3339 in UTC with milliseconds.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub mod document;
mod events;
mod payloads;

use crate::{
    chat::{Error, FieldError, RoomChangeForm, RoomForm},
    domain::{self, Choices, Language, Seq, Theme},
};

pub use events::{CHAT, Event, LOBBY, asked, told};
pub use payloads::{
    Chat, Chats, Gif, Head, Kicked, Person, Presence, Removed, Room, Rooms, RoomsFound, System,
    Typing, Welcome,
};

/// What a handshake brings to a room.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct Handshake {
    /// Which room; without it, the page's address says.
    pub room: Option<String>,
    /// The room's password, from whoever has not shown it before.
    pub password: Option<String>,
    /// The newest message they have.
    pub after: Option<Seq>,
}

/// Something to say.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatPost {
    /// The words.
    pub chat: String,
    /// What the sender calls it, so that a retry is stored once.
    pub client_id: Option<String>,
}

/// A message to delete.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub struct ChatDelete {
    /// Its place in the room.
    pub seq: Seq,
}

/// Something to say to one person.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhisperPost {
    /// The id of who is to hear it.
    pub to: String,
    /// The words.
    pub chat: String,
    /// What the sender calls it, so that a retry is stored once.
    pub client_id: Option<String>,
}

/// Somebody, by their id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Whom {
    /// The id.
    pub id: String,
}

/// A field that programs may send as a number, and forms as text.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Text {
    /// As text.
    Text(String),
    /// As a number.
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

/// Which rooms to see: one, or a page of those whose title holds `q`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct RoomGet {
    /// The room.
    pub id: Option<String>,
    /// What titles are searched for.
    #[serde(default)]
    pub q: String,
    /// Which page, from 1.
    pub page: Option<usize>,
}

/// A room to make.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct RoomPost {
    /// What it is listed under.
    pub title: Option<Text>,
    /// How many people fit in.
    pub max: Option<Text>,
    /// What newcomers must know, if anything.
    pub password: Option<Text>,
}

impl From<RoomPost> for RoomForm {
    fn from(fields: RoomPost) -> Self {
        let text = |field: Option<Text>| field.map(String::from).unwrap_or_default();
        Self { title: text(fields.title), max: text(fields.max), password: text(fields.password) }
    }
}

/// What to change of a room; what is absent stays as it is.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct RoomPatch {
    /// What it is listed under.
    pub title: Option<Text>,
    /// How many people fit in.
    pub max: Option<Text>,
    /// What newcomers must know; empty for nothing any more.
    pub password: Option<Text>,
    /// Whether newcomers are kept out.
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

/// What to change, and of which room.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct RoomPut {
    /// The room.
    pub id: String,
    /// What to change.
    #[serde(flatten)]
    pub patch: RoomPatch,
}

/// A room to close.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct RoomDelete {
    /// The room.
    pub id: String,
}

/// Which history to read: before a message, after one, or the newest.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
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

/// What a reader chooses for their pages. What is absent stays, what is empty is as their browser wants it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct ReaderPut {
    /// `en` or `ko`.
    pub language: Option<String>,
    /// `light` or `dark`.
    pub theme: Option<String>,
}

impl ReaderPut {
    /// What is chosen from here on.
    ///
    /// # Errors
    /// [`Error::Invalid`] with what there is no such thing of.
    pub fn choices(&self, now: Choices) -> Result<Choices, Error> {
        let language_unknown = FieldError { field: "language", code: "language_unknown" };
        let theme_unknown = FieldError { field: "theme", code: "theme_unknown" };
        let language = chosen(self.language.as_deref(), now.language, Language::of_code);
        let theme = chosen(self.theme.as_deref(), now.theme, Theme::of_code);
        match (language, theme) {
            (Ok(language), Ok(theme)) => Ok(Choices { language, theme }),
            (language, theme) => {
                let language = language.err().map(|Unknown| language_unknown);
                let theme = theme.err().map(|Unknown| theme_unknown);
                Err(Error::Invalid([language, theme].into_iter().flatten().collect()))
            }
        }
    }
}

/// There is no such thing to choose.
struct Unknown;

/// What somebody has chosen after they asked for this.
fn chosen<T>(
    asked: Option<&str>,
    now: Option<T>,
    of_code: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Unknown> {
    match asked {
        None => Ok(now),
        Some("") => Ok(None),
        Some(code) => of_code(code).map(Some).ok_or(Unknown),
    }
}

/// Why something was refused.
#[derive(Debug, Clone, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, Serialize, JsonSchema)]
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
