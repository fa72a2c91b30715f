//! The names of events, each with what it carries: the only place that has them. The page's constants and the
//! `AsyncAPI` document are made of [`told::all`] and [`asked::all`].

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{
    Chat, ChatDelete, ChatGet, ChatPost, Chats, ErrorBody, Head, Kicked, Person, Presence,
    ReaderPut, Removed, Room, RoomDelete, RoomGet, RoomPost, RoomPut, RoomsFound, Typing, Welcome,
    WhisperPost, Whom,
};

/// The namespace of the lobby.
pub const LOBBY: &str = "/room";
/// The namespace of the inside of a room.
pub const CHAT: &str = "/chat";

/// Makes the schema of a type.
type Describe = fn(&mut SchemaGenerator) -> Schema;

/// What is known of an event.
#[derive(Debug, Clone)]
pub struct Event {
    /// What the code calls it, here and in the pages.
    pub constant: &'static str,
    /// What it is called on the wire.
    pub name: &'static str,
    /// Where it is spoken.
    pub namespaces: &'static [&'static str],
    /// What it means.
    pub about: &'static str,
    /// What it carries.
    pub payload: Describe,
    /// What it is acknowledged with, if it is.
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

        /// All of them.
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

/// What the server says.
pub mod told {
    use super::{
        Chat, ErrorBody, Event, Head, Kicked, LOBBY, Person, Presence, Removed, Room, Typing,
        Welcome, schema_of,
    };

    events! {
        /// A room was made.
        NEW_ROOM = "newRoom", &[LOBBY], Room;
        /// In the lobby: a room's count, title, owner or lock changed. In the room: its owner changed it.
        UPDATE_ROOM = "updateRoom", &[LOBBY, super::CHAT], Room;
        /// A room is gone: its id.
        REMOVE_ROOM = "removeRoom", &[LOBBY, super::CHAT], String;
        /// The first word to whoever came in.
        WELCOME = "welcome", &[super::CHAT], Welcome;
        /// Somebody came in.
        JOIN = "join", &[super::CHAT], Presence;
        /// Somebody is gone.
        EXIT = "exit", &[super::CHAT], Presence;
        /// Somebody said something.
        CHAT = "chat", &[super::CHAT], Chat;
        /// A message was deleted.
        CHAT_REMOVED = "chat:removed", &[super::CHAT], Removed;
        /// You were removed, and the connection ends.
        KICKED = "kicked", &[super::CHAT], Kicked;
        /// How far the room has got.
        HEAD = "head", &[super::CHAT], Head;
        /// Somebody is typing, or stopped.
        TYPING = "typing", &[super::CHAT], Typing;
        /// Who owns the room now.
        OWNER = "owner", &[super::CHAT], Person;
        /// Something went wrong, and nobody waited for an answer.
        ERROR = "error", &[LOBBY, super::CHAT], ErrorBody;
    }
}

/// What a client asks. Each is acknowledged with a [`super::Reply`], but for `typing`.
pub mod asked {
    use super::{
        CHAT, Chat, ChatDelete, ChatGet, ChatPost, Chats, Event, LOBBY, Person, ReaderPut, Room,
        RoomDelete, RoomGet, RoomPost, RoomPut, RoomsFound, WhisperPost, Whom, schema_of,
    };

    events! {
        /// A room, or a page of them.
        ROOM_GET = "room:get", &[LOBBY], RoomGet => RoomsFound;
        /// Make a room.
        ROOM_POST = "room:post", &[LOBBY], RoomPost => Room;
        /// Change a room; its owner alone may.
        ROOM_PUT = "room:put", &[LOBBY], RoomPut => Room;
        /// Close a room; its owner alone may.
        ROOM_DELETE = "room:delete", &[LOBBY], RoomDelete => ();
        /// Choose a language and a theme for the pages of this session.
        READER_PUT = "reader:put", &[LOBBY, CHAT], ReaderPut => ();
        /// Say something; answered once it is stored.
        CHAT_POST = "chat:post", &[CHAT], ChatPost => Chat;
        /// Read history.
        CHAT_GET = "chat:get", &[CHAT], ChatGet => Chats;
        /// Delete a message; answered with what is left of it.
        CHAT_DELETE = "chat:delete", &[CHAT], ChatDelete => Chat;
        /// Say something to one person; answered once it is stored.
        WHISPER_POST = "whisper:post", &[CHAT], WhisperPost => Chat;
        /// Remove somebody; the owner alone may.
        PERSON_KICK = "person:kick", &[CHAT], Whom => ();
        /// Give the room to somebody in it, who is answered; the owner alone may.
        OWNER_PUT = "owner:put", &[CHAT], Whom => Person;
        /// Leave at once, without the grace.
        EXIT = "exit", &[CHAT], () => ();
        /// I am typing, or stopped. Not acknowledged.
        TYPING = "typing", &[CHAT], bool;
    }
}
