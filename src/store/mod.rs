//! Storage of rooms, messages, sessions and tokens.
//!
//! [`Store`] combines one trait for each kind of record, in domain terms. It has two backends:
//! [`sqlite`], an embedded file without setup, and [`mongo`], for several nodes. Each backend
//! implements a trait beside its queries. `tests/store_contract` tests both.
//!
//! Guarantees:
//!
//! - Each call is atomic. Of several visitors racing for the last seat, on any nodes, one gets it.
//! - The effect of a call that has returned survives a kill of the process.
//! - Refusals are values. After an [`Error`] the call may have taken effect, and may be retried.

mod identity;
mod messages;
pub mod mongo;
mod rooms;
mod seats;
pub mod sqlite;

use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;

use crate::domain::{NodeId, StoreId, Timestamp};

pub use identity::{SessionRow, SessionStore, TokenRow, TokenStore};
pub use messages::{Appended, DeleteOutcome, MessageStore, Trimmed};
pub use rooms::{Changed, Closing, LobbyPage, LobbyQuery, NewRoom, RoomStore};
pub use seats::{DisconnectOutcome, EnterOutcome, Entry, LeaveOutcome, LeaveReason, SeatStore};

/// The store failed. The text is for the log, never for a visitor.
#[derive(Debug, thiserror::Error)]
#[error("the store failed: {cause}")]
pub struct Error {
    #[source]
    cause: Box<dyn std::error::Error + Send + Sync>,
    is_away: bool,
}

impl Error {
    /// Wraps a backend's error.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { cause: cause.into(), is_away: false }
    }

    /// The same for a database that does not answer, and may do so later.
    pub fn away(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { cause: cause.into(), is_away: true }
    }

    /// Whether the database did not answer. It may do so later, with the same settings.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.is_away
    }

    /// Copies of one error for every caller that shared the failed step.
    fn shared(self) -> impl Iterator<Item = Self> {
        let Self { cause, is_away } = self;
        let cause: Arc<dyn std::error::Error + Send + Sync> = cause.into();
        std::iter::repeat_with(move || Self { cause: cause.clone().into(), is_away })
    }
}

/// The result of a store call.
pub type Result<T> = std::result::Result<T, Error>;

/// Nodes: the servers that share this store.
#[async_trait]
pub trait NodeStore: Send + Sync {
    /// Prepares the database for this version, and returns the store's id, which the first
    /// preparation draws. Called before every other call; can be repeated.
    async fn prepare(&self) -> Result<StoreId>;

    /// Records that a node is alive at `at`. Returns whether it already had a row.
    async fn heartbeat(&self, node: &NodeId, at: Timestamp) -> Result<bool>;

    /// Detaches every connection of dead nodes, as by [`SeatStore::drop_socket`] at `at`, and
    /// removes their rows. A node is dead if it has no row or its last heartbeat is not after
    /// `seen_before`; `alive` is never dead.
    async fn reap_dead_nodes(
        &self,
        alive: &NodeId,
        seen_before: Timestamp,
        at: Timestamp,
    ) -> Result<()>;

    /// Sets times of seats, of rooms that wait for their first person, and of heartbeats to `now` if
    /// they are after `latest`: the clock has been set back since. Idempotent.
    async fn clamp_times(&self, latest: Timestamp, now: Timestamp) -> Result<()>;

    /// Removes a stopping node and its connections, as [`Self::reap_dead_nodes`] does.
    async fn retire(&self, node: &NodeId, at: Timestamp) -> Result<()>;

    /// Whether the store answers.
    async fn ready(&self) -> Result<()>;
}

/// A complete store. The module lists the guarantees of every call.
pub trait Store:
    RoomStore + SeatStore + MessageStore + SessionStore + TokenStore + NodeStore + Debug + 'static
{
}

impl<T> Store for T where
    T: RoomStore
        + SeatStore
        + MessageStore
        + SessionStore
        + TokenStore
        + NodeStore
        + Debug
        + 'static
{
}
