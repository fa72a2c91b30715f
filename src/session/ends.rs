//! The ends of sessions and tokens on this node, for those that watch connections.

use std::time::Duration;

use tokio::{
    sync::broadcast,
    time::{Instant, sleep_until},
};

use super::SessionKey;

/// Time in which a node checks every session and token behind its connections once. A connection
/// that opens during a check waits for the next one, so an end takes effect within two checks. The
/// contract promises one second.
pub const CHECKED_EVERY: Duration = Duration::from_millis(400);

/// Ends that may wait for a watch. A watch that misses more finds them in its next check.
const WAITING: usize = 1_024;

/// Announces that a session has ended on this node, or has lost a token.
#[derive(Clone)]
pub(super) struct Announcer(broadcast::Sender<SessionKey>);

impl Announcer {
    pub(super) fn new() -> Self {
        Self(broadcast::Sender::new(WAITING))
    }

    pub(super) fn announce(&self, key: SessionKey) {
        self.0.send(key).ok(); // An error means that nothing watches.
    }

    pub(super) fn ends(&self) -> Ends {
        Ends(self.0.subscribe())
    }
}

/// The sessions that end on this node, or lose a token on it.
#[derive(Debug)]
pub struct Ends(broadcast::Receiver<SessionKey>);

impl Ends {
    /// The next of them until `moment`.
    pub async fn before(&mut self, moment: Instant) -> Option<SessionKey> {
        loop {
            let end = tokio::select! {
                () = sleep_until(moment) => return None,
                end = self.0.recv() => end,
            };
            match end {
                Ok(key) => return Some(key),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => {
                    sleep_until(moment).await;
                    return None;
                }
            }
        }
    }
}
