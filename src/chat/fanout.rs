//! Fan-out: announces a room task's stored messages to every connection in the room.
//!
//! Each batch goes into the queues of the connections, and a writer task per connection flushes its
//! queue. While the writers run, newly stored messages collect and form the next batch, because a
//! socket write costs far more than the bytes in it. With no fan-out running, a message goes out at
//! once.
//!
//! In a large room one fan-out takes some milliseconds, and other tasks run in between. During one
//! fan-out the room task commits twice: at its start, and when it is nearly complete.

use std::{collections::HashMap, pin::pin, time::Duration};

use parking_lot::Mutex;
use tokio::{task::yield_now, time::sleep};

use crate::{
    bus::{Bus, Delivery},
    domain::{Event, RoomId, Seq},
};

/// Longest time that stored messages wait for a running commit, to go out with its messages.
const MAX_HOLD: Duration = Duration::from_millis(5);

/// The newest public message that each room has received since the heads were last announced.
pub(super) type Heads = Mutex<HashMap<RoomId, Seq>>;

/// The fan-out of one room task.
pub(super) struct Fanout<'a> {
    room: &'a RoomId,
    bus: &'a Bus,
    heads: &'a Heads,
    /// Stored events that wait for the next batch, in the order of `seq`.
    pending: Vec<Event>,
    /// The last batch that was started.
    delivery: Delivery,
    /// The newest public message of this batch, until every connection has it.
    head: Option<Seq>,
    /// Whether events were added since this batch began.
    stored_since_start: bool,
}

impl<'a> Fanout<'a> {
    pub(super) fn new(room: &'a RoomId, bus: &'a Bus, heads: &'a Heads) -> Self {
        let (pending, delivery, head, stored_since_start) = Default::default();
        Self { room, bus, heads, pending, delivery, head, stored_since_start }
    }

    /// No events wait, and no fan-out runs.
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty() && !self.delivery.is_running()
    }

    /// Whether the room task should commit its queued messages now.
    pub(super) fn may_store(&self) -> bool {
        let (delivery, early) = (&self.delivery, !self.stored_since_start);
        !delivery.is_running() || delivery.is_large() && (early || delivery.is_nearly_handed_out())
    }

    /// Adds stored events. Starts a fan-out unless one is running.
    pub(super) async fn add(&mut self, stored: Vec<Event>) {
        self.pending.extend(stored);
        self.stored_since_start = true;
        if !self.delivery.is_running() {
            if self.delivery.is_large() {
                // Let the answers out first: the senders then send their next messages.
                yield_now().await;
            }
            self.start_batch().await;
        }
    }

    /// Delivers all stored events to every connection, without yielding in between.
    pub(super) async fn flush(&mut self) {
        self.delivery.hand_out().await;
        self.record_head();
        self.start_batch().await;
        self.delivery.hand_out().await;
        self.record_head();
    }

    /// Starts a batch of the stored events, if any.
    async fn start_batch(&mut self) {
        if !self.pending.is_empty() {
            let batch = std::mem::take(&mut self.pending);
            self.head = batch.iter().rev().find_map(head_of);
            self.stored_since_start = false;
            self.delivery = self.bus.start(batch).await;
            self.record_head();
        }
    }

    /// Records the batch's newest public message once every connection has it.
    fn record_head(&mut self) {
        if self.delivery.is_handed_out()
            && let Some(head) = self.head.take()
        {
            self.heads.lock().insert(self.room.clone(), head);
        }
    }

    /// Makes one step: continues the running fan-out, or starts the next batch.
    pub(super) async fn step(&mut self) {
        if self.delivery.is_running() {
            self.delivery.step().await;
            self.record_head();
        } else {
            self.start_batch().await;
        }
    }

    /// Continues the fan-out while the store commits the next batch.
    pub(super) async fn run_during<T>(&mut self, storing: impl Future<Output = T>) -> T {
        let mut storing = pin!(storing);
        while !self.is_idle() {
            if self.delivery.is_running() {
                let stored = self.delivery.step_unless(&mut storing).await;
                self.record_head();
                if let Some(outcome) = stored {
                    return outcome;
                }
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
