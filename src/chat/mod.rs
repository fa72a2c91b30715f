//! What people may do here: the one place with policy.
//!
//! It names no socket, no status code and no collection. It returns values, and announces
//! [`Event`]s on the bus; the edges translate. Read in this order: [`rooms`](self) make, list and
//! admit; seats are taken, kept for a grace and given up; messages are said and read back;
//! housekeeping finishes what time or a crash has left.

mod bots;
mod door;
mod doubts;
mod error;
mod guesses;
mod hashing;
mod history;
mod housekeeping;
mod lane;
mod limits;
mod lobby;
mod messages;
mod owner;
mod reports;
mod rooms;
mod seats;
mod telling;
mod work;

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
pub use limits::{Class, Rate, Rates};
pub use messages::GifFile;
pub use owner::{RoomChangeForm, RoomChanged};
pub use reports::Reported;
pub use rooms::{Caller, Opened, Pass, RoomForm};
pub use seats::{MAX_WINDOW, Presence, Welcome};

pub use crate::store::LobbyPage;
use crate::{
    bus::Bus,
    counts::{Counted, Counts},
    domain::{Network, NetworkHash, NetworkKey, NodeId, PersonId, RoomId},
    media::Media,
    store::Store,
};
use door::Door;
use doubts::Doubts;
use guesses::Guesses;
use hashing::Hashing;
use lane::Lanes;
use limits::Limits;
use lobby::Lobby;

/// What the operator allows.
#[derive(Debug, Clone)]
pub struct Rules {
    /// How long a dropped connection keeps its seat.
    pub grace: Duration,
    /// Most rooms at once.
    pub max_rooms: usize,
    /// Largest capacity a room may have.
    pub max_capacity: u32,
    /// Most messages that a room keeps; `None`: all, for as long as it lives.
    pub max_chats: Option<NonZeroU32>,
    /// Most connections of one person at once, in rooms and in the lobby.
    pub max_connections: usize,
    /// How often what costs others may be done.
    pub rates: Rates,
    /// With which a kick remembers the network that it shuts out, too; without one it does not.
    pub kick_networks: Option<NetworkKey>,
}

/// A new room waits so long for its first person, and for its owner.
const FIRST_PERSON_WITHIN: Duration = Duration::from_secs(60);

/// A connection, counted for as long as this is not dropped.
pub type Connected = Counted<PersonId>;

/// The chat. Clones are the same chat.
#[derive(Clone)]
pub struct Chat(Arc<Inner>);

/// What the parts of the chat share.
pub struct Inner {
    store: Arc<dyn Store>,
    media: Media,
    bus: Bus,
    node: NodeId,
    rules: Rules,
    limits: Limits,
    guesses: Guesses,
    connections: Counts<PersonId>,
    lanes: Lanes,
    lobby: Lobby,
    door: Door,
    hashing: Hashing,
    tasks: TaskTracker,
    doubts: Doubts,
    draining: AtomicBool,
}

impl Deref for Chat {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Chat {
    /// A chat over these parts, on a node of its own.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the system gives no threads.
    pub fn new(store: Arc<dyn Store>, media: Media, bus: Bus, rules: Rules) -> Result<Self, Error> {
        Ok(Self(Arc::new(Inner {
            limits: Limits::new(&rules.rates),
            guesses: Guesses::default(),
            connections: Counts::default(),
            store,
            media,
            bus,
            node: NodeId::random(),
            rules,
            lanes: Lanes::default(),
            lobby: Lobby::default(),
            door: Door::default(),
            hashing: Hashing::new()?,
            tasks: TaskTracker::new(),
            doubts: Doubts::default(),
            draining: AtomicBool::new(false),
        })))
    }

    /// What the operator allows.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whether the store answers, and new rooms and people are taken.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Restarting`].
    pub async fn ready(&self) -> Result<(), Error> {
        self.open_for_new()?;
        Ok(self.store.ready().await?)
    }

    /// From here on, no new rooms or people are taken.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// What a room remembers of a network, where kicks shut those out.
    fn network(&self, room: &RoomId, network: Option<&Network>) -> Option<NetworkHash> {
        Some(self.rules.kick_networks.as_ref()?.hash(room, network?))
    }

    /// Whether another connection for live messages may be opened from this network.
    ///
    /// # Errors
    /// [`Error::SlowDown`].
    pub fn may_connect(&self, network: &Network) -> Result<(), Error> {
        self.limits.check_handshake(network)
    }

    /// Whether somebody without a session may begin one, coming from this network.
    ///
    /// # Errors
    /// [`Error::SlowDown`].
    pub fn may_begin(&self, network: &Network) -> Result<(), Error> {
        self.limits.check_session(network)
    }

    /// Another connection of somebody, to be dropped with it.
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
