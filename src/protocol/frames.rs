//! The frames of the gateway, `{op, d}`, and the types of their data.
//!
//! Rooms, people and messages have the same types as in the Socket.IO protocol.

mod document;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    chat::Error,
    domain::Seq,
    protocol::{Chat, ErrorBody, Object, Person, Room, Welcome},
};

pub use document::{HEAD, document, section};

/// The description of a frame.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Its name on the wire.
    pub op: &'static str,
    /// Its documentation.
    pub about: &'static str,
    /// Generates the schema of its data.
    pub data: fn(&mut SchemaGenerator) -> Schema,
}

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

macro_rules! frames {
    ($( $(#[doc = $about:literal])+ $constant:ident: $data:ty; )+) => {
        $(
            $(#[doc = $about])+
            pub const $constant: &str = stringify!($constant);
        )+

        /// The descriptions of all frames of this module.
        #[must_use]
        pub fn all() -> Vec<super::Frame> {
            vec![$(super::Frame {
                op: $constant,
                about: concat!($($about),+),
                data: super::schema_of::<$data>,
            }),+]
        }
    };
}

/// Frames that the server sends.
pub mod server_events {
    use super::{
        Chat, Deleted, ErrorFrame, Head, Hello, Out, Presence, Ready, RoomGone, RoomUpdate, Welcome,
    };

    frames! {
        /// The first frame of every connection.
        HELLO: Hello;
        /// The token is valid: who you are, and the rooms in which you have a seat.
        READY: Ready;
        /// The acknowledgement of a `HEARTBEAT`.
        HEARTBEAT_ACK: ();
        /// You entered a room: its messages since `after`, or the newest. The room's first frame.
        ROOM_WELCOME: Welcome;
        /// You left a room, by this connection or another, or its owner removed you.
        ROOM_LEAVE: Out;
        /// The server stored your message.
        MESSAGE_ACK: Chat;
        /// A message of the room was stored: a person's, your own or a system message.
        MESSAGE_CREATE: Chat;
        /// A message was deleted.
        MESSAGE_DELETE: Deleted;
        /// A person entered or left the room. The system message about it precedes this frame.
        PRESENCE_UPDATE: Presence;
        /// The owner changed the room, or the room has a new owner.
        ROOM_UPDATE: RoomUpdate;
        /// The newest message of a room. If you lack it, join again with `after`.
        ROOM_HEAD: Head;
        /// A room was deleted.
        ROOM_DELETE: RoomGone;
        /// An error.
        ERROR: ErrorFrame;
    }
}

/// Frames that a bot sends.
pub mod client_events {
    use super::{Identify, MessagePost, RoomJoin, RoomLeave};

    frames! {
        /// Show the token, once, within ten seconds of connecting.
        IDENTIFY: Identify;
        /// Keep the connection open; send one every `heartbeatMs`.
        HEARTBEAT: ();
        /// Enter a room; in a room that you are in already, read the messages that you missed.
        ROOM_JOIN: RoomJoin;
        /// Leave a room at once, without the grace.
        ROOM_LEAVE: RoomLeave;
        /// Send a message; acknowledged with `MESSAGE_ACK` once it is stored.
        MESSAGE_POST: MessagePost;
    }
}

/// The first frame of a connection.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// Milliseconds between two heartbeats. The setting `HEARTBEAT` has the same limits.
    #[schemars(range(min = 100, max = 600_000))]
    pub heartbeat_ms: u64,
}

/// The token is valid.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Ready {
    /// Who you are. A room may give you another number; its `ROOM_WELCOME` has it.
    pub person: Person,
    /// The rooms in which you have a seat.
    pub rooms: Vec<Room>,
}

/// You left a room, or were removed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Out {
    /// The room's id.
    pub room: String,
    /// The owner who removed you; absent when you left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Person>,
}

/// A message was deleted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Deleted {
    /// The room's id.
    pub room: String,
    /// Its number in the room.
    pub seq: Seq,
}

/// A person entered or left a room.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Presence {
    /// The room's id.
    pub room: String,
    /// The person.
    pub person: Person,
    /// True when the person entered.
    pub connected: bool,
    /// Number of people in the room now.
    pub current_users: u32,
}

/// A changed room.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum RoomUpdate {
    /// The room as it is now.
    Whole(Room),
    /// The new owner only.
    Owner {
        /// The room's id.
        id: String,
        /// The new owner.
        owner: Person,
    },
}

/// The newest message of a room.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Head {
    /// Which room.
    pub room: String,
    /// Number of the newest message that everybody sees.
    pub seq: Seq,
}

/// A room was deleted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RoomGone {
    /// The room's id.
    pub room: String,
}

/// An error, and the frame that caused it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorFrame {
    /// The error.
    #[serde(flatten)]
    pub error: ErrorBody,
    /// The op of the refused frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<&'static str>,
    /// The room that the frame named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// The `clientId` of the refused message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

impl From<&Error> for ErrorFrame {
    fn from(error: &Error) -> Self {
        Self { error: ErrorBody::from(error), op: None, room: None, client_id: None }
    }
}

/// A bot's token.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Identify {
    /// The token, as the token page showed it.
    pub token: String,
}

/// A room to enter.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct RoomJoin {
    /// The room's id.
    pub room: String,
    /// The room's password; needed unless you or the token's maker has shown it before.
    pub password: Option<String>,
    /// Number of the newest message that you have.
    pub after: Option<Seq>,
}

/// A room to leave.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct RoomLeave {
    /// The room's id.
    pub room: String,
}

/// A message to send.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessagePost {
    /// The room's id.
    pub room: String,
    /// The text.
    #[schemars(length(min = 1, max = 2000))]
    pub chat: String,
    /// Your name for the message; the server stores repeated sends once.
    #[schemars(regex(pattern = "^[!-~]{1,64}$"))]
    pub client_id: Option<String>,
    /// The id of the recipient of a whisper; absent in a message to everybody.
    pub to: Option<String>,
}

/// A parsed frame of a bot.
#[derive(Debug)]
pub(crate) enum Request {
    Identify(Identify),
    Heartbeat,
    RoomJoin(RoomJoin),
    RoomLeave(RoomLeave),
    MessagePost(MessagePost),
}

#[derive(Deserialize)]
struct Raw<'a> {
    op: String,
    #[serde(borrow, default)]
    d: Option<&'a RawValue>,
}

impl Request {
    /// Parses a frame.
    ///
    /// # Errors
    /// The `ERROR` frame to send when `text` is not a frame.
    pub(crate) fn parse(text: &str) -> Result<Self, Box<ErrorFrame>> {
        let Object::<Raw<'_>>(raw) = serde_json::from_str(text)
            .map_err(|_| malformed("a frame is a JSON object with op and d", None))?;
        Ok(match raw.op.as_str() {
            client_events::IDENTIFY => Self::Identify(data(&raw, client_events::IDENTIFY)?),
            client_events::HEARTBEAT => Self::Heartbeat,
            client_events::ROOM_JOIN => Self::RoomJoin(data(&raw, client_events::ROOM_JOIN)?),
            client_events::ROOM_LEAVE => Self::RoomLeave(data(&raw, client_events::ROOM_LEAVE)?),
            client_events::MESSAGE_POST => {
                Self::MessagePost(data(&raw, client_events::MESSAGE_POST)?)
            }
            _ => return Err(malformed("there is no such op", None)),
        })
    }
}

fn data<'a, T: Deserialize<'a>>(raw: &Raw<'a>, op: &'static str) -> Result<T, Box<ErrorFrame>> {
    let data = raw.d.map_or("null", RawValue::get);
    let data = serde_json::from_str(data).map(|Object(data)| data);
    data.map_err(|_| malformed("d is not what this op takes", Some(op)))
}

fn malformed(message: &str, op: Option<&'static str>) -> Box<ErrorFrame> {
    let error = ErrorBody { message: message.to_owned(), ..ErrorBody::from(&Error::Malformed) };
    Box::new(ErrorFrame { error, op, room: None, client_id: None })
}

/// A refusal with a code that only the gateway uses: the frame came in the wrong state.
pub(crate) fn wrong_state(code: &'static str, message: &str) -> Box<ErrorFrame> {
    let error = ErrorBody { code, ..malformed(message, None).error };
    Box::new(ErrorFrame { error, op: None, room: None, client_id: None })
}

/// Serializes a frame.
pub(crate) fn encode<T: Serialize>(op: &'static str, d: &T) -> String {
    #[derive(Serialize)]
    struct Outgoing<'a, T> {
        op: &'static str,
        d: &'a T,
    }
    serde_json::to_string(&Outgoing { op, d }).unwrap_or_else(|error| {
        tracing::error!(op, %error, "could not serialize a frame");
        String::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_frames_are_refused_with_a_reason() {
        for (text, why) in [
            ("", "a frame is a JSON object with op and d"),
            ("[1]", "a frame is a JSON object with op and d"),
            (r#"{"d":1}"#, "a frame is a JSON object with op and d"),
            (r#"{"op":"DANCE"}"#, "there is no such op"),
            (r#"{"op":"READY","d":{}}"#, "there is no such op"),
            (r#"{"op":"IDENTIFY"}"#, "d is not what this op takes"),
            (r#"{"op":"ROOM_JOIN","d":{"room":1}}"#, "d is not what this op takes"),
            (r#"{"op":"MESSAGE_POST","d":[]}"#, "d is not what this op takes"),
        ] {
            let refusal = Request::parse(text).unwrap_err();
            assert_eq!((refusal.error.code, refusal.error.message.as_str()), ("malformed", why));
        }
        assert!(Request::parse(r#"{"op":"HEARTBEAT","d":null,"more":1}"#).is_ok());
    }
}
