//! Conversion between documents of `chats` and messages.

use mongodb::bson::{DateTime, Document, doc, oid::ObjectId};
use serde::{Deserialize, Serialize};

use super::room_document::{PersonDocument, date, parsed, person, room_id, timestamp};
use crate::{
    domain::{Body, ClientId, Gif, GifFacts, Message, Seq, SystemCode},
    store::{Error, Result},
};

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Chat,
    Gif,
    System,
    Whisper,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GifDocument {
    hash: String,
    width: u32,
    height: u32,
    bytes: u64,
    frames: u32,
    duration_ms: u64,
}

impl From<&Gif> for GifDocument {
    fn from(Gif { hash, facts }: &Gif) -> Self {
        Self {
            hash: hash.clone(),
            width: facts.width,
            height: facts.height,
            bytes: facts.bytes,
            frames: facts.frames,
            duration_ms: facts.duration_ms,
        }
    }
}

impl From<GifDocument> for Gif {
    fn from(gif: GifDocument) -> Self {
        Self {
            hash: gif.hash,
            facts: GifFacts {
                width: gif.width,
                height: gif.height,
                bytes: gif.bytes,
                frames: gif.frames,
                duration_ms: gif.duration_ms,
            },
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct SystemDocument {
    code: String,
    id: String,
    color: String,
    name: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChatDocument {
    #[serde(rename = "_id")]
    id: ObjectId,
    pub(super) room: String,
    pub(super) seq: i64,
    kind: Kind,
    user: String,
    color: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gif: Option<GifDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<PersonDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<SystemDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    created_at: DateTime,
}

/// A projected message: its number, and whether it is public.
#[derive(Debug, Deserialize)]
pub(super) struct Numbered {
    pub(super) seq: Seq,
    kind: Kind,
}

impl Numbered {
    /// The projection.
    pub(super) fn fields() -> Document {
        doc! { "_id": 0, "seq": 1, "kind": 1 }
    }

    pub(super) fn is_public(&self) -> bool {
        !matches!(self.kind, Kind::Whisper)
    }
}

impl ChatDocument {
    /// The document of a message with the number `seq`. The message's `id` must be an [`ObjectId`].
    pub(super) fn numbered(message: &Message, seq: Seq) -> Result<Self> {
        let by = PersonDocument::from(&message.by);
        let bare = Self {
            id: ObjectId::parse_str(&message.id).map_err(Error::new)?,
            room: message.room.as_str().to_owned(),
            seq,
            kind: Kind::Chat,
            user: by.id,
            color: by.color,
            name: by.name,
            chat: None,
            gif: None,
            to: None,
            system: None,
            client_id: message.client_id.as_ref().map(|id| id.as_str().to_owned()),
            created_at: date(message.at),
        };
        Ok(match &message.body {
            Body::Text(text) => Self { chat: Some(text.clone()), ..bare },
            Body::DeletedText => bare,
            Body::Gif(gif) => Self { kind: Kind::Gif, gif: Some(gif.into()), ..bare },
            Body::DeletedGif => Self { kind: Kind::Gif, ..bare },
            Body::DeletedWhisper { to } => {
                Self { kind: Kind::Whisper, to: Some(to.into()), ..bare }
            }
            Body::Whisper { to, text } => {
                Self { kind: Kind::Whisper, chat: Some(text.clone()), to: Some(to.into()), ..bare }
            }
            Body::System { code, person } => {
                let PersonDocument { id, color, name } = person.into();
                let code = code.code().to_owned();
                let system = SystemDocument { code, id, color, name };
                Self { kind: Kind::System, system: Some(system), ..bare }
            }
        })
    }

    pub(super) fn message(self) -> Result<Message> {
        Ok(Message {
            id: self.id.to_hex(),
            room: room_id(&self.room)?,
            seq: self.seq,
            by: person(&self.user, &self.color, &self.name)?,
            client_id: self
                .client_id
                .as_ref()
                .map(|raw| parsed(raw, "client id", ClientId::parse(raw).ok()))
                .transpose()?,
            at: timestamp(self.created_at),
            body: self.body()?,
        })
    }

    fn body(self) -> Result<Body> {
        Ok(match (self.kind, self.chat, self.gif, self.to, self.system) {
            (Kind::Chat, Some(text), ..) => Body::Text(text),
            (Kind::Chat, None, ..) => Body::DeletedText,
            (Kind::Gif, _, Some(gif), ..) => Body::Gif(gif.into()),
            (Kind::Gif, _, None, ..) => Body::DeletedGif,
            (Kind::Whisper, Some(text), _, Some(to), _) => Body::Whisper { to: to.person()?, text },
            (Kind::Whisper, None, _, Some(to), _) => Body::DeletedWhisper { to: to.person()? },
            (Kind::System, .., Some(system)) => Body::System {
                code: parsed(&system.code, "system code", SystemCode::from_code(&system.code))?,
                person: person(&system.id, &system.color, &system.name)?,
            },
            (Kind::Whisper | Kind::System, ..) => {
                return parsed(&self.id.to_hex(), "whole message", None);
            }
        })
    }
}
