//! What happened, for everybody whom it concerns, on whichever edge and node they are.

use super::{Message, Person, PersonId, RoomId, RoomSummary, Seq};

/// Something that happened and is stored.
#[derive(Debug, Clone)]
pub enum Event {
    /// A room was made.
    RoomOpened(RoomId),
    /// A room's count, title, owner or lock may have changed: look it up.
    RoomChanged(RoomId),
    /// A room is gone; the last word about it.
    RoomClosed(RoomId),
    /// Somebody came in.
    Joined {
        /// The stored system message, which names the person.
        message: Message,
        /// The message before it that everybody sees.
        prev: Seq,
        /// How many people are there now.
        count: u32,
    },
    /// Somebody is gone for good.
    Left {
        /// The stored system message, which names the person.
        message: Message,
        /// The message before it that everybody sees.
        prev: Seq,
        /// How many people are there now.
        count: u32,
    },
    /// Somebody said something: to everybody, or to one person if it is a whisper.
    Said {
        /// The stored message.
        message: Message,
        /// The message before it that everybody sees.
        prev: Seq,
    },
    /// A message was deleted.
    Emptied {
        /// What is left of it.
        message: Message,
    },
    /// Somebody was removed. That they are gone is told as [`Event::Left`] besides.
    Kicked {
        /// From which room.
        room: RoomId,
        /// Who.
        person: PersonId,
        /// By whom.
        by: Person,
    },
    /// The owner changed the room: as it is now, for those in it.
    RoomUpdated(RoomSummary),
    /// Another person owns the room now.
    OwnerChanged {
        /// Which room.
        room: RoomId,
        /// Its new owner.
        owner: Person,
    },
    /// Somebody is typing, or stopped.
    Typing {
        /// Where.
        room: RoomId,
        /// Who.
        person: Person,
        /// Whether they are.
        typing: bool,
    },
    /// This server is about to stop, or was taken for dead by the others: whoever is connected to it
    /// has to come back, to it or to another. Their seats wait for them. Concerns this node alone.
    Restarting,
    /// How far a room has got, for whoever missed something.
    Head {
        /// Which room.
        room: RoomId,
        /// The newest message there that everybody sees.
        seq: Seq,
    },
}
