//! The chat service: the use cases, and the only place with policy.
//!
//! It knows no sockets, status codes or collections. It returns values and announces
//! [`Event`](crate::domain::Event)s on the bus; the edges translate. Read in this order: `rooms`
//! (opening, listing, access), `seats` (entering, grace, leaving),
//! `subscriptions` (who hears a room), `messages` (sending, history),
//! `room_task` and `fanout` (ordering and delivery), `maintenance` (expiry and crashes).

mod admission;
mod bots;
mod command;
mod direct_messages;
mod error;
mod fanout;
mod limits;
mod lobby;
mod maintenance;
mod messages;
mod moderation;
mod password_check;
mod password_hash;
mod password_throttle;
mod person_locks;
mod reconcile;
mod reports;
mod retention;
mod room_task;
mod rooms;
mod seats;
mod subscriptions;

use std::{num::NonZeroU32, sync::Arc, time::Duration};

pub use crate::media::GetRange;
pub use error::{Error, ErrorCode, FieldError, client_id, person_id, room_id};
pub use limits::{Rate, RateLimit, Rates};
pub use maintenance::TakeOverError;
pub use messages::GifFile;
pub use moderation::{RoomChangeForm, RoomChanged};
pub use reports::Reported;
pub use rooms::{Opened, Requester, RoomForm, RoomPass};
pub use seats::{MAX_WINDOW, SeatGuard};
pub use subscriptions::{Exited, Subscriber};

pub use crate::store::LobbyPage;
use crate::{
    bus::Bus,
    domain::{Network, NetworkHash, NetworkKey, NodeId, PersonId, RoomId},
    keyed_limit::KeyedPermit,
    media::Media,
    store::Store,
};
use admission::Admission;
use bots::Bots;
use limits::RateLimiters;
use lobby::Lobby;
use password_check::PasswordCheck;
use person_locks::PersonLocks;
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

/// Counts one connection until dropped.
pub type Connected = KeyedPermit<PersonId>;

/// The chat service.
pub struct ChatService {
    store: Arc<dyn Store>,
    media: Media,
    bus: Bus,
    node: NodeId,
    policy: Policy,
    limits: RateLimiters,
    passwords: PasswordCheck,
    admission: Admission,
    person_locks: PersonLocks,
    bots: Bots,
    lobby: Lobby,
    room_tasks: Arc<RoomTasks>,
    reconciler: Arc<Reconciler>,
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
        policy: Policy,
    ) -> Result<Self, Error> {
        let reconciler = Arc::new(Reconciler::default());
        let (kept, max_chats) = (reconciler.clone(), policy.max_chats);
        let room_tasks = RoomTasks::new(store.clone(), media.clone(), bus.clone(), kept, max_chats);
        Ok(Self {
            node: NodeId::random(),
            limits: RateLimiters::new(&policy.rates),
            passwords: PasswordCheck::new()?,
            admission: Admission::default(),
            person_locks: PersonLocks::default(),
            bots: Bots::default(),
            lobby: Lobby::new(bus.clone()),
            room_tasks: Arc::new(room_tasks),
            reconciler,
            store,
            media,
            bus,
            policy,
        })
    }

    /// The room's hash of a network, if kicks ban networks.
    fn network_hash(&self, room: &RoomId, network: Option<&Network>) -> Option<NetworkHash> {
        self.policy.kick_networks.as_ref()?.hash(room, network?)
    }

    /// The operator's settings.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }
}
