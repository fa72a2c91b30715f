//! Storage of rooms, messages, sessions and tokens.
//!
//! One trait in domain terms with two backends: [`sqlite`], an embedded file without setup, and
//! [`mongo`], for several nodes. `tests/store_contract.rs` tests both.
//!
//! Guarantees:
//!
//! - Each call is atomic. Of several visitors racing for the last seat, on any nodes, one gets it.
//! - The effect of a call that has returned survives a kill of the process.
//! - Refusals are values. After an [`Error`] the call may have taken effect, and may be retried.

mod identity;
pub mod mongo;
pub mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::try_join_all;

use crate::domain::{
    Capacity, Draft, EntryError, Gif, History, Message, NetworkHash, NodeId, OwnerActionError,
    PasswordHash, Person, PersonId, Room, RoomChange, RoomId, RoomSummary, RoomTitle, Seq,
    SocketId, Timestamp, TokenHash, TokenId, Window,
};

pub use identity::{SessionRow, TokenRow};

/// The store failed. The text is for the log, never for a visitor.
#[derive(Debug, thiserror::Error)]
#[error("the store failed: {0}")]
pub struct Error(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl Error {
    /// Wraps a backend's error.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }

    /// Copies of one error for every caller that shared the failed step.
    fn shared(self) -> impl Iterator<Item = Self> {
        let cause: Arc<dyn std::error::Error + Send + Sync> = self.0.into();
        std::iter::repeat_with(move || Self::new(cause.clone()))
    }
}

/// The result of a store call.
pub type Result<T> = std::result::Result<T, Error>;

/// A room to create. It has no seats; `created_at` starts its wait for the first visitor.
#[derive(Debug, Clone)]
pub struct NewRoom {
    /// Its id.
    pub id: RoomId,
    /// The title that the lobby lists.
    pub title: RoomTitle,
    /// The number of seats.
    pub max: Capacity,
    /// The visitor who creates it.
    pub owner: Person,
    /// The hash of the password that a newcomer must present.
    pub password: Option<PasswordHash>,
    /// When it is created.
    pub created_at: Timestamp,
}

/// A page of the lobby: rooms by number of people, descending, then newest first, then by id.
#[derive(Debug, Clone, Default)]
pub struct LobbyQuery {
    /// Only rooms whose title contains this text, ignoring case. Empty matches all.
    pub search: String,
    /// Number of rooms to skip.
    pub skip: usize,
    /// Largest number of rooms on the page.
    pub limit: usize,
}

/// The result of a [`LobbyQuery`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LobbyPage {
    /// The rooms of the page.
    pub rooms: Vec<RoomSummary>,
    /// Number of matching rooms over all pages.
    pub total: usize,
}

/// A request to take a seat, or to attach a connection to an existing seat.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The room.
    pub room: RoomId,
    /// The visitor, with the name of their session.
    pub person: Person,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaveReason {
    /// Immediately, with every connection of the seat.
    Now,
    /// Only if its person has been away since this time or earlier.
    IfAwaySince(Timestamp),
    /// Immediately; its person and the seat's network are banned from the room.
    Kicked,
}

/// The outcome of giving up a seat.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "it is looked at once, and never kept")]
pub enum LeaveOutcome {
    /// There is no such seat, or its person has not been away long enough.
    Stayed,
    /// The person left a room that has others; an owner is succeeded by [`Room::owner_after`].
    Left {
        /// Who they were.
        person: Person,
        /// The room without them.
        room: Room,
        /// Whether the room has a new owner.
        new_owner: bool,
    },
    /// The last person left, and the room was removed. Its messages stay until [`Store::purge`].
    Closed {
        /// Who they were.
        person: Person,
    },
}

/// The condition for removing a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// Unconditionally, even if it has people.
    Always,
    /// Only if nobody has entered it since its creation at this time or earlier.
    IfUnusedSince(Timestamp),
}

/// Why a draft was not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppendError {
    /// There is no such room, or no longer.
    NoSuchRoom,
    /// The author has no seat in the room.
    NotInRoom,
    /// The recipient of the whisper has no seat in the room.
    NotHere,
}

/// The outcome of one draft.
#[derive(Debug, Clone)]
pub enum Appended {
    /// The message is stored.
    Stored {
        /// The stored message.
        message: Message,
        /// The number of the previous public message of the room.
        prev: Seq,
    },
    /// The author already sent this message, by its client id: the stored one.
    Already(Message),
    /// The message was rejected.
    AppendError(AppendError),
}

/// A room before and after a change by its owner.
#[derive(Debug, Clone)]
pub struct Changed {
    /// Before the change.
    pub before: Room,
    /// After the change.
    pub after: Room,
}

/// The outcome of deleting a message.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "it is looked at once, and never kept")]
pub enum DeleteOutcome {
    /// The message was deleted.
    Deleted {
        /// The message without its text or GIF.
        message: Message,
        /// The GIF, if no other message of the room shows it.
        unused: Option<Gif>,
    },
    /// There is no such message, or the person may not see it.
    NoSuchMessage,
    /// The person may not delete it.
    NotTheirs,
}

/// The outcome of [`Store::trim`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trimmed {
    /// GIFs of the removed messages that no remaining message of the room shows.
    pub unused: Vec<Gif>,
    /// Whether more messages are left to trim.
    pub more: bool,
}

/// The storage interface. The module lists the guarantees of every call.
#[async_trait]
pub trait Store: std::fmt::Debug + Send + Sync + 'static {
    /// Creates a room unless `at_most` exist; says whether. Each node may exceed that by one.
    async fn open(&self, room: NewRoom, at_most: usize) -> Result<bool>;

    /// A room with its seats.
    async fn room(&self, id: &RoomId) -> Result<Option<Room>>;

    /// A page of the lobby.
    async fn lobby(&self, query: LobbyQuery) -> Result<LobbyPage>;

    /// Summaries of the rooms with these ids that exist, in any order.
    async fn summaries(&self, ids: Vec<RoomId>) -> Result<Vec<RoomSummary>>;

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

    /// Gives up a seat. The last one removes the room in the same atomic step.
    async fn depart(
        &self,
        room: &RoomId,
        person: &PersonId,
        departing: LeaveReason,
    ) -> Result<LeaveOutcome>;

    /// Removes a room; returns whether it did. Its messages stay until [`Store::purge`].
    async fn close(&self, room: &RoomId, closing: Closing) -> Result<bool>;

    /// Passes a room whose owner has no seat to the person there longest, if there is any.
    async fn replace_absent_owner(&self, room: &RoomId) -> Result<Option<Person>>;

    /// Changes a room, if [`Room::may_change`] allows it.
    async fn change(
        &self,
        room: &RoomId,
        by: &PersonId,
        change: RoomChange,
    ) -> Result<std::result::Result<Changed, OwnerActionError>>;

    /// Passes a room to a person in it, if [`Room::handed_over`] allows it.
    async fn hand_over(
        &self,
        room: &RoomId,
        from: &PersonId,
        to: &PersonId,
    ) -> Result<std::result::Result<Room, OwnerActionError>>;

    /// Deletes a message's content, if [`Message::deleted_by`] allows it. Idempotent.
    async fn delete_message(
        &self,
        room: &RoomId,
        seq: Seq,
        who: &PersonId,
        owner: bool,
    ) -> Result<DeleteOutcome>;

    /// Stores messages of one room in one commit; returns their outcomes in the same order. Their
    /// numbers increase; rejected messages may leave gaps.
    async fn append(&self, room: &RoomId, drafts: Vec<Draft>) -> Result<Vec<Appended>>;

    /// The number of the newest public message, 0 before the first; `None` without a room.
    async fn latest_public_seq(&self, room: &RoomId) -> Result<Option<Seq>>;

    /// A window of a room's messages, as `viewer` sees it.
    async fn history(&self, room: &RoomId, viewer: &PersonId, window: Window) -> Result<History>;

    /// [`Store::history`] for several viewers, in their order.
    async fn histories(
        &self,
        room: &RoomId,
        viewers: &[PersonId],
        window: Window,
    ) -> Result<Vec<History>> {
        try_join_all(viewers.iter().map(|viewer| self.history(room, viewer, window))).await
    }

    /// Removes up to `at_most` of the oldest messages with numbers up to `up_to`. Idempotent.
    async fn trim(&self, room: &RoomId, up_to: Seq, at_most: usize) -> Result<Trimmed>;

    /// Removes the messages of a removed room. Idempotent; does nothing if the room exists.
    async fn purge(&self, room: &RoomId) -> Result<()>;

    /// Rooms with a person away since `away_since` or earlier, and rooms that nobody entered,
    /// created at `unused_since` or earlier.
    async fn overdue(&self, away_since: Timestamp, unused_since: Timestamp) -> Result<Vec<RoomId>>;

    /// Removed rooms that still have messages, because a purge was interrupted.
    async fn orphans(&self) -> Result<Vec<RoomId>>;

    /// Records that a node is alive at `at`. Returns whether it already had a row.
    async fn heartbeat(&self, node: &NodeId, at: Timestamp) -> Result<bool>;

    /// Detaches every connection of dead nodes, as by [`Store::drop_socket`] at `at`, and removes
    /// their rows. A node is dead if it has no row or its last heartbeat is not after
    /// `seen_before`; `alive` is never dead.
    async fn reap_dead_nodes(
        &self,
        alive: &NodeId,
        seen_before: Timestamp,
        at: Timestamp,
    ) -> Result<()>;

    /// Removes a stopping node and its connections, as [`Store::reap_dead_nodes`] does.
    async fn retire(&self, node: &NodeId, at: Timestamp) -> Result<()>;

    /// Stores a new session unless its key is taken; returns whether it did.
    async fn create_session(&self, session: SessionRow) -> Result<bool>;

    /// Stores a session, replacing or recreating its record.
    async fn save_session(&self, session: SessionRow) -> Result<()>;

    /// A session that has not expired at `now`.
    async fn session(&self, key: &str, now: Timestamp) -> Result<Option<SessionRow>>;

    /// The keys whose sessions are gone or expired at `now`.
    async fn ended_sessions(&self, keys: Vec<Arc<str>>, now: Timestamp) -> Result<Vec<Arc<str>>>;

    /// Extends an existing session to expire no earlier than `until`.
    async fn prolong_session(&self, key: &str, until: Timestamp) -> Result<()>;

    /// Deletes a session and the tokens it created.
    async fn delete_session(&self, key: &str) -> Result<()>;

    /// Removes sessions and tokens that have expired at `now`.
    async fn delete_expired_sessions(&self, now: Timestamp) -> Result<()>;

    /// Stores a new token unless its session has `at_most` unexpired ones; says whether. Each node
    /// may exceed that by one.
    async fn create_token(&self, token: TokenRow, at_most: usize) -> Result<bool>;

    /// A token that has not expired at `now`.
    async fn token(&self, hash: &TokenHash, now: Timestamp) -> Result<Option<TokenRow>>;

    /// The unexpired tokens of a session at `now`, oldest first.
    async fn tokens(&self, session: &str, now: Timestamp) -> Result<Vec<TokenRow>>;

    /// The tokens that are gone or expired at `now`.
    async fn ended_tokens(&self, ids: Vec<TokenId>, now: Timestamp) -> Result<Vec<TokenId>>;

    /// Deletes one token of a session, or all of them; returns how many.
    async fn delete_tokens(&self, session: &str, only: Option<&TokenId>) -> Result<usize>;

    /// The rooms in which a person has a seat, ordered by id.
    async fn rooms_of(&self, person: &PersonId) -> Result<Vec<Room>>;

    /// Whether the store answers.
    async fn ready(&self) -> Result<()>;
}
