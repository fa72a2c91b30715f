//! Message numbers of each room.
//!
//! The unique index on room and number allocates the numbers. A node inserts with the next number;
//! on a duplicate key it reads the new end and retries. This is optimistic concurrency control
//! (Kung and Robinson, "On Optimistic Methods for Concurrency Control", 1981).
//!
//! So a sequence has no gaps. An insertion that the database runs late, because its answer was lost
//! or its node was killed, either gets the next number at that time or fails; it never appears
//! before messages that were already broadcast.
//!
//! The cached ends may be stale, never wrong: a stale end causes a duplicate key and a retry.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;

use futures_util::TryStreamExt as _;
use moka::sync::Cache;
use mongodb::{
    Collection, Database,
    bson::{Document, doc},
};
use serde::Deserialize;
use tokio::{sync::Notify, time::sleep};
use tracing::warn;

use super::{
    chat_document::{ChatDocument, Numbered},
    connection::with_deadline,
};
use crate::{
    domain::{History, Message, RoomId, Seq, Window},
    store::{Error, Result},
};

/// Largest number of cached sequence ends, and how long one is cached after the last message.
const MAX_CACHED: u64 = 100_000;
const CACHE_TTL: Duration = Duration::from_secs(3_600);

/// Period in which every changed room document gets its sequence end. The rooms are spread over
/// slots, so that the updates do not delay appends in bursts.
const PERSIST_PERIOD: Duration = Duration::from_secs(5);
const PERSIST_SLOTS: u32 = 50;
/// Largest number of rooms updated with one command.
const PERSIST_BATCH: usize = 16;

/// The end of a room's message sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct SequenceEnd {
    /// The newest number; 0 before the first message.
    pub(super) seq: Seq,
    /// The newest number of a public message; 0 before the first.
    pub(super) head: Seq,
}

impl SequenceEnd {
    /// The later of two ends.
    pub(super) fn later_of(self, other: Self) -> Self {
        if other.seq > self.seq { other } else { self }
    }

    /// The end after one more message, which has the next number.
    pub(super) fn followed_by(self, message: &Message) -> Self {
        let head = if message.is_public() { message.seq } else { self.head };
        Self { seq: message.seq, head }
    }

    /// The projection of a room document that yields an end.
    pub(super) fn fields() -> Document {
        doc! { "_id": 0, "seq": 1, "head": 1 }
    }

    /// Reads the messages after this end, and returns the current end.
    pub(super) async fn refreshed(
        self,
        chats: &Collection<ChatDocument>,
        room: &RoomId,
    ) -> Result<Self> {
        let later = doc! { "room": room.as_str(), "seq": { "$gt": self.seq } };
        let numbered = chats.clone_with_type::<Numbered>();
        let later = numbered.find(later).projection(Numbered::fields()).sort(doc! { "seq": 1 });
        let ends = later.await?.try_fold(self, async |end, later| {
            let head = if later.is_public() { later.seq } else { end.head };
            Ok(Self { seq: later.seq, head })
        });
        Ok(ends.await?)
    }
}

/// Sequence ends of all rooms, as far as this node knows.
#[derive(Debug, Clone)]
pub(super) struct Sequences(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ends: Cache<RoomId, SequenceEnd>,
    /// First number of the running insertion of each room. Its messages may be visible to reads,
    /// and may still be rolled back.
    inserting: Mutex<HashMap<RoomId, Seq>>,
    /// Ends to be written to the room documents, by slot.
    unwritten: Mutex<HashMap<u64, HashMap<RoomId, SequenceEnd>>>,
    hasher: RandomState,
    changed: Notify,
}

impl Default for Sequences {
    fn default() -> Self {
        Self(Arc::new(Shared {
            ends: Cache::builder().max_capacity(MAX_CACHED).time_to_idle(CACHE_TTL).build(),
            inserting: Mutex::default(),
            unwritten: Mutex::default(),
            hasher: RandomState::new(),
            changed: Notify::new(),
        }))
    }
}

/// Marks an insertion in a room as running until it is dropped.
pub(super) struct InsertGuard {
    sequences: Sequences,
    room: RoomId,
}

impl Drop for InsertGuard {
    fn drop(&mut self) {
        self.sequences.0.inserting.lock().remove(&self.room);
    }
}

impl Sequences {
    /// The last known end of a room.
    pub(super) fn end(&self, room: &RoomId) -> Option<SequenceEnd> {
        self.0.ends.get(room)
    }

    /// Marks messages from `first` on as being inserted. A room has one insertion at a time.
    pub(super) fn insert(&self, room: &RoomId, first: Seq) -> InsertGuard {
        self.0.inserting.lock().insert(room.clone(), first);
        InsertGuard { sequences: self.clone(), room: room.clone() }
    }

    /// Removes messages of a running insertion from a history. They are broadcast once committed.
    pub(super) fn committed(&self, room: &RoomId, mut history: History, window: Window) -> History {
        if let Some(first) = self.0.inserting.lock().get(room).copied()
            && history.messages.last().is_some_and(|newest| newest.seq >= first)
        {
            history.messages.retain(|message| message.seq < first);
            history.more &= matches!(window, Window::Latest { .. }); // Only older ones remain.
        }
        history
    }

    /// Records that this node has stored all messages up to `end`.
    pub(super) fn advance(&self, room: &RoomId, end: SequenceEnd) {
        self.0.ends.insert(room.clone(), end);
        let mut unwritten = self.0.unwritten.lock();
        unwritten.entry(self.slot(room)).or_default().insert(room.clone(), end);
        self.0.changed.notify_one();
    }

    /// Forgets a removed room.
    pub(super) fn forget(&self, room: &RoomId) {
        self.0.ends.invalidate(room);
        if let Some(slot) = self.0.unwritten.lock().get_mut(&self.slot(room)) {
            slot.remove(room);
        }
    }

    /// The slot in which a room's document is updated.
    fn slot(&self, room: &RoomId) -> u64 {
        self.0.hasher.hash_one(room) % u64::from(PERSIST_SLOTS)
    }

    /// Writes the ends to the room documents, for admins and for nodes that have not cached a room.
    /// Runs until it is aborted.
    pub(super) async fn persist(self, database: Database) {
        for slot in (0..u64::from(PERSIST_SLOTS)).cycle() {
            if self.0.unwritten.lock().is_empty() {
                self.0.changed.notified().await;
            }
            sleep(PERSIST_PERIOD / PERSIST_SLOTS).await;
            let ends = self.0.unwritten.lock().remove(&slot).unwrap_or_default();
            let ends: Vec<(RoomId, SequenceEnd)> = ends.into_iter().collect();
            for batch in ends.chunks(PERSIST_BATCH) {
                if let Err(cause) = with_deadline(write(&database, batch)).await {
                    warn!(error = ?cause, "could not save sequence ends; will retry");
                    self.requeue(slot, batch);
                }
            }
        }
    }

    fn requeue(&self, slot: u64, ends: &[(RoomId, SequenceEnd)]) {
        let mut unwritten = self.0.unwritten.lock();
        let unwritten = unwritten.entry(slot).or_default();
        for (room, end) in ends {
            unwritten.entry(room.clone()).or_insert(*end);
        }
    }
}

/// Idempotent and commutative: several nodes may write ends concurrently, in any order.
async fn write(database: &Database, ends: &[(RoomId, SequenceEnd)]) -> Result<()> {
    let updates = ends.iter().map(|(room, SequenceEnd { seq, head })| {
        let latest = doc! { "$max": { "seq": seq, "head": head } };
        doc! { "q": { "_id": room.as_str() }, "u": latest }
    });
    let updates: Vec<Document> = updates.collect();
    let update = doc! { "update": "rooms", "updates": updates, "ordered": false };
    let outcome = database.run_command(update).await?;
    match outcome.get("writeErrors") {
        None => Ok(()),
        Some(errors) => Err(Error::new(errors.to_string())),
    }
}
