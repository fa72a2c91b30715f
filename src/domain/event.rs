//! Events: stored changes, published to every connection that they concern, on all nodes.

use super::{Message, Person, PersonId, RoomId, RoomSummary, Seq};

/// A change that is stored.
#[derive(Debug, Clone)]
pub enum Event {
    /// A room was opened.
    RoomOpened(RoomId),
    /// A room's count, title, owner or lock may have changed. Receivers read the room again.
    RoomChanged(RoomId),
    /// A room is closed. It is the last event of a room.
    RoomClosed(RoomId),
    /// A person entered.
    Joined {
        /// The stored system message, which names the person.
        message: Message,
        /// The `seq` of the public message before it.
        prev: Seq,
        /// Number of people in the room now.
        count: u32,
    },
    /// A person left and gave up their seat.
    Left {
        /// The stored system message, which names the person.
        message: Message,
        /// The `seq` of the public message before it.
        prev: Seq,
        /// Number of people in the room now.
        count: u32,
    },
    /// A message was sent: to everybody, or to one person if it is a whisper.
    Posted {
        /// The stored message.
        message: Message,
        /// The `seq` of the public message before it.
        prev: Seq,
    },
    /// A message was deleted.
    Deleted {
        /// The remains of the message.
        message: Message,
    },
    /// The owner removed a person. [`Event::Left`] follows.
    Kicked {
        /// The room.
        room: RoomId,
        /// The person.
        person: PersonId,
        /// The owner who removed them.
        by: Person,
    },
    /// The owner changed the room. Holds its new state, for the people in it.
    RoomUpdated(RoomSummary),
    /// The room has a new owner.
    OwnerChanged {
        /// The room.
        room: RoomId,
        /// The new owner.
        owner: Person,
    },
    /// A person is typing or has stopped.
    Typing {
        /// The room.
        room: RoomId,
        /// The person.
        person: Person,
        /// Whether they are typing.
        typing: bool,
    },
    /// This node is about to stop, or the other nodes declared it dead. Its clients must reconnect,
    /// to any node, and keep their seats for the grace. Delivered on this node only.
    Restarting,
    /// A room's newest public `seq`, so that clients notice missed messages.
    Head {
        /// The room.
        room: RoomId,
        /// The `seq` of the newest public message.
        seq: Seq,
    },
}

/// The connections whose part in a room an event ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended<'a> {
    /// Those of one person.
    Seat {
        /// The room.
        room: &'a RoomId,
        /// The person.
        person: &'a PersonId,
    },
    /// All of a room.
    Room(&'a RoomId),
}

impl Event {
    /// The connections whose part in a room ends with this event. They receive it.
    #[must_use]
    pub fn ends(&self) -> Option<Ended<'_>> {
        match self {
            Self::Left { message, .. } => {
                Some(Ended::Seat { room: &message.room, person: &message.by.id })
            }
            Self::Kicked { room, person, .. } => Some(Ended::Seat { room, person }),
            Self::RoomClosed(room) => Some(Ended::Room(room)),
            Self::RoomOpened(_)
            | Self::RoomChanged(_)
            | Self::Joined { .. }
            | Self::Posted { .. }
            | Self::Deleted { .. }
            | Self::RoomUpdated(_)
            | Self::OwnerChanged { .. }
            | Self::Typing { .. }
            | Self::Restarting
            | Self::Head { .. } => None,
        }
    }
}
