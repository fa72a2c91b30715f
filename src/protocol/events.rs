//! The names of all events and the types of their payloads.
//!
//! This module is their only source: [`server_events::all`] and [`client_events::all`] generate the
//! constants of the page's scripts and the `AsyncAPI` document.

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{
    Chat, ChatDelete, ChatGet, ChatPost, Chats, ErrorBody, Head, Kicked, Person, Presence,
    ReaderPut, Removed, Room, RoomDelete, RoomGet, RoomPost, RoomPut, RoomsFound, Typing, Welcome,
    WhisperPost, Whom,
};

/// The namespace of the lobby.
pub const LOBBY: &str = "/room";
/// The namespace of rooms; each socket is in one room.
pub const CHAT: &str = "/chat";

/// Generates the schema of a type.
type Describe = fn(&mut SchemaGenerator) -> Schema;

/// The description of an event.
#[derive(Debug, Clone)]
pub struct Event {
    /// Name of its constant, here and in the page's scripts.
    pub constant: &'static str,
    /// Its name on the wire.
    pub name: &'static str,
    /// The namespaces that use it.
    pub namespaces: &'static [&'static str],
    /// Its documentation.
    pub about: &'static str,
    /// Schema of its payload.
    pub payload: Describe,
    /// Schema of its acknowledgement; `None` when it has none.
    pub answer: Option<Describe>,
}

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

macro_rules! events {
    ($(
        $(#[doc = $about:literal])+
        $constant:ident = $name:literal, $namespaces:expr, $payload:ty $(=> $answer:ty)?;
    )+) => {
        $(
            $(#[doc = $about])+
            pub const $constant: &str = $name;
        )+

        /// The descriptions of all events of this module.
        #[must_use]
        pub fn all() -> Vec<Event> {
            vec![$(
                Event {
                    constant: stringify!($constant),
                    name: $name,
                    namespaces: $namespaces,
                    about: concat!($($about),+),
                    payload: schema_of::<$payload>,
                    answer: None$(.or(Some(schema_of::<$answer>)))?,
                },
            )+]
        }
    };
}

/// Events that the server sends.
pub mod server_events {
    use super::{
        Chat, ErrorBody, Event, Head, Kicked, LOBBY, Person, Presence, Removed, Room, Typing,
        Welcome, schema_of,
    };

    events! {
        /// A room was created.
        NEW_ROOM = "newRoom", &[LOBBY], Room;
        /// In the lobby: a room's count, title, owner or lock changed. In a room: its settings did.
        UPDATE_ROOM = "updateRoom", &[LOBBY, super::CHAT], Room;
        /// A room was deleted; the payload is its id.
        REMOVE_ROOM = "removeRoom", &[LOBBY, super::CHAT], String;
        /// The first event after a client has entered a room.
        WELCOME = "welcome", &[super::CHAT], Welcome;
        /// A person entered the room.
        JOIN = "join", &[super::CHAT], Presence;
        /// A person left the room.
        EXIT = "exit", &[super::CHAT], Presence;
        /// A message was stored.
        CHAT = "chat", &[super::CHAT], Chat;
        /// A message was deleted.
        CHAT_REMOVED = "chat:removed", &[super::CHAT], Removed;
        /// The owner removed you; the server closes the connection.
        KICKED = "kicked", &[super::CHAT], Kicked;
        /// The newest message of the room; a client that lacks it reads the history.
        HEAD = "head", &[super::CHAT], Head;
        /// A person started or stopped typing.
        TYPING = "typing", &[super::CHAT], Typing;
        /// The room has a new owner.
        OWNER = "owner", &[super::CHAT], Person;
        /// An error that no acknowledgement reports.
        ERROR = "error", &[LOBBY, super::CHAT], ErrorBody;
    }
}

/// Events that a client sends. All but `typing` are acknowledged with a [`super::Reply`].
pub mod client_events {
    use super::{
        CHAT, Chat, ChatDelete, ChatGet, ChatPost, Chats, Event, LOBBY, Person, ReaderPut, Room,
        RoomDelete, RoomGet, RoomPost, RoomPut, RoomsFound, WhisperPost, Whom, schema_of,
    };

    events! {
        /// Read one room, or one page of the lobby.
        ROOM_GET = "room:get", &[LOBBY], RoomGet => RoomsFound;
        /// Create a room.
        ROOM_POST = "room:post", &[LOBBY], RoomPost => Room;
        /// Change a room; only its owner may.
        ROOM_PUT = "room:put", &[LOBBY], RoomPut => Room;
        /// Close a room; only its owner may.
        ROOM_DELETE = "room:delete", &[LOBBY], RoomDelete => ();
        /// Choose the language and the theme of this session's pages.
        READER_PUT = "reader:put", &[LOBBY, CHAT], ReaderPut => ();
        /// Send a message; acknowledged once it is stored.
        CHAT_POST = "chat:post", &[CHAT], ChatPost => Chat;
        /// Read history.
        CHAT_GET = "chat:get", &[CHAT], ChatGet => Chats;
        /// Delete a message; acknowledged with the message without its content.
        CHAT_DELETE = "chat:delete", &[CHAT], ChatDelete => Chat;
        /// Send a whisper to one person; acknowledged once it is stored.
        WHISPER_POST = "whisper:post", &[CHAT], WhisperPost => Chat;
        /// Kick a person; only the owner may.
        PERSON_KICK = "person:kick", &[CHAT], Whom => ();
        /// Give the room to a person in it; acknowledged with that person. Only the owner may.
        OWNER_PUT = "owner:put", &[CHAT], Whom => Person;
        /// Leave the room at once, without the grace.
        EXIT = "exit", &[CHAT], () => ();
        /// Report that you started or stopped typing. Not acknowledged.
        TYPING = "typing", &[CHAT], bool;
    }
}
