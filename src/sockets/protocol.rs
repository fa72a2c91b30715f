//! The words that are spoken with a page or a program: event names, and what each carries.
//!
//! This file and its payloads are the manual of the protocol. Routes answer with the same payloads. Field names are
//! in camel case; times are RFC 3339 in UTC with milliseconds.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

mod payloads;

use crate::{
    chat::{self, Error, LobbyPage, RoomChangeForm, RoomForm},
    domain::{self, Seq},
};

pub use payloads::{
    Chat, Chats, Gif, Head, Kicked, Person, Presence, Removed, Room, System, Typing, Welcome,
};

/// The namespace of the lobby.
pub const LOBBY: &str = "/room";
/// The namespace of the inside of a room.
pub const CHAT: &str = "/chat";

/// What the server says.
pub mod told {
    /// Lobby: a room was made. [`super::Room`].
    pub const NEW_ROOM: &str = "newRoom";
    /// Lobby: a room's count, title, owner or lock changed. Room: its owner changed it. [`super::Room`].
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
    /// Room: a message was deleted. [`super::Removed`].
    pub const CHAT_REMOVED: &str = "chat:removed";
    /// Room: you were removed, and the connection ends. [`super::Kicked`].
    pub const KICKED: &str = "kicked";
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
    /// Room: delete a message. [`super::ChatDelete`], answered with what is left of it, [`super::Chat`].
    pub const CHAT_DELETE: &str = "chat:delete";
    /// Room: say something to one person. [`super::WhisperPost`], answered with [`super::Chat`].
    pub const WHISPER_POST: &str = "whisper:post";
    /// Room, its owner: remove somebody. [`super::Whom`], answered with nothing.
    pub const PERSON_KICK: &str = "person:kick";
    /// Room, its owner: give the room to somebody. [`super::Whom`], answered with [`super::Person`].
    pub const OWNER_PUT: &str = "owner:put";
    /// Lobby: a room, or a page of them. [`super::RoomGet`], answered with [`super::Room`] or [`super::Rooms`].
    pub const ROOM_GET: &str = "room:get";
    /// Lobby: make a room. [`super::RoomPost`], answered with [`super::Room`].
    pub const ROOM_POST: &str = "room:post";
    /// Lobby, the room's owner: change it. [`super::RoomPut`], answered with [`super::Room`].
    pub const ROOM_PUT: &str = "room:put";
    /// Lobby, the room's owner: close it. [`super::RoomDelete`], answered with nothing.
    pub const ROOM_DELETE: &str = "room:delete";
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

/// A message to delete.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct ChatDelete {
    /// Its place in the room.
    pub seq: Seq,
}

/// Something to say to one person.
#[derive(Debug, Clone, Deserialize)]
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
#[derive(Debug, Clone, Deserialize)]
pub struct Whom {
    /// The id.
    pub id: String,
}

/// A field that programs may send as a number, and forms as text.
#[derive(Debug, Clone, Deserialize)]
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
#[derive(Debug, Clone, Default, Deserialize)]
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
#[derive(Debug, Clone, Default, Deserialize)]
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
#[derive(Debug, Clone, Default, Deserialize)]
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
#[derive(Debug, Clone, Deserialize)]
pub struct RoomPut {
    /// The room.
    pub id: String,
    /// What to change.
    #[serde(flatten)]
    pub patch: RoomPatch,
}

/// A room to close.
#[derive(Debug, Clone, Deserialize)]
pub struct RoomDelete {
    /// The room.
    pub id: String,
}

/// A page of the lobby.
#[derive(Debug, Clone, Serialize)]
pub struct Rooms {
    /// The rooms, the liveliest first.
    pub rooms: Vec<Room>,
    /// How many there are in all.
    pub total: usize,
    /// Which page this is, from 1.
    pub page: usize,
    /// How many pages there are.
    pub pages: usize,
}

impl Rooms {
    /// What was found for a page.
    #[must_use]
    pub fn page(found: &LobbyPage, page: usize) -> Self {
        let rooms = found.rooms.iter().map(Room::from).collect();
        Self { rooms, total: found.total, page, pages: chat::Chat::pages(found.total) }
    }
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
