//! Where rooms, messages, sessions and tokens are kept.
//!
//! One small contract, in the words of the domain, with two backends: [`sqlite`], one file and
//! nothing to set up, and [`mongo`], for many nodes. `tests/store_contract.rs` holds both to it.
//!
//! What every backend promises:
//!
//! - Each call is one atomic step. Of any number of people who race for the last place, on any
//!   number of nodes, one gets it.
//! - What a call has returned is durable: it is there after the process is killed.
//! - Refusals are values. An [`Error`] means that the store itself is in trouble; then nothing is
//!   known about the step but that it may be tried again.

mod identity;
pub mod mongo;
pub mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::try_join_all;

use crate::domain::{
    Capacity, Draft, Gif, History, Message, NetworkHash, NodeId, PasswordHash, Person, PersonId,
    Refusal, Room, RoomChange, RoomId, RoomSummary, RoomTitle, Seq, SocketId, Timestamp, TokenHash,
    TokenId, Undone, Window,
};

pub use identity::{SessionRow, TokenRow};

/// The store is in trouble. Its words are for the log, never for a visitor.
#[derive(Debug, thiserror::Error)]
#[error("the store failed: {0}")]
pub struct Error(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl Error {
    /// Wraps what the backend said.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }

    /// The same for each of several who waited for one step.
    fn shared(self) -> impl Iterator<Item = Self> {
        let cause: Arc<dyn std::error::Error + Send + Sync> = self.0.into();
        std::iter::repeat_with(move || Self::new(cause.clone()))
    }
}

/// What a store answers.
pub type Result<T> = std::result::Result<T, Error>;

/// A room about to be made. It has no people, and waits for its first from `created_at` on.
#[derive(Debug, Clone)]
pub struct NewRoom {
    /// Its id.
    pub id: RoomId,
    /// What it is listed under.
    pub title: RoomTitle,
    /// How many people fit in.
    pub max: Capacity,
    /// Who makes it.
    pub owner: Person,
    /// What a newcomer must know.
    pub password: Option<PasswordHash>,
    /// When it is made.
    pub created_at: Timestamp,
}

/// A page of the lobby: the rooms with the most people first, among equals the newest, then by id.
#[derive(Debug, Clone, Default)]
pub struct LobbyQuery {
    /// Only rooms whose title holds this, in whatever case. Empty: all.
    pub search: String,
    /// How many rooms to pass over.
    pub skip: usize,
    /// How many rooms at most.
    pub limit: usize,
}

/// What a [`LobbyQuery`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LobbyPage {
    /// The rooms of the page.
    pub rooms: Vec<RoomSummary>,
    /// How many rooms match in all.
    pub total: usize,
}

/// Somebody about to take a seat, or to connect to the one they have.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where.
    pub room: RoomId,
    /// Who, as their session calls them.
    pub person: Person,
    /// The connection that will hold the seat.
    pub socket: SocketId,
    /// The server that holds the connection.
    pub node: NodeId,
    /// The hash of the password that they have shown to know: it must still be the room's.
    pub passed: Option<PasswordHash>,
    /// The network they come from, where a kick shuts that out, too.
    pub network: Option<NetworkHash>,
    /// When.
    pub at: Timestamp,
}

/// What came of an [`Entry`].
#[derive(Debug, Clone)]
pub enum Entering {
    /// They took a free place, under the name that [`Room::name_for`] gives.
    Newcomer {
        /// Who they are here.
        person: Person,
        /// The room with them in it.
        room: Room,
    },
    /// They had a seat, away or in another tab, and this connection joined it.
    Returned {
        /// Who they are here.
        person: Person,
        /// The room with them in it.
        room: Room,
    },
    /// They may not come in, for the first reason of [`Room::admit`].
    Refused(Refusal),
}

/// What became of a seat whose connection went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// Another connection still holds it.
    StillThere,
    /// It was the last: the person is away from now on.
    Away,
    /// No seat had that connection.
    Unknown,
}

/// How a seat is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departing {
    /// At once, with every connection that holds it.
    Now,
    /// Only if its person has been away since this moment or before.
    IfAwaySince(Timestamp),
    /// At once, and its person may not come back, nor anybody from the seat's network.
    Kicked,
}

/// What came of giving up a seat.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "it is looked at once, and never kept")]
pub enum Departure {
    /// There was no such seat, or its person is not away for long enough.
    Stayed,
    /// They are gone, others are there; if they owned the room, [`Room::owner_after`] does now.
    Left {
        /// Who they were.
        person: Person,
        /// The room without them.
        room: Room,
        /// Whether it has a new owner.
        new_owner: bool,
    },
    /// They were the last, and the room is gone with them. Its messages are not yet: [`Store::purge`].
    Closed {
        /// Who they were.
        person: Person,
    },
}

/// When to remove a room, whatever its seats say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// Whoever is there.
    Always,
    /// Only if nobody has ever come, and it has waited since this moment or before.
    IfUnusedSince(Timestamp),
}

/// Why a draft was not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsaid {
    /// There is no such room, or no longer.
    NoSuchRoom,
    /// Its author has no seat there.
    NotInRoom,
    /// The person it is whispered to has no seat there.
    NotHere,
}

/// What became of one draft.
#[derive(Debug, Clone)]
pub enum Appended {
    /// It is stored.
    Stored {
        /// As stored.
        message: Message,
        /// The room's message before it that everybody sees.
        prev: Seq,
    },
    /// The same person has said it before in this room, by its client's id.
    Already(Message),
    /// It is not stored.
    Unsaid(Unsaid),
}

/// A room before and after its owner changed it.
#[derive(Debug, Clone)]
pub struct Changed {
    /// As it was.
    pub before: Room,
    /// As it is.
    pub after: Room,
}

/// What came of deleting a message.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "it is looked at once, and never kept")]
pub enum Emptying {
    /// What is left of it, and the GIF that no message of the room shows any more.
    Emptied {
        /// Without its words or its GIF.
        message: Message,
        /// Whose files are not needed any more.
        unused: Option<Gif>,
    },
    /// There is no such message, or none that they may see.
    NoSuchMessage,
    /// It is not theirs to delete.
    NotTheirs,
}

/// What came of [`Store::trim`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trimmed {
    /// The GIFs of what went that no message of the room shows any more.
    pub unused: Vec<Gif>,
    /// Whether there are more that are too old.
    pub more: bool,
}

/// The contract. See the module for what holds of every call.
#[async_trait]
pub trait Store: std::fmt::Debug + Send + Sync + 'static {
    /// Makes a room, unless there are already `at_most`; says whether it did. (Several nodes that
    /// make rooms at the same moment may go over by as many as they are.)
    async fn open(&self, room: NewRoom, at_most: usize) -> Result<bool>;

    /// A room with its seats.
    async fn room(&self, id: &RoomId) -> Result<Option<Room>>;

    /// A page of the lobby.
    async fn lobby(&self, query: LobbyQuery) -> Result<LobbyPage>;

    /// The rooms of these ids that exist, in any order.
    async fn summaries(&self, ids: Vec<RoomId>) -> Result<Vec<RoomSummary>>;

    /// Takes a seat, or connects to the one this person has, if [`Room::admit`] allows it.
    /// The same socket entering twice is there once.
    async fn enter(&self, entry: Entry) -> Result<Entering>;

    /// A connection went. Its seat stays; if it was the seat's last, its person is away from `at`.
    async fn drop_socket(
        &self,
        room: &RoomId,
        person: &PersonId,
        socket: &SocketId,
        at: Timestamp,
    ) -> Result<Dropped>;

    /// Gives up a seat. The last one takes the room with it, in the same step: nobody can come in
    /// between.
    async fn depart(
        &self,
        room: &RoomId,
        person: &PersonId,
        departing: Departing,
    ) -> Result<Departure>;

    /// Removes a room, and says whether it did. Its messages stay until [`Store::purge`].
    async fn close(&self, room: &RoomId, closing: Closing) -> Result<bool>;

    /// Gives an owner that nobody has seen come in, or that is gone, up for whoever has been
    /// there longest. `None` when the owner has a seat or nobody does.
    async fn replace_absent_owner(&self, room: &RoomId) -> Result<Option<Person>>;

    /// Changes a room, if [`Room::may_change`] allows it.
    async fn change(
        &self,
        room: &RoomId,
        by: &PersonId,
        change: RoomChange,
    ) -> Result<std::result::Result<Changed, Undone>>;

    /// Gives a room to somebody in it, if [`Room::handed_over`] allows it; the room with its new owner.
    async fn hand_over(
        &self,
        room: &RoomId,
        from: &PersonId,
        to: &PersonId,
    ) -> Result<std::result::Result<Room, Undone>>;

    /// Deletes what a message says, if [`Message::emptied_by`] allows it to `who`, who owns the room or
    /// does not. Can be repeated.
    async fn empty(&self, room: &RoomId, seq: Seq, who: &PersonId, owner: bool)
    -> Result<Emptying>;

    /// Stores messages of one room, all in one commit, in this order, and answers for each in
    /// this order. The numbers they get rise; those that were not stored may leave gaps.
    async fn append(&self, room: &RoomId, drafts: Vec<Draft>) -> Result<Vec<Appended>>;

    /// The number of the newest message that everybody sees, 0 before the first; `None` without such a room.
    async fn head(&self, room: &RoomId) -> Result<Option<Seq>>;

    /// A stretch of a room's messages, as `viewer` sees it.
    async fn history(&self, room: &RoomId, viewer: &PersonId, window: Window) -> Result<History>;

    /// The same for several viewers, in their order.
    async fn histories(
        &self,
        room: &RoomId,
        viewers: &[PersonId],
        window: Window,
    ) -> Result<Vec<History>> {
        try_join_all(viewers.iter().map(|viewer| self.history(room, viewer, window))).await
    }

    /// Removes the oldest messages of a room, up to a number and `at_most` so many at once. Can be repeated.
    async fn trim(&self, room: &RoomId, up_to: Seq, at_most: usize) -> Result<Trimmed>;

    /// Removes the messages of a room that is gone. Can be repeated; leaves a room that exists alone.
    async fn purge(&self, room: &RoomId) -> Result<()>;

    /// Rooms with something overdue: somebody away since `away_since` or before, or nobody ever
    /// in and waiting since `unused_since` or before.
    async fn overdue(&self, away_since: Timestamp, unused_since: Timestamp) -> Result<Vec<RoomId>>;

    /// Rooms that are gone but have messages left: a clean-up was cut short.
    async fn orphans(&self) -> Result<Vec<RoomId>>;

    /// This node is alive at `at`. Says whether it was known: one that was not has been taken for
    /// dead, or is new.
    async fn beat(&self, node: &NodeId, at: Timestamp) -> Result<bool>;

    /// Frees what dead nodes held: every connection of a node that has not beaten after
    /// `seen_before` goes, as by [`Store::drop_socket`] at `at`, and its row with it. A node with
    /// no row at all counts as dead, `alive` never does.
    async fn bury_nodes(&self, alive: &NodeId, seen_before: Timestamp, at: Timestamp)
    -> Result<()>;

    /// This node stops: its connections go as in [`Store::bury_nodes`], and so does its row.
    async fn retire(&self, node: &NodeId, at: Timestamp) -> Result<()>;

    /// Keeps a new session, unless its key is taken; says whether it did.
    async fn create_session(&self, session: SessionRow) -> Result<bool>;

    /// Keeps a session, as it is now. One that is gone comes back.
    async fn save_session(&self, session: SessionRow) -> Result<()>;

    /// A session that has not expired at `now`.
    async fn session(&self, key: &str, now: Timestamp) -> Result<Option<SessionRow>>;

    /// Those of these keys whose sessions are gone or have expired at `now`.
    async fn ended_sessions(&self, keys: Vec<Arc<str>>, now: Timestamp) -> Result<Vec<Arc<str>>>;

    /// Lets a session that is there end no earlier than this.
    async fn prolong_session(&self, key: &str, until: Timestamp) -> Result<()>;

    /// Ends a session, and the tokens that it made.
    async fn delete_session(&self, key: &str) -> Result<()>;

    /// Removes sessions and tokens that have expired at `now`.
    async fn delete_expired_sessions(&self, now: Timestamp) -> Result<()>;

    /// Keeps a new token, unless its session has `at_most` that have not expired when it is made; says whether
    /// it did. (Several nodes at the same moment may go over by as many as they are.)
    async fn create_token(&self, token: TokenRow, at_most: usize) -> Result<bool>;

    /// A token that has not expired at `now`.
    async fn token(&self, hash: &TokenHash, now: Timestamp) -> Result<Option<TokenRow>>;

    /// The tokens that a session made and that have not expired at `now`, in the order in which they were made.
    async fn tokens(&self, session: &str, now: Timestamp) -> Result<Vec<TokenRow>>;

    /// Those of these tokens that are gone or have expired at `now`.
    async fn ended_tokens(&self, ids: Vec<TokenId>, now: Timestamp) -> Result<Vec<TokenId>>;

    /// Removes a token of a session, or all of them; says how many it removed.
    async fn delete_tokens(&self, session: &str, only: Option<&TokenId>) -> Result<usize>;

    /// The rooms in which somebody has a seat, in the order of their ids.
    async fn rooms_of(&self, person: &PersonId) -> Result<Vec<Room>>;

    /// Whether the store answers.
    async fn ready(&self) -> Result<()>;
}
