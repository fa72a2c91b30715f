//! Carries events to everybody whom they concern.
//!
//! What happens is announced here once; the bus hands it to every edge of this node. Nobody else
//! may assume that an event began, or ends, on this node.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;

use crate::domain::Event;

/// A way to the outside, through which events reach people.
#[async_trait]
pub trait Edge: Send + Sync {
    /// Tells whomever it concerns. Returns once it is on its way, so that the next event of the
    /// same room comes after it. It only fills queues: the bus lets their readers run.
    /// Those of one part of the room, if it is a message that everybody sees: all else has one part.
    async fn deliver(&self, event: &Event, part: Part);

    /// How many connections hear of an event: each has a task that writes to it.
    fn listeners(&self, event: &Event) -> usize;

    /// Whether all of them are in a part of their room.
    fn is_divided(&self, event: &Event) -> bool;
}

/// A room of so many connections is large.
pub const LARGE: usize = 128;
/// Into so many parts it is divided.
pub const PARTS: usize = 8;

/// Some of those who hear of an event.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// From 0 on.
    pub nth: usize,
    /// How many there are.
    pub of: usize,
}

impl Part {
    /// Everybody.
    pub const ALL: Self = Self { nth: 0, of: 1 };

    /// Nobody else is told after these.
    #[must_use]
    pub fn is_last(self) -> bool {
        self.nth + 1 == self.of
    }
}

/// Whoever yields comes to run again after so many other tasks, at the latest: tokio's `event_interval`.
const TASKS_A_YIELD: usize = 61;

/// The bus. Clones are the same bus.
#[derive(Clone, Default)]
pub struct Bus {
    edges: Arc<OnceLock<Vec<Arc<dyn Edge>>>>,
}

impl Bus {
    /// Connects the edges of this node, once, before the first event.
    ///
    /// # Errors
    /// Gives the edges back when some are connected already.
    pub fn connect(&self, edges: Vec<Arc<dyn Edge>>) -> Result<(), Vec<Arc<dyn Edge>>> {
        self.edges.set(edges)
    }

    /// Hands an event to every edge, and lets all the tasks run that write to the connections: no queue
    /// grows longer than what they are given at once.
    pub async fn announce(&self, event: Event) {
        let listeners = self.listeners(&event);
        self.hand_out(&[event], Part::ALL).await;
        for _ in 0..yields(listeners) {
            tokio::task::yield_now().await;
        }
    }

    /// Hands events of one room to every edge, in their order, for some of those who listen.
    pub async fn hand_out(&self, events: &[Event], part: Part) {
        for edge in self.edges() {
            for event in events {
                edge.deliver(event, part).await;
            }
        }
    }

    /// How many connections hear of an event.
    #[must_use]
    pub fn listeners(&self, event: &Event) -> usize {
        self.edges().map(|edge| edge.listeners(event)).sum()
    }

    /// In how many parts a message is told.
    #[must_use]
    pub fn parts(&self, said: &Event, listeners: usize) -> usize {
        let divided = listeners >= LARGE && self.edges().all(|edge| edge.is_divided(said));
        if divided { PARTS } else { 1 }
    }

    fn edges(&self) -> impl Iterator<Item = &Arc<dyn Edge>> {
        self.edges.get().into_iter().flatten()
    }
}

/// How often to yield until the tasks of so many connections have written what they were given.
#[must_use]
pub fn yields(listeners: usize) -> usize {
    listeners / TASKS_A_YIELD + 1
}
