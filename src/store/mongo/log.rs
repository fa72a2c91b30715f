//! A room's log: which of its numbers is the newest.
//!
//! The unique index over rooms and numbers gives numbers out. Whoever inserts the number behind the newest
//! has it; whoever finds it taken was not the first, looks where the log ends by now, and tries again: the
//! optimistic way to append, as in "On Optimistic Methods for Concurrency Control" by Kung and Robinson,
//! 1981. So a log has no gaps, and an insertion that is carried out later than anybody knows, because its
//! answer was lost, the database was slow or the server that asked for it was killed, comes right behind
//! what is there by then, or not at all. It never appears behind others that were told already.
//!
//! What is remembered here of where logs end may be old, never wrong: then the next insertion says so.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

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
    connection::in_time,
};
use crate::{
    domain::{History, Message, RoomId, Seq, Window},
    store::{Error, Result},
};

/// Rooms of which it is remembered where their logs end, and for how long after the last message.
const MAX_KNOWN: u64 = 100_000;
const KNOWN_FOR: Duration = Duration::from_secs(3_600);

/// So often the rooms' own documents learn of it: each in its own part of that time, as what people say
/// waits meanwhile.
const WRITTEN_EVERY: Duration = Duration::from_secs(5);
const PARTS: u32 = 50;
/// So many of them with one command.
const WRITTEN_TOGETHER: usize = 16;

/// Where a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct End {
    /// The newest number; 0 before the first.
    pub(super) seq: Seq,
    /// The newest number of a message that everybody sees; 0 before the first.
    pub(super) head: Seq,
}

impl End {
    /// The later one.
    pub(super) fn or_later(self, other: Self) -> Self {
        if other.seq > self.seq { other } else { self }
    }

    /// With one more message, which has the next number.
    pub(super) fn behind(self, message: &Message) -> Self {
        let head = if message.is_public() { message.seq } else { self.head };
        Self { seq: message.seq, head }
    }

    /// What has to be asked for of a room.
    pub(super) fn fields() -> Document {
        doc! { "_id": 0, "seq": 1, "head": 1 }
    }

    /// Where the log ends by now.
    pub(super) async fn now(self, chats: &Collection<ChatDocument>, room: &RoomId) -> Result<Self> {
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

/// Where the logs of all rooms end, as far as this server knows.
#[derive(Debug, Clone)]
pub(super) struct Logs(Arc<Known>);

#[derive(Debug)]
struct Known {
    ends: Cache<RoomId, End>,
    /// From there on, messages are being inserted: some may be seen already, and still be lost.
    under_way: Mutex<HashMap<RoomId, Seq>>,
    /// What the rooms' own documents do not say yet, by the part in which it is to be written.
    unwritten: Mutex<HashMap<u64, HashMap<RoomId, End>>>,
    parts: RandomState,
    grown: Notify,
}

impl Default for Logs {
    fn default() -> Self {
        Self(Arc::new(Known {
            ends: Cache::builder().max_capacity(MAX_KNOWN).time_to_idle(KNOWN_FOR).build(),
            under_way: Mutex::default(),
            unwritten: Mutex::default(),
            parts: RandomState::new(),
            grown: Notify::new(),
        }))
    }
}

/// An insertion under way in a room, until this is dropped.
pub(super) struct UnderWay {
    logs: Logs,
    room: RoomId,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        locked(&self.logs.0.under_way).remove(&self.room);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Logs {
    /// Where a room's log ended when this server last knew.
    pub(super) fn end(&self, room: &RoomId) -> Option<End> {
        self.0.ends.get(room)
    }

    /// From this number on, messages of a room are about to be inserted. One insertion at a time is.
    pub(super) fn insert(&self, room: &RoomId, first: Seq) -> UnderWay {
        locked(&self.0.under_way).insert(room.clone(), first);
        UnderWay { logs: self.clone(), room: room.clone() }
    }

    /// What of a history that was just read is kept for good. What is not yet, is told when it is.
    pub(super) fn kept(&self, room: &RoomId, mut history: History, window: Window) -> History {
        if let Some(first) = locked(&self.0.under_way).get(room).copied()
            && history.messages.last().is_some_and(|newest| newest.seq >= first)
        {
            history.messages.retain(|message| message.seq < first);
            history.more &= matches!(window, Window::Latest { .. }); // Those are older.
        }
        history
    }

    /// This server has stored all up to here.
    pub(super) fn grew(&self, room: &RoomId, end: End) {
        self.0.ends.insert(room.clone(), end);
        let mut unwritten = locked(&self.0.unwritten);
        unwritten.entry(self.part(room)).or_default().insert(room.clone(), end);
        self.0.grown.notify_one();
    }

    /// A room is gone.
    pub(super) fn forget(&self, room: &RoomId) {
        self.0.ends.invalidate(room);
        if let Some(part) = locked(&self.0.unwritten).get_mut(&self.part(room)) {
            part.remove(room);
        }
    }

    /// In which part of the time a room's document is written.
    fn part(&self, room: &RoomId) -> u64 {
        self.0.parts.hash_one(room) % u64::from(PARTS)
    }

    /// Tells the rooms' own documents every now and then where their logs end, for admins, and for
    /// servers that know nothing of a room. It never ends.
    pub(super) async fn write_down(self, database: Database) {
        for part in (0..u64::from(PARTS)).cycle() {
            if locked(&self.0.unwritten).is_empty() {
                self.0.grown.notified().await;
            }
            sleep(WRITTEN_EVERY / PARTS).await;
            let ends = locked(&self.0.unwritten).remove(&part).unwrap_or_default();
            let ends: Vec<(RoomId, End)> = ends.into_iter().collect();
            for some in ends.chunks(WRITTEN_TOGETHER) {
                if let Err(cause) = in_time(write(&database, some)).await {
                    warn!(error = ?cause, "could not write down where logs end; will try again");
                    self.write_again(part, some);
                }
            }
        }
    }

    fn write_again(&self, part: u64, ends: &[(RoomId, End)]) {
        let mut unwritten = locked(&self.0.unwritten);
        let unwritten = unwritten.entry(part).or_default();
        for (room, end) in ends {
            unwritten.entry(room.clone()).or_insert(*end);
        }
    }
}

/// Several servers may do so at once, in any order.
async fn write(database: &Database, ends: &[(RoomId, End)]) -> Result<()> {
    let updates = ends.iter().map(|(room, End { seq, head })| {
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
