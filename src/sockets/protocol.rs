//! The words that are spoken with a page or a program: event names, and what each carries.
//!
//! This file is the manual of the protocol. Routes answer with the same payloads. Field names are
//! in camel case; times are RFC 3339 in UTC with milliseconds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    chat::Error,
    domain::{self, Body, RoomSummary, Seq},
};

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

/// Somebody.
#[derive(Debug, Clone, Serialize)]
pub struct Person {
    /// What rights hang on.
    pub id: String,
    /// `#rrggbb`.
    pub color: &'static str,
    /// The code of one of 24 colour words, for pages to translate.
    pub hue: &'static str,
    /// The number beside the word.
    pub number: u16,
    /// The English name, for programs.
    pub name: String,
}

impl From<&domain::Person> for Person {
    fn from(person: &domain::Person) -> Self {
        Self {
            id: person.id.to_string(),
            color: person.color.hex(),
            hue: person.name.hue.code(),
            number: person.name.number,
            name: person.name.to_string(),
        }
    }
}

/// A room, as everybody may see it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Room {
    /// Its id.
    pub id: String,
    /// What it is listed under.
    pub title: String,
    /// How many people fit in.
    pub max: u32,
    /// How many are there.
    pub count: u32,
    /// Up to twelve of their colours.
    pub colors: Vec<&'static str>,
    /// Who may change it.
    pub owner: Person,
    /// Whether a password or a lock keeps newcomers out.
    pub locked: bool,
    /// When it was made.
    pub created_at: String,
}

impl From<&RoomSummary> for Room {
    fn from(room: &RoomSummary) -> Self {
        Self {
            id: room.id.to_string(),
            title: room.title.as_str().to_owned(),
            max: room.max.get(),
            count: room.count,
            colors: room.colors.iter().map(|color| color.hex()).collect(),
            owner: Person::from(&room.owner),
            locked: room.locked || room.has_password,
            created_at: room.created_at.to_string(),
        }
    }
}

/// A shared GIF.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gif {
    /// Where the file is.
    pub url: String,
    /// Where its first frame is, as a PNG.
    pub poster: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Size of the file, in bytes.
    pub bytes: u64,
    /// How many frames.
    pub frames: u32,
    /// One time through all frames, in milliseconds.
    pub duration_ms: u64,
}

/// What a system message says, for pages to translate.
#[derive(Debug, Clone, Serialize)]
pub struct System {
    /// `joined`, `left`, `kicked`, `owner`, …
    pub code: &'static str,
    /// Whom it is about.
    pub person: Person,
}

/// A message.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Chat {
    /// What the store calls it.
    pub id: String,
    /// Where it was said.
    pub room: String,
    /// Its place there.
    pub seq: Seq,
    /// The room's message before it that everybody sees; only when it is told live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<Seq>,
    /// `chat`, `gif`, `system` or `whisper`.
    pub kind: &'static str,
    /// Who said it.
    pub user: Person,
    /// The words; of a system message, in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat: Option<String>,
    /// The GIF.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gif: Option<Gif>,
    /// What a system message says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<System>,
    /// Whom it is whispered to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Person>,
    /// What its sender calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// When it was said.
    pub created_at: String,
}

impl Chat {
    /// The message with the one before it, as it is told live.
    #[must_use]
    pub fn live(message: &domain::Message, prev: Seq) -> Self {
        Self { prev: Some(prev), ..Self::from(message) }
    }
}

impl From<&domain::Message> for Chat {
    fn from(message: &domain::Message) -> Self {
        let mut chat = Self {
            id: message.id.clone(),
            room: message.room.to_string(),
            seq: message.seq,
            prev: None,
            kind: message.body.kind(),
            user: Person::from(&message.by),
            chat: None,
            gif: None,
            system: None,
            to: None,
            client_id: message.client_id.as_ref().map(ToString::to_string),
            created_at: message.at.to_string(),
        };
        match &message.body {
            Body::Text(text) => chat.chat = Some(text.clone()),
            Body::Whisper { to, text } => {
                chat.chat = Some(text.clone());
                chat.to = Some(Person::from(to));
            }
            Body::Gif(gif) => {
                let path = format!("/gif/{}/{}", message.room, gif.hash);
                chat.gif = Some(Gif {
                    url: format!("{path}.gif"),
                    poster: format!("{path}.png"),
                    width: gif.facts.width,
                    height: gif.facts.height,
                    bytes: gif.facts.bytes,
                    frames: gif.facts.frames,
                    duration_ms: gif.facts.duration_ms,
                });
            }
            Body::System { code, person } => {
                chat.chat = Some(code.english(person));
                chat.system = Some(System { code: code.code(), person: Person::from(person) });
            }
            Body::DeletedText | Body::DeletedGif => {}
        }
        chat
    }
}

/// A stretch of history.
#[derive(Debug, Clone, Serialize)]
pub struct Chats {
    /// In the order of `seq`, rising.
    pub chats: Vec<Chat>,
    /// Whether there are more in the direction that was asked for.
    pub more: bool,
}

impl From<&domain::History> for Chats {
    fn from(history: &domain::History) -> Self {
        Self { chats: history.messages.iter().map(Chat::from).collect(), more: history.more }
    }
}

/// The first word to whoever came in.
#[derive(Debug, Clone, Serialize)]
pub struct Welcome {
    /// Where they are.
    pub room: Room,
    /// Who they are here.
    pub you: Person,
    /// Who is there, the longest first.
    pub people: Vec<Person>,
    /// What they missed, or the newest messages.
    #[serde(flatten)]
    pub history: Chats,
}

/// Somebody came in, or is gone.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Presence {
    /// Always `system`.
    pub user: &'static str,
    /// Who.
    pub person: Person,
    /// How many people are there now.
    pub current_users: u32,
    /// Whether they came in.
    pub connected: bool,
    /// The stored system message.
    pub chat: Chat,
}

/// How far a room has got.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Head {
    /// The newest message that everybody sees.
    pub seq: Seq,
}

/// Somebody is typing, or stopped.
#[derive(Debug, Clone, Serialize)]
pub struct Typing {
    /// Who.
    pub person: Person,
    /// Whether they are.
    pub typing: bool,
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
        let retry_after_ms = match error {
            Error::SlowDown { retry_after } => {
                Some(u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX))
            }
            _ => None,
        };
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
