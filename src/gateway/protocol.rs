//! The frames of the gateway: `{op, d}`, each with what it carries. What rooms, people and messages are, is said
//! where the pages' protocol says it.

mod document;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    chat::Error,
    domain::Seq,
    sockets::protocol::{Chat, ErrorBody, Person, Room, Welcome},
};

pub use document::{HEAD, document, section};

/// What is known of a kind of frame.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Its name on the wire.
    pub op: &'static str,
    /// What it means.
    pub about: &'static str,
    /// Makes the schema of what it carries.
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

        /// All of them.
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

/// What the server says.
pub mod told {
    use super::{
        Chat, Emptied, Head, Hello, Out, Presence, Ready, RoomGone, RoomUpdate, Trouble, Welcome,
    };

    frames! {
        /// The first word to every connection.
        HELLO: Hello;
        /// The token was good: who you are, and the rooms in which your seat was kept.
        READY: Ready;
        /// The answer to a `HEARTBEAT`.
        HEARTBEAT_ACK: ();
        /// You are in a room: what you missed since `after`, or its newest messages. Nothing of this room comes before it.
        ROOM_WELCOME: Welcome;
        /// You are out of a room: you left it, by this connection or another, or somebody removed you.
        ROOM_LEAVE: Out;
        /// What you said is stored.
        MESSAGE_ACK: Chat;
        /// Somebody said something, you among them, or something happened to somebody.
        MESSAGE_CREATE: Chat;
        /// What a message said was deleted.
        MESSAGE_DELETE: Emptied;
        /// Somebody came in, or is gone. The message about it has come before.
        PRESENCE_UPDATE: Presence;
        /// A room was changed by its owner, or has another one.
        ROOM_UPDATE: RoomUpdate;
        /// How far a room has got. If it is further than you, join again with `after`.
        ROOM_HEAD: Head;
        /// A room is gone, and you are out of it.
        ROOM_DELETE: RoomGone;
        /// Something went wrong.
        ERROR: Trouble;
    }
}

/// What a bot says.
pub mod asked {
    use super::{Identify, MessagePost, RoomJoin, RoomLeave};

    frames! {
        /// Shows the token; within ten seconds, once.
        IDENTIFY: Identify;
        /// A sign of life, every `heartbeatMs`.
        HEARTBEAT: ();
        /// Comes into a room; or, when you are in it, asks for what you missed.
        ROOM_JOIN: RoomJoin;
        /// Leaves a room at once, without the grace.
        ROOM_LEAVE: RoomLeave;
        /// Says something; answered with `MESSAGE_ACK` once it is stored.
        MESSAGE_POST: MessagePost;
    }
}

/// The first word.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// Milliseconds between two signs of life.
    pub heartbeat_ms: u64,
}

/// The token was good.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Ready {
    /// Who you are. In a room you may be called by another number: its welcome says so.
    pub person: Person,
    /// The rooms in which you have a seat.
    pub rooms: Vec<Room>,
}

/// You are out of a room.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Out {
    /// Which one.
    pub room: String,
    /// Who removed you, if somebody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Person>,
}

/// What a message said was deleted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Emptied {
    /// Where.
    pub room: String,
    /// Its place there.
    pub seq: Seq,
}

/// Somebody came in, or is gone.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Presence {
    /// Where.
    pub room: String,
    /// Who.
    pub person: Person,
    /// Whether they came in.
    pub connected: bool,
    /// How many people are there now.
    pub current_users: u32,
}

/// What changed of a room.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum RoomUpdate {
    /// The room as it is now.
    Whole(Room),
    /// Its new owner alone.
    Owner {
        /// Which room.
        id: String,
        /// Who owns it now.
        owner: Person,
    },
}

/// How far a room has got.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Head {
    /// Which room.
    pub room: String,
    /// The newest message that everybody sees.
    pub seq: Seq,
}

/// A room is gone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RoomGone {
    /// Which one.
    pub room: String,
}

/// What went wrong, and with what.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Trouble {
    /// Why.
    #[serde(flatten)]
    pub error: ErrorBody,
    /// The op of the frame that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<&'static str>,
    /// The room that it named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// What the sender calls the message that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

impl From<&Error> for Trouble {
    fn from(error: &Error) -> Self {
        Self { error: ErrorBody::from(error), op: None, room: None, client_id: None }
    }
}

/// The token.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Identify {
    /// As its maker was shown it.
    pub token: String,
}

/// A room to come into.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct RoomJoin {
    /// Which one.
    pub room: String,
    /// Its password, if it has one and neither you nor your maker has shown it.
    pub password: Option<String>,
    /// The newest message you have.
    pub after: Option<Seq>,
}

/// A room to leave.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct RoomLeave {
    /// Which one.
    pub room: String,
}

/// Something to say.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessagePost {
    /// Where.
    pub room: String,
    /// The words.
    pub chat: String,
    /// What you call it, so that a retry is stored once.
    pub client_id: Option<String>,
    /// The id of who is to hear it; without, everybody does.
    pub to: Option<String>,
}

/// What a bot asks for.
#[derive(Debug)]
pub(super) enum Request {
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
    /// Reads a frame.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, Box<Trouble>> {
        let raw: Raw<'_> = serde_json::from_str(text)
            .map_err(|_| malformed("a frame is a JSON object with op and d", None))?;
        Ok(match raw.op.as_str() {
            asked::IDENTIFY => Self::Identify(data(&raw, asked::IDENTIFY)?),
            asked::HEARTBEAT => Self::Heartbeat,
            asked::ROOM_JOIN => Self::RoomJoin(data(&raw, asked::ROOM_JOIN)?),
            asked::ROOM_LEAVE => Self::RoomLeave(data(&raw, asked::ROOM_LEAVE)?),
            asked::MESSAGE_POST => Self::MessagePost(data(&raw, asked::MESSAGE_POST)?),
            _ => return Err(malformed("there is no such op", None)),
        })
    }
}

fn data<'a, T: Deserialize<'a>>(raw: &Raw<'a>, op: &'static str) -> Result<T, Box<Trouble>> {
    let data = raw.d.map_or("null", RawValue::get);
    serde_json::from_str(data).map_err(|_| malformed("d is not what this op takes", Some(op)))
}

fn malformed(message: &str, op: Option<&'static str>) -> Box<Trouble> {
    let error = ErrorBody { message: message.to_owned(), ..ErrorBody::from(&Error::Malformed) };
    Box::new(Trouble { error, op, room: None, client_id: None })
}

/// A refusal that only the gateway knows.
pub(super) fn out_of_place(code: &'static str, message: &str) -> Box<Trouble> {
    let error = ErrorBody { code, ..malformed(message, None).error };
    Box::new(Trouble { error, op: None, room: None, client_id: None })
}

/// Puts a frame into words.
pub(super) fn words<T: Serialize>(op: &'static str, d: &T) -> String {
    #[derive(Serialize)]
    struct Told<'a, T> {
        op: &'static str,
        d: &'a T,
    }
    serde_json::to_string(&Told { op, d }).unwrap_or_else(|error| {
        tracing::error!(op, %error, "could not put a frame into words");
        String::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_frame_is_told_why() {
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
            let trouble = Request::parse(text).unwrap_err();
            assert_eq!((trouble.error.code, trouble.error.message.as_str()), ("malformed", why));
        }
        assert!(Request::parse(r#"{"op":"HEARTBEAT","d":null,"more":1}"#).is_ok());
    }
}
