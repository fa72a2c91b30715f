//! The bus: carries each event to the edges of this node, and they deliver it to their connections.
//!
//! The chat service announces each event once. No other code may assume that an event starts or
//! ends on this node.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;

use crate::domain::Event;

/// A protocol of this node through which events reach people, such as Socket.IO or the gateway.
#[async_trait]
pub trait Edge: Send + Sync {
    /// Queues an event for every connection that it concerns, and returns once it is queued, so
    /// that the room's events stay in order. The caller yields to the tasks that write the queues.
    /// For a public message, `part` selects the connections. All other events have a single part.
    async fn deliver(&self, event: &Event, part: Part);

    /// Number of connections that receive an event. Each has a writer task.
    fn listeners(&self, event: &Event) -> usize;

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
    /// All connections.
    pub const ALL: Self = Self { nth: 0, of: 1 };

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
        let listeners = self.listeners(&event);
        self.hand_out(&[event], Part::ALL).await;
        for _ in 0..yields(listeners) {
            tokio::task::yield_now().await;
        }
    }

    /// Delivers events of one room to one part of its connections, in order, through every edge.
    pub async fn hand_out(&self, events: &[Event], part: Part) {
        for edge in self.edges() {
            for event in events {
                edge.deliver(event, part).await;
            }
        }
    }

    /// Number of connections that receive an event, over all edges.
    #[must_use]
    pub fn listeners(&self, event: &Event) -> usize {
        self.edges().map(|edge| edge.listeners(event)).sum()
    }

    /// Number of parts in which a message is delivered.
    #[must_use]
    pub fn parts(&self, said: &Event, listeners: usize) -> usize {
        let divided = listeners >= LARGE && self.edges().all(|edge| edge.is_divided(said));
        if divided { PARTS } else { 1 }
    }

    fn edges(&self) -> impl Iterator<Item = &Arc<dyn Edge>> {
        self.edges.get().into_iter().flatten()
    }
}

/// Number of yields until the writer tasks of `listeners` connections have run.
#[must_use]
pub fn yields(listeners: usize) -> usize {
    listeners / TASKS_PER_YIELD + 1
}
