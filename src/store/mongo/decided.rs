//! Numbers whose messages may still come.
//!
//! A number is taken before its message is inserted, and an insertion may be carried out later than
//! anybody knows: its answer was lost, the database was slow, the server that asked for it was killed. A
//! message that appeared behind others that were told already would be one that nobody hears of. So
//! before anything is stored behind numbers that this server did not see stored, it waits a moment for
//! their messages, and then takes what is left with void ones: either a message is there by then, before
//! all that follow, or it never will be.

use std::{
    collections::{HashMap, HashSet},
    ops::{Range, RangeInclusive},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::TryStreamExt as _;
use moka::sync::Cache;
use mongodb::{Collection, bson::doc};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::{chat_document::ChatDocument, messages::doubled};
use crate::{
    domain::{History, RoomId, Seq, Window},
    store::Result,
};

/// Other servers that live insert within this, or try again with another number.
const WAIT: Duration = Duration::from_millis(500);
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// So far back a server looks that knows nothing of a room: what several servers may have had on its way
/// when they died, a batch each.
const LOOK_BACK: Seq = 1_024;

/// Rooms of which it is remembered how far they are decided, and for how long after the last message.
const MAX_KNOWN: u64 = 100_000;
const KNOWN_FOR: Duration = Duration::from_secs(3_600);

/// How far each room is decided.
#[derive(Debug, Clone)]
pub(super) struct Decided {
    /// Up to there, each number has its message, or never will.
    up_to: Cache<RoomId, Seq>,
    /// From there on, messages are being inserted: some may be seen already, and still be lost.
    under_way: Arc<Mutex<HashMap<RoomId, Seq>>>,
}

impl Default for Decided {
    fn default() -> Self {
        let up_to = Cache::builder().max_capacity(MAX_KNOWN).time_to_idle(KNOWN_FOR).build();
        Self { up_to, under_way: Arc::default() }
    }
}

/// An insertion under way in a room, until this is dropped.
pub(super) struct UnderWay<'a> {
    decided: &'a Decided,
    room: &'a RoomId,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.decided.under_way().remove(self.room);
    }
}

#[derive(Debug, Deserialize)]
struct Numbered {
    seq: Seq,
}

impl Decided {
    fn under_way(&self) -> MutexGuard<'_, HashMap<RoomId, Seq>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From this number on, messages of a room are about to be inserted. One insertion at a time is.
    pub(super) fn insert<'a>(&'a self, room: &'a RoomId, first: Seq) -> UnderWay<'a> {
        self.under_way().insert(room.clone(), first);
        UnderWay { decided: self, room }
    }

    /// What of a history that was just read is kept for good. What is not yet, is told when it is.
    pub(super) fn kept(&self, room: &RoomId, mut history: History, window: Window) -> History {
        if let Some(first) = self.under_way().get(room).copied()
            && history.messages.last().is_some_and(|newest| newest.seq >= first)
        {
            history.messages.retain(|message| message.seq < first);
            history.more &= matches!(window, Window::Latest { .. }); // Those are older.
        }
        history
    }

    /// All up to this number is stored, or never will be.
    pub(super) fn up_to(&self, room: &RoomId, seq: Seq) {
        self.up_to.insert(room.clone(), seq);
    }

    /// None of these numbers will ever have a message.
    pub(super) fn unused(&self, room: &RoomId, numbers: &RangeInclusive<Seq>) {
        if self.before(room, *numbers.start()) + 1 == *numbers.start() {
            self.up_to(room, *numbers.end());
        }
    }

    /// How far a room is decided, as far as it matters to whoever stores this number.
    fn before(&self, room: &RoomId, next: Seq) -> Seq {
        self.up_to.get(room).unwrap_or((next - 1 - LOOK_BACK).max(0))
    }

    /// Decides what is undecided before this number, which a batch with this message begins with.
    pub(super) async fn settle(
        &self,
        chats: &Collection<ChatDocument>,
        room: &RoomId,
        first: Seq,
        message: &ChatDocument,
    ) -> Result<()> {
        let undecided = self.before(room, first) + 1..first;
        if undecided.is_empty() {
            return Ok(());
        }
        let until = Instant::now() + WAIT;
        loop {
            let missing = missing(chats, room, undecided.clone()).await?;
            if missing.is_empty() {
                return Ok(());
            }
            if Instant::now() >= until {
                // The last ones first: whoever is overtaken here is so from some number on.
                let voids = missing.into_iter().rev().map(|seq| message.void(seq));
                if let Err(cause) = chats.insert_many(voids).ordered(false).await {
                    doubled(&cause).ok_or(cause)?; // Those have come after all.
                }
                return Ok(());
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// A room is gone: nobody reads what may come there yet.
    pub(super) fn forget(&self, room: &RoomId) {
        self.up_to.invalidate(room);
    }
}

/// Those of these numbers that no message has.
async fn missing(
    chats: &Collection<ChatDocument>,
    room: &RoomId,
    numbers: Range<Seq>,
) -> Result<Vec<Seq>> {
    let taken =
        doc! { "room": room.as_str(), "seq": { "$gte": numbers.start, "$lt": numbers.end } };
    let numbered = chats.clone_with_type::<Numbered>();
    let found = numbered.find(taken).projection(doc! { "seq": 1, "_id": 0 }).await?;
    let taken: HashSet<Seq> = found.map_ok(|one| one.seq).try_collect().await?;
    Ok(numbers.filter(|seq| !taken.contains(seq)).collect())
}
