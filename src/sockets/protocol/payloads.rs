//! What the server's words carry.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    chat::{self, LobbyPage},
    domain::{self, Body, RoomSummary, Seq},
};

/// Somebody.
#[derive(Debug, Clone, Serialize, JsonSchema)]
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
    /// True for a program; absent for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bot: Option<bool>,
}

impl From<&domain::Person> for Person {
    fn from(person: &domain::Person) -> Self {
        Self {
            id: person.id.to_string(),
            color: person.color.hex(),
            hue: person.name.hue.code(),
            number: person.name.number,
            name: person.name.plain().to_string(),
            bot: person.name.bot.then_some(true),
        }
    }
}

/// A room, as everybody may see it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
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

/// A page of the lobby.
#[derive(Debug, Clone, Serialize, JsonSchema)]
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

/// One room, or a page of the lobby, as it was asked for.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum RoomsFound {
    /// The room.
    One(Room),
    /// The page.
    Page(Rooms),
}

/// A shared GIF.
#[derive(Debug, Clone, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct System {
    /// `joined`, `left`, `kicked`, `owner`, …
    pub code: &'static str,
    /// Whom it is about.
    pub person: Person,
}

/// A message.
#[derive(Debug, Clone, Serialize, JsonSchema)]
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
            Body::DeletedWhisper { to } => chat.to = Some(Person::from(to)),
            Body::DeletedText | Body::DeletedGif => {}
        }
        chat
    }
}

/// A stretch of history.
#[derive(Debug, Clone, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct Head {
    /// The newest message that everybody sees.
    pub seq: Seq,
}

/// A message was deleted.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct Removed {
    /// Its place in the room.
    pub seq: Seq,
}

/// You were removed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Kicked {
    /// By whom.
    pub by: Person,
}

/// Somebody is typing, or stopped.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Typing {
    /// Who.
    pub person: Person,
    /// Whether they are.
    pub typing: bool,
}
