//! The entry queue: limits how many visitors enter rooms at the same time, over all protocols.

use std::time::Duration;

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use super::{ChatService, Error};

/// Number of visitors who enter at the same time: enough to keep the store busy, and few enough
/// that each entry meets the store's deadline. The others wait in order of arrival. Without the
/// queue, thousands of simultaneous entries exceed the store's deadline, retry, and starve one
/// another.
const ENTER_AT_ONCE: usize = 100;
/// Longest wait in the queue; after it, the entry is refused.
const MAX_WAIT: Duration = Duration::from_secs(15);

/// The queue: one permit for each visitor who is entering.
pub(super) struct EntryQueue(Semaphore);

impl Default for EntryQueue {
    fn default() -> Self {
        Self(Semaphore::new(ENTER_AT_ONCE))
    }
}

impl ChatService {
    /// Waits for a permit to enter. Dropping the permit lets the next visitor in.
    ///
    /// # Errors
    /// [`Error::Unavailable`] after too long a wait.
    pub async fn entry_permit(&self) -> Result<SemaphorePermit<'_>, Error> {
        let unavailable =
            |cause: Box<dyn std::error::Error + Send + Sync>| Error::Unavailable(cause);
        let turn = timeout(MAX_WAIT, self.entry_queue.0.acquire()).await;
        let turn = turn.map_err(|late| unavailable(late.into()))?;
        turn.map_err(|closed| unavailable(closed.into()))
    }
}
