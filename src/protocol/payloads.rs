//! Payloads that the server sends.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    chat::{self, LobbyPage},
    domain::{self, Body, RoomSummary, Seq},
};

/// A person.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Person {
    /// The person's id; rights belong to it.
    pub id: String,
    /// The person's colour, as `#rrggbb`.
    pub color: &'static str,
    /// Code of one of 24 colour words; pages translate it.
    pub hue: &'static str,
    /// The number in the person's name.
    pub number: u16,
    /// The person's name in English, for programs.
    pub name: String,
    /// True for a bot; absent otherwise.
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

/// The public data of a room.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Room {
    /// The room's id.
    pub id: String,
    /// The title.
    pub title: String,
    /// The capacity, in people.
    pub max: u32,
    /// Number of people in the room.
    pub count: u32,
    /// The colours of up to twelve of them.
    pub colors: Vec<&'static str>,
    /// The person who may change the room.
    pub owner: Person,
    /// Whether the room has a password or a lock.
    pub locked: bool,
    /// Time of its creation.
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
    /// Number of rooms on all pages.
    pub total: usize,
    /// This page's number, from 1.
    pub page: usize,
    /// Number of pages.
    pub pages: usize,
}

impl Rooms {
    /// The page `page` of a search.
    #[must_use]
    pub fn page(found: &LobbyPage, page: usize) -> Self {
        let rooms = found.rooms.iter().map(Room::from).collect();
        Self { rooms, total: found.total, page, pages: chat::ChatService::pages(found.total) }
    }
}

/// One room, or a page of the lobby, as requested.
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
    /// Path of the file.
    pub url: String,
    /// Path of the first frame, as a PNG.
    pub poster: String,
    /// Width, in pixels.
    pub width: u32,
    /// Height, in pixels.
    pub height: u32,
    /// Size of the file, in bytes.
    pub bytes: u64,
    /// Number of frames.
    pub frames: u32,
    /// Duration of all frames, in milliseconds.
    pub duration_ms: u64,
}

/// A system message as a code; pages translate it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct System {
    /// `joined`, `left`, `kicked`, `owner`, …
    pub code: &'static str,
    /// The person it is about.
    pub person: Person,
}

/// A message.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Chat {
    /// The message's id in the store.
    pub id: String,
    /// The room's id.
    pub room: String,
    /// Its number in the room.
    pub seq: Seq,
    /// Number of the room's previous message that everybody sees; only in live events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<Seq>,
    /// `chat`, `gif`, `system` or `whisper`.
    pub kind: &'static str,
    /// The sender.
    pub user: Person,
    /// The text; a system message's in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat: Option<String>,
    /// The GIF.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gif: Option<Gif>,
    /// The content of a system message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<System>,
    /// The recipient of a whisper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Person>,
    /// The sender's name for the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Time of the message.
    pub created_at: String,
}

impl Chat {
    /// The payload of a live event: the message and the number of the previous one.
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

/// A window of history.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Chats {
    /// The messages, in rising order of `seq`.
    pub chats: Vec<Chat>,
    /// Whether there are more in the requested direction.
    pub more: bool,
}

impl From<&domain::History> for Chats {
    fn from(history: &domain::History) -> Self {
        Self { chats: history.messages.iter().map(Chat::from).collect(), more: history.more }
    }
}

/// The first event after a client has entered a room.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Welcome {
    /// The room.
    pub room: Room,
    /// The client's person, as named in this room.
    pub you: Person,
    /// The people in the room, in order of arrival.
    pub people: Vec<Person>,
    /// The messages that the client missed, or the newest.
    #[serde(flatten)]
    pub history: Chats,
}

/// A person entered or left a room.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Presence {
    /// Always `system`.
    pub user: &'static str,
    /// The person.
    pub person: Person,
    /// Number of people in the room now.
    pub current_users: u32,
    /// True when the person entered.
    pub connected: bool,
    /// The stored system message.
    pub chat: Chat,
}

/// The newest message of a room.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct Head {
    /// Number of the newest message that everybody sees.
    pub seq: Seq,
}

/// A message was deleted.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct Removed {
    /// Its number in the room.
    pub seq: Seq,
}

/// The owner removed you.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Kicked {
    /// The owner who did.
    pub by: Person,
}

/// A person started or stopped typing.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Typing {
    /// The person.
    pub person: Person,
    /// True when the person started.
    pub typing: bool,
}
