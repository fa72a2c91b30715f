//! The chat service: the use cases, and the only place with policy.
//!
//! It knows no sockets, status codes or collections. It returns values and announces
//! [`Event`](crate::domain::Event)s on the bus; the edges translate. Read in this order: `rooms`
//! (opening, listing, access), `seats` (entering, grace, leaving), `messages` (sending, history),
//! `room_task` and `fanout` (ordering and delivery), `maintenance` (expiry and crashes).

mod command;
mod direct_messages;
mod entry_queue;
mod error;
mod fanout;
mod limits;
mod lobby;
mod maintenance;
mod messages;
mod moderation;
mod password_hash;
mod password_pool;
mod password_throttle;
mod reconcile;
mod reports;
mod retention;
mod room_task;
mod rooms;
mod seats;

use std::{
    num::NonZeroU32,
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio_util::task::TaskTracker;

pub use crate::media::GetRange;
pub use error::{Error, FieldError, client_id, person_id, room_id};
pub use limits::{Rate, RateLimit, Rates};
pub use messages::GifFile;
pub use moderation::{RoomChangeForm, RoomChanged};
pub use reports::Reported;
pub use rooms::{Opened, Requester, RoomForm, RoomPass};
pub use seats::{MAX_WINDOW, SeatGuard, Welcome};

pub use crate::store::LobbyPage;
use crate::{
    bus::Bus,
    domain::{Network, NetworkHash, NetworkKey, NodeId, PersonId, RoomId},
    keyed_limit::{KeyedLimit, KeyedPermit},
    media::Media,
    store::Store,
};
use entry_queue::EntryQueue;
use limits::RateLimiters;
use lobby::Lobby;
use password_pool::PasswordPool;
use password_throttle::PasswordThrottle;
use reconcile::Reconciler;
use room_task::RoomTasks;

/// The operator's settings for the chat.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How long a seat is kept after its last connection closes.
    pub grace: Duration,
    /// Largest number of rooms.
    pub max_rooms: usize,
    /// Largest capacity a room may have.
    pub max_capacity: u32,
    /// Largest number of messages that a room keeps; `None`: all, until it closes.
    pub max_chats: Option<NonZeroU32>,
    /// Largest number of connections of one person, in rooms and the lobby together.
    pub max_connections: usize,
    /// The rate limits.
    pub rates: Rates,
    /// The key for hashing networks. With it a kick also bans the person's network.
    pub kick_networks: Option<NetworkKey>,
}

/// How long a new room waits for its first person, and for its owner.
const FIRST_PERSON_WITHIN: Duration = Duration::from_secs(60);

/// Counts one connection until dropped.
pub type Connected = KeyedPermit<PersonId>;

/// The chat service. Clones share one state.
#[derive(Clone)]
pub struct ChatService(Arc<Inner>);

/// The shared state of the chat service.
pub struct Inner {
    store: Arc<dyn Store>,
    media: Media,
    bus: Bus,
    node: NodeId,
    rules: Policy,
    limits: RateLimiters,
    password_throttle: PasswordThrottle,
    connections: KeyedLimit<PersonId>,
    room_tasks: RoomTasks,
    lobby: Lobby,
    entry_queue: EntryQueue,
    password_pool: PasswordPool,
    tasks: TaskTracker,
    reconciler: Reconciler,
    draining: AtomicBool,
}

impl Deref for ChatService {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl ChatService {
    /// Builds the service over these parts, with a new node id.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the system cannot start threads.
    pub fn new(
        store: Arc<dyn Store>,
        media: Media,
        bus: Bus,
        rules: Policy,
    ) -> Result<Self, Error> {
        Ok(Self(Arc::new(Inner {
            limits: RateLimiters::new(&rules.rates),
            password_throttle: PasswordThrottle::default(),
            connections: KeyedLimit::default(),
            store,
            media,
            bus,
            node: NodeId::random(),
            rules,
            room_tasks: RoomTasks::default(),
            lobby: Lobby::default(),
            entry_queue: EntryQueue::default(),
            password_pool: PasswordPool::new()?,
            tasks: TaskTracker::new(),
            reconciler: Reconciler::default(),
            draining: AtomicBool::new(false),
        })))
    }

    /// The operator's settings.
    #[must_use]
    pub fn rules(&self) -> &Policy {
        &self.rules
    }

    /// Checks that the store answers and that the server accepts new rooms and people.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Restarting`].
    pub async fn ready(&self) -> Result<(), Error> {
        self.open_for_new()?;
        Ok(self.store.ready().await?)
    }

    /// Stops accepting new rooms and people.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// The room's hash of a network, if kicks ban networks.
    fn network(&self, room: &RoomId, network: Option<&Network>) -> Option<NetworkHash> {
        Some(self.rules.kick_networks.as_ref()?.hash(room, network?))
    }

    /// Counts a new live connection from this network against the rate limit.
    ///
    /// # Errors
    /// [`Error::SlowDown`].
    pub fn may_connect(&self, network: &Network) -> Result<(), Error> {
        self.limits.check_handshake(network)
    }

    /// Counts a new session from this network against the rate limit.
    ///
    /// # Errors
    /// [`Error::SlowDown`].
    pub fn may_begin(&self, network: &Network) -> Result<(), Error> {
        self.limits.check_session(network)
    }

    /// Counts a new connection of a person. Drop the result when the connection closes.
    ///
    /// # Errors
    /// [`Error::TooManyConnections`].
    pub fn connect(&self, me: &PersonId) -> Result<Connected, Error> {
        let connected = self.connections.take(me.clone(), self.rules.max_connections);
        connected.ok_or(Error::TooManyConnections)
    }

    fn open_for_new(&self) -> Result<(), Error> {
        if self.draining.load(Ordering::Relaxed) { Err(Error::restarting()) } else { Ok(()) }
    }
}
