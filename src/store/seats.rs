//! Seats: entering, disconnecting and leaving.

use async_trait::async_trait;

use super::Result;
use crate::domain::{
    EntryError, NetworkHash, NodeId, OwnerActionError, PasswordHash, Person, PersonId, Room,
    RoomId, SocketId, Timestamp,
};

/// A request to take a seat, or to attach a connection to an existing seat.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The room.
    pub room: RoomId,
    /// The visitor, with the name of their session.
    pub person: Person,
    /// Who made the visitor, if it is a bot. A ban of its maker bans it.
    pub maker: Option<PersonId>,
    /// The connection that will hold the seat.
    pub socket: SocketId,
    /// The node that holds the connection.
    pub node: NodeId,
    /// The hash of the password that the visitor presented; it must still be the room's.
    pub passed: Option<PasswordHash>,
    /// The visitor's network, if a kick also bans networks.
    pub network: Option<NetworkHash>,
    /// The time of the request.
    pub at: Timestamp,
}

/// The outcome of an [`Entry`].
#[derive(Debug, Clone)]
pub enum EnterOutcome {
    /// The visitor took a free seat, under the name that [`Room::name_for`] gives.
    Newcomer {
        /// Who they are here.
        person: Person,
        /// The room with them in it.
        room: Room,
    },
    /// The visitor already had a seat, and the connection was attached to it.
    Returned {
        /// Who they are here.
        person: Person,
        /// The room with them in it.
        room: Room,
    },
    /// The visitor may not enter, for the first reason that [`Room::admit`] finds.
    Refused(EntryError),
}

/// The outcome of a closed connection for its seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisconnectOutcome {
    /// Another connection of the same seat is open.
    StillThere,
    /// It was the seat's last connection: the person is away from now on.
    Away,
    /// No seat held that connection.
    Unknown,
}

/// Why a seat is given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaveReason {
    /// Immediately, with every connection of the seat.
    Now,
    /// Only if its person has been away since this time or earlier.
    IfAwaySince(Timestamp),
    /// Immediately, if the room belongs to this person; the seat's person and network are banned
    /// from the room.
    KickedBy(PersonId),
}

/// The outcome of giving up a seat.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "it is looked at once, and never kept")]
pub enum LeaveOutcome {
    /// There is no such seat, or its person has not been away long enough.
    Stayed,
    /// The room belongs to somebody else than the one who wants to remove a person.
    NotOwner,
    /// The person left a room that has others; an owner is succeeded by [`Room::owner_after`].
    Left {
        /// Who they were.
        person: Person,
        /// The room without them.
        room: Room,
        /// Whether the room has a new owner.
        new_owner: bool,
    },
    /// The last person left, and the room was removed, with the bots in it ([`Room::ends_with`]).
    /// Its messages stay until
    /// [`MessageStore::purge`].
    Closed {
        /// Who they were.
        person: Person,
    },
}

/// Seats, and whose room it is.
#[async_trait]
pub trait SeatStore: Send + Sync {
    /// Takes a seat, or attaches the connection to the person's own, if [`Room::admit`] allows it.
    /// Idempotent for each socket.
    async fn enter(&self, entry: Entry) -> Result<EnterOutcome>;

    /// Detaches a connection. If it was its seat's last, the person is away from `at`.
    async fn drop_socket(
        &self,
        room: &RoomId,
        person: &PersonId,
        socket: &SocketId,
        at: Timestamp,
    ) -> Result<DisconnectOutcome>;

    /// Gives up a seat. The last person's removes the room in the same atomic step.
    async fn depart(
        &self,
        room: &RoomId,
        person: &PersonId,
        departing: LeaveReason,
    ) -> Result<LeaveOutcome>;

    /// Passes a room whose owner has no seat to the person there longest, if there is any.
    async fn replace_absent_owner(&self, room: &RoomId) -> Result<Option<Person>>;

    /// Passes a room to a person in it, if [`Room::handed_over`] allows it.
    async fn hand_over(
        &self,
        room: &RoomId,
        from: &PersonId,
        to: &PersonId,
    ) -> Result<std::result::Result<Room, OwnerActionError>>;
}
