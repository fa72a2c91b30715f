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
    /// same room comes after it.
    async fn deliver(&self, event: &Event);
}

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
        for edge in self.edges.get().into_iter().flatten() {
            edge.deliver(&event).await;
        }
    }
}
