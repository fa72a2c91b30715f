//! Messages: appending, deleting, reading and trimming them.

use async_trait::async_trait;
use futures_util::future::try_join_all;

use super::Result;
use crate::domain::{AppendError, Draft, Gif, History, Message, PersonId, RoomId, Seq, Window};

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

/// The outcome of [`MessageStore::trim`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trimmed {
    /// GIFs of the removed messages that no remaining message of the room shows.
    pub unused: Vec<Gif>,
    /// Whether more messages are left to trim.
    pub more: bool,
}

/// Messages and histories.
#[async_trait]
pub trait MessageStore: Send + Sync {
    /// Whether any message of the room shows this GIF.
    async fn shows(&self, room: &RoomId, gif: &Gif) -> Result<bool>;

    /// Stores messages of one room in one commit; returns their outcomes in the same order. Their
    /// numbers increase; rejected messages may leave gaps.
    async fn append(&self, room: &RoomId, drafts: Vec<Draft>) -> Result<Vec<Appended>>;

    /// Deletes a message's content, if [`Message::deleted_by`] allows it. Idempotent.
    async fn delete_message(
        &self,
        room: &RoomId,
        seq: Seq,
        who: &PersonId,
        owner: bool,
    ) -> Result<DeleteOutcome>;

    /// The number of the newest public message, 0 before the first; `None` without a room.
    async fn latest_public_seq(&self, room: &RoomId) -> Result<Option<Seq>>;

    /// A window of a room's messages, as `viewer` sees it.
    async fn history(&self, room: &RoomId, viewer: &PersonId, window: Window) -> Result<History>;

    /// [`Self::history`] for several viewers, in their order.
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

    /// Removes the messages and passes of a removed room. Idempotent; does nothing if the room exists.
    async fn purge(&self, room: &RoomId) -> Result<()>;

    /// Removed rooms that still have messages or passes, because a purge was interrupted.
    async fn orphans(&self) -> Result<Vec<RoomId>>;
}
