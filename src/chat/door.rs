//! In turns at the door, whichever edge somebody comes by.

use std::time::Duration;

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use super::{Chat, Error};

/// As many people enter at the same time: enough to keep the store busy, and so few that each is in before the
/// store's time is up. When thousands come at once, the others wait at the door, in their order; all at the store
/// at once, each would be in time with one step and too late with the next.
const ENTER_AT_ONCE: usize = 100;
/// Whoever waits longer at the door is told to come again.
const WAIT_AT_THE_DOOR: Duration = Duration::from_secs(15);

/// The line at the door.
pub(super) struct Door(Semaphore);

impl Default for Door {
    fn default() -> Self {
        Self(Semaphore::new(ENTER_AT_ONCE))
    }
}

impl Chat {
    /// A turn at the door, which ends when it is dropped.
    ///
    /// # Errors
    /// [`Error::Unavailable`] for whoever has waited too long.
    pub async fn turn_at_the_door(&self) -> Result<SemaphorePermit<'_>, Error> {
        let unavailable =
            |cause: Box<dyn std::error::Error + Send + Sync>| Error::Unavailable(cause);
        let turn = timeout(WAIT_AT_THE_DOOR, self.door.0.acquire()).await;
        let turn = turn.map_err(|late| unavailable(late.into()))?;
        turn.map_err(|closed| unavailable(closed.into()))
    }
}
