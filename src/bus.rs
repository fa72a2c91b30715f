//! The bus: carries each event to the edges of this node, and they deliver it to their connections.
//!
//! The chat service announces each event once. No other code may assume that an event starts or
//! ends on this node.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use tokio::task::yield_now;

use crate::domain::{Connection, Ended, Event};

/// A protocol of this node through which events reach people, such as Socket.IO or the gateway.
#[async_trait]
pub trait Edge: Send + Sync {
    /// Queues an event for every connection that it concerns, and returns once it is queued, so
    /// that the room's events stay in order. The caller yields to the tasks that write the queues.
    /// For a public message, `part` selects the connections. All other events have a single part.
    async fn deliver(&self, event: &Event, part: Part);

    /// Ends the part of these connections in their room: they receive no later event of it. Called
    /// after the event that ends it is delivered.
    async fn end(&self, ended: Ended<'_>);

    /// Number of connections that receive an event. Each has a writer task.
    fn listeners(&self, event: &Event) -> usize;

    /// The connections that receive the events of a room.
    fn subscribers(&self) -> Vec<Connection>;

    /// Ends a subscriber's part in its room, and tells its client.
    fn unsubscribe(&self, subscriber: &Connection);

    /// Whether every receiving connection is already assigned to a part of its room.
    fn is_divided(&self, event: &Event) -> bool;
}

/// Number of connections from which a room is large, and its fan-out is split into parts.
pub const LARGE: usize = 128;
/// Number of parts of a large room.
pub const PARTS: usize = 8;

/// A part of the connections that receive an event.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// The index of this part, from 0.
    pub nth: usize,
    /// Number of parts.
    pub of: usize,
}

impl Part {
    /// Whether this is the last part.
    #[must_use]
    pub fn is_last(self) -> bool {
        self.nth + 1 == self.of
    }
}

/// Largest number of other tasks that run before a yielding task runs again: tokio's
/// `event_interval`.
const TASKS_PER_YIELD: usize = 61;

/// The bus. Clones share the same edges.
///
/// The edges hold the chat service, which holds the bus. This cycle is intended: all of them live
/// as long as the process.
#[derive(Clone, Default)]
pub struct Bus {
    edges: Arc<OnceLock<Vec<Arc<dyn Edge>>>>,
}

impl Bus {
    /// Connects the edges of this node. Called once, before the first event.
    ///
    /// # Errors
    /// Returns the edges when some are connected already.
    pub fn connect(&self, edges: Vec<Arc<dyn Edge>>) -> Result<(), Vec<Arc<dyn Edge>>> {
        self.edges.set(edges)
    }

    /// Delivers an event to every edge, then yields until the writer tasks have run, so that
    /// the connections' queues do not grow.
    pub async fn announce(&self, event: Event) {
        let mut delivery = self.start(vec![event]).await;
        while delivery.is_running() {
            delivery.step().await;
        }
    }

    /// Starts to deliver events of one room, in order, through every edge: to all connections or,
    /// in a large room, to the first part of them.
    pub async fn start(&self, batch: Vec<Event>) -> Delivery {
        let Some(last) = batch.last() else { return Delivery::default() };
        let listeners = self.edges().map(|edge| edge.listeners(last)).sum::<usize>();
        // Parts would let a whisper overtake an earlier message, so only public batches are split.
        let is_public =
            |event: &Event| matches!(event, Event::Posted { message, .. } if message.is_public());
        let split = listeners >= LARGE
            && batch.iter().all(is_public)
            && self.edges().all(|edge| edge.is_divided(last));
        let parts = if split { PARTS } else { 1 };
        let yields_per_part = listeners / parts / TASKS_PER_YIELD + 1;
        let bus = self.clone();
        let mut delivery = Delivery { bus, batch, parts, yields_per_part, ..Delivery::default() };
        delivery.deliver_part().await;
        delivery
    }

    /// The connections of this node that receive the events of a room.
    #[must_use]
    pub fn subscribers(&self) -> Vec<Connection> {
        self.edges().flat_map(|edge| edge.subscribers()).collect()
    }

    /// Ends a subscriber's part in its room.
    pub fn unsubscribe(&self, subscriber: &Connection) {
        self.edges().for_each(|edge| edge.unsubscribe(subscriber));
    }

    fn edges(&self) -> impl Iterator<Item = &Arc<dyn Edge>> {
        self.edges.get().into_iter().flatten()
    }
}

/// The delivery of a batch of events to the connections of a room, step by step. The default is
/// complete.
#[derive(Default)]
pub struct Delivery {
    bus: Bus,
    batch: Vec<Event>,
    /// The next part of the room to receive the batch.
    next_part: usize,
    /// Number of parts of the room for this batch.
    parts: usize,
    /// Remaining yields until the writers of the last part have run.
    yields_left: usize,
    yields_per_part: usize,
}

impl Delivery {
    /// Whether connections lack the batch, or their writers have yet to run.
    pub(crate) fn is_running(&self) -> bool {
        self.yields_left > 0 || !self.is_handed_out()
    }

    /// Whether the batch is in the queue of every connection.
    pub(crate) fn is_handed_out(&self) -> bool {
        self.next_part == self.parts
    }

    /// Whether the room is large, so that other tasks run while the batch is being delivered.
    pub(crate) fn is_large(&self) -> bool {
        self.parts > 1
    }

    /// Whether less than a quarter of the room lacks the batch.
    pub(crate) fn is_nearly_handed_out(&self) -> bool {
        (self.parts - self.next_part) * 4 < self.parts
    }

    /// Makes one step: yields to the writers, or delivers to the next part.
    pub(crate) async fn step(&mut self) {
        self.step_unless(std::future::pending::<()>()).await;
    }

    /// Makes one step, or returns the outcome of `other` if that is ready before writers have run.
    pub(crate) async fn step_unless<T>(&mut self, other: impl Future<Output = T>) -> Option<T> {
        if self.yields_left > 0 {
            tokio::select! {
                biased;
                outcome = other => return Some(outcome),
                () = yield_now() => self.yields_left -= 1,
            }
        } else if !self.is_handed_out() {
            self.deliver_part().await;
        }
        None
    }

    /// Delivers to all remaining parts, without yielding in between.
    pub(crate) async fn hand_out(&mut self) {
        while !self.is_handed_out() {
            self.deliver_part().await;
        }
        if self.yields_left > 0 {
            // The writers of all parts run now.
            self.yields_left = self.yields_per_part * self.parts;
        }
    }

    async fn deliver_part(&mut self) {
        let part = Part { nth: self.next_part, of: self.parts };
        for edge in self.bus.edges() {
            for event in &self.batch {
                edge.deliver(event, part).await;
                // Such an event is never delivered in parts.
                if let Some(ended) = event.ends() {
                    edge.end(ended).await;
                }
            }
        }
        self.next_part += 1;
        self.yields_left = self.yields_per_part;
    }
}
