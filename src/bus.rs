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
    async fn deliver(&self, event: &Event);

    /// How many connections hear of an event: each has a task that writes to it.
    fn listeners(&self, event: &Event) -> usize;
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

    /// Hands an event to every edge.
    pub async fn announce(&self, event: Event) {
        self.announce_all(&[event]).await;
    }

    /// Hands events of one room to every edge, in their order, and then lets all the tasks run that write to
    /// the connections. Each writes all that it was given at once, and no queue grows longer than this; and
    /// what is said meanwhile is told together, too: a write costs much more than the words in it.
    pub async fn announce_all(&self, events: &[Event]) {
        let mut listeners = 0;
        for edge in self.edges.get().into_iter().flatten() {
            for event in events {
                edge.deliver(event).await;
            }
            listeners += events.last().map_or(0, |event| edge.listeners(event));
        }
        for _ in 0..=listeners / TASKS_A_YIELD {
            tokio::task::yield_now().await;
        }
    }
}
