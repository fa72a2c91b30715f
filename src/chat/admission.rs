//! Admission control over all protocols: who may connect and enter now.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use moka::sync::Cache;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use super::{ChatService, Connected, Error, Requester, seats::SIT_FOR};
use crate::{
    domain::{Network, PersonId, RoomId},
    keyed_limit::KeyedLimit,
};

/// Number of visitors who enter at the same time: enough to keep the store busy, and few enough
/// that each entry meets the store's deadline. The others wait in order of arrival. Without the
/// queue, thousands of simultaneous entries exceed the store's deadline, retry, and starve one
/// another.
const ENTER_AT_ONCE: usize = 100;
/// Longest wait in the queue; after it, the entry is refused.
const MAX_WAIT: Duration = Duration::from_secs(15);

pub(super) struct Admission {
    /// The entry queue: one permit for each visitor who is entering.
    queue: Semaphore,
    /// The open connections of each person.
    connections: KeyedLimit<PersonId>,
    /// Whether this server has [taken over](ChatService::take_over). Until then it refuses new rooms
    /// and people.
    pub(super) taken_over: AtomicBool,
    /// Whether the server refuses new rooms and people because it stops.
    draining: AtomicBool,
    /// The seats without a connection ([`ChatService::sit`]). Each counts as a connection, so that one
    /// person cannot keep more rooms that way.
    pub(super) sitting: Cache<(RoomId, PersonId), Arc<Connected>>,
    /// Whether the last heartbeat could not be stored.
    pub(super) heartbeat_failed: AtomicBool,
}

impl Default for Admission {
    fn default() -> Self {
        let (connections, taken_over, draining, heartbeat_failed) = Default::default();
        let sitting = Cache::builder().time_to_live(SIT_FOR).build();
        let queue = Semaphore::new(ENTER_AT_ONCE);
        Self { queue, connections, taken_over, draining, sitting, heartbeat_failed }
    }
}

impl Admission {
    /// Refuses new rooms and people while the server stops, and until it has taken over.
    pub(super) fn check_open(&self) -> Result<(), Error> {
        if self.draining.load(Ordering::SeqCst) {
            return Err(Error::restarting());
        }
        if !self.has_taken_over() {
            return Err(Error::Unavailable("the database has not answered yet".into()));
        }
        Ok(())
    }

    pub(super) fn has_taken_over(&self) -> bool {
        self.taken_over.load(Ordering::SeqCst)
    }
}

impl ChatService {
    /// Checks that the store answers, that it stored the last heartbeat, and that the server accepts
    /// new rooms and people.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Restarting`].
    pub async fn ready(&self) -> Result<(), Error> {
        self.admission.check_open()?;
        self.store.ready().await?;
        // A store with a full disk answers, and keeps nothing.
        if self.admission.heartbeat_failed.load(Ordering::Relaxed) {
            return Err(Error::Unavailable("the last heartbeat could not be stored".into()));
        }
        Ok(())
    }

    /// Stops accepting new rooms and people.
    pub fn drain(&self) {
        self.admission.draining.store(true, Ordering::SeqCst);
    }

    /// Whether the server has stopped accepting new rooms and people.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.admission.draining.load(Ordering::SeqCst)
    }

    /// Counts a new live connection from this network against the rate limit.
    ///
    /// # Errors
    /// [`Error::SlowDown`].
    pub fn may_connect(&self, network: &Network) -> Result<(), Error> {
        self.limits.handshakes.check(network, NonZeroU32::MIN)
    }

    /// Counts a request from this network against the rate limit.
    ///
    /// # Errors
    /// [`Error::SlowDown`].
    pub fn may_request(&self, network: &Network) -> Result<(), Error> {
        self.limits.requests.check(network, NonZeroU32::MIN)
    }

    /// Counts an event of a person against the rate limit of all events.
    ///
    /// # Errors
    /// [`Error::SlowDown`].
    pub fn may_send_event(&self, requester: Requester<'_>) -> Result<(), Error> {
        self.limits.events.check(requester)
    }

    /// Counts a new session from this network against the rate limit.
    ///
    /// # Errors
    /// [`Error::SlowDown`].
    pub fn may_begin(&self, network: &Network) -> Result<(), Error> {
        self.limits.sessions.check(network, NonZeroU32::MIN)
    }

    /// Counts a new connection of a person. Drop the result when the connection closes.
    ///
    /// # Errors
    /// [`Error::TooManyConnections`].
    pub fn connect(&self, me: &PersonId) -> Result<Connected, Error> {
        let connected = self.admission.connections.take(me.clone(), self.policy.max_connections);
        connected.ok_or(Error::TooManyConnections)
    }

    /// Waits for a permit to enter. Dropping the permit lets the next visitor in.
    ///
    /// # Errors
    /// [`Error::Unavailable`] after too long a wait.
    pub async fn entry_permit(&self) -> Result<SemaphorePermit<'_>, Error> {
        let permit = timeout(MAX_WAIT, self.admission.queue.acquire()).await;
        let permit = permit.map_err(|late| Error::Unavailable(late.into()))?;
        permit.map_err(|closed| Error::Unavailable(closed.into()))
    }
}
