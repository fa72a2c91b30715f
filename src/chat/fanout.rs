//! Fan-out: publishes a room task's stored messages to every connection in the room.
//!
//! Each batch goes into the queues of the connections, and a writer task per connection flushes its
//! queue. While the writers run, newly stored messages collect and form the next batch, because a
//! socket write costs far more than the bytes in it. With no fan-out running, a message goes out at
//! once.
//!
//! In a large room one fan-out takes some milliseconds. It is therefore split into parts, and other
//! tasks run between two parts. During one fan-out the room task commits twice: at its start, and
//! when few parts are left.

use std::{pin::pin, time::Duration};

use tokio::{task::yield_now, time::sleep};

use super::ChatService;
use crate::{
    bus::{Part, yields},
    domain::{Event, RoomId, Seq},
};

/// Longest time that stored messages wait for a running commit, to go out with its messages.
const MAX_HOLD: Duration = Duration::from_millis(5);

/// The fan-out of one room task.
pub(super) struct Fanout {
    chat: ChatService,
    room: RoomId,
    /// Stored events that wait for the next batch, in the order of `seq`.
    pending: Vec<Event>,
    /// The batch being delivered.
    batch: Vec<Event>,
    /// The next part of the room to receive the batch.
    next_part: usize,
    /// Number of parts of the room for this batch.
    parts: usize,
    /// Remaining yields until the writers of the last part have run.
    yields_left: usize,
    /// Yields per part.
    yields_per_part: usize,
    /// Whether events were added since this batch began.
    stored_since_start: bool,
}

impl Fanout {
    pub(super) fn new(chat: ChatService, room: RoomId) -> Self {
        Self {
            chat,
            room,
            pending: Vec::new(),
            batch: Vec::new(),
            next_part: 1,
            parts: 1,
            yields_left: 0,
            yields_per_part: 1,
            stored_since_start: false,
        }
    }

    /// No events wait, and no fan-out runs.
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty() && !self.is_running()
    }

    fn is_running(&self) -> bool {
        self.yields_left > 0 || self.next_part < self.parts
    }

    /// Whether the room task should commit its queued messages now.
    pub(super) fn may_store(&self) -> bool {
        let early = !self.stored_since_start;
        let late = (self.parts - self.next_part) * 4 < self.parts;
        !self.is_running() || self.parts > 1 && (early || late)
    }

    /// Adds stored events. Starts a fan-out unless one is running.
    pub(super) async fn add(&mut self, stored: Vec<Event>) {
        self.pending.extend(stored);
        self.stored_since_start = true;
        if !self.is_running() {
            if self.parts > 1 {
                // Let the answers out first: the senders then send their next messages.
                yield_now().await;
            }
            self.start_batch().await;
        }
    }

    /// Delivers all stored events to every part, without yielding in between.
    pub(super) async fn flush(&mut self) {
        while self.next_part < self.parts {
            self.deliver_part().await;
        }
        if !self.pending.is_empty() {
            self.start_batch().await;
            while self.next_part < self.parts {
                self.deliver_part().await;
            }
        }
        if self.yields_left > 0 {
            // The writers of all parts run now.
            self.yields_left = self.yields_per_part * self.parts;
        }
    }

    /// Starts a batch of the stored events, if any, and delivers it to the first part.
    async fn start_batch(&mut self) {
        self.batch = std::mem::take(&mut self.pending);
        let Some(last) = self.batch.last() else { return };
        let listeners = self.chat.bus.listeners(last);
        // Parts would let a whisper overtake an earlier message, so only public batches are split.
        let is_public =
            |event: &Event| matches!(event, Event::Posted { message, .. } if message.is_public());
        let all_public = self.batch.iter().all(is_public);
        self.parts = if all_public { self.chat.bus.parts(last, listeners) } else { 1 };
        self.yields_per_part = yields(listeners / self.parts);
        self.next_part = 0;
        self.stored_since_start = false;
        self.deliver_part().await;
    }

    async fn deliver_part(&mut self) {
        let part = Part { nth: self.next_part, of: self.parts };
        self.chat.bus.hand_out(&self.batch, part).await;
        self.next_part += 1;
        self.yields_left = self.yields_per_part;
        if part.is_last()
            && let Some(head) = self.batch.iter().rev().find_map(head_of)
        {
            self.chat.room_tasks.record_head(&self.room, head);
        }
    }

    /// Makes one step: yields to the writers, delivers the next part, or starts the next batch.
    pub(super) async fn step(&mut self) {
        if self.yields_left > 0 {
            yield_now().await;
            self.yields_left -= 1;
        } else if self.next_part < self.parts {
            self.deliver_part().await;
        } else {
            self.start_batch().await;
        }
    }

    /// Continues the fan-out while the store commits the next batch.
    pub(super) async fn run_during<T>(&mut self, storing: impl Future<Output = T>) -> T {
        let mut storing = pin!(storing);
        while !self.is_idle() {
            if self.yields_left > 0 {
                tokio::select! {
                    biased;
                    outcome = &mut storing => return outcome,
                    () = yield_now() => self.yields_left -= 1,
                }
            } else if self.next_part < self.parts {
                self.deliver_part().await;
            } else {
                tokio::select! {
                    biased;
                    outcome = &mut storing => return outcome,
                    () = sleep(MAX_HOLD) => self.start_batch().await,
                }
            }
        }
        storing.await
    }
}

/// The `seq` of a public message.
fn head_of(event: &Event) -> Option<Seq> {
    match event {
        Event::Posted { message, .. }
        | Event::Joined { message, .. }
        | Event::Left { message, .. } => message.is_public().then_some(message.seq),
        _ => None,
    }
}
