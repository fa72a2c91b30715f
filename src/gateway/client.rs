//! One connection of a bot, as everybody else sees it: what is told to it, and how it is ended.
//!
//! What waits for a bot is bounded in frames and in bytes here, and in time where it is written. Whoever is over a bound is
//! cut off: they come back, name the newest message they have, and get what they missed.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde::Serialize;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::protocol::frames::{ErrorFrame, encode, server_events};
use crate::{
    chat::{Connected, Error, Requester, SeatGuard},
    domain::{Network, RoomId},
    session::Bot,
};

/// Frames that may wait for one bot: some seconds of a very lively room.
const MAX_WAITING: usize = 2_048;
/// Bytes that may wait for one bot, beyond what the kernel holds: a hundred of the longest messages.
const MAX_BACKLOG: usize = 1024 * 1024;

/// Why the server ends a connection: a code of the protocol, with what is said before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    /// A binary frame.
    Binary,
    /// A frame of more than 16 KiB.
    TooBig,
    /// The server restarts.
    Restarting,
    /// Too many frames in a row that are none.
    Nonsense,
    /// The bot has too many connections.
    TooMany,
    /// No token, a wrong one, or one that has ended.
    Token,
    /// Too slow in taking, or far too fast in giving.
    Pace,
    /// No sign of life.
    Silent,
}

impl Close {
    pub(super) fn code(self) -> u16 {
        match self {
            Self::Binary => 1003,
            Self::TooBig => 1009,
            Self::Restarting => 1012,
            Self::Nonsense => 4002,
            Self::TooMany => 4003,
            Self::Token => 4004,
            Self::Pace => 4008,
            Self::Silent => 4009,
        }
    }

    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Binary => "frames are text",
            Self::TooBig => "a frame has at most 16 KiB",
            Self::Restarting => "restarting",
            Self::Nonsense => "five frames in a row were not understood",
            Self::TooMany => "this bot has too many connections",
            Self::Token => "no valid token",
            Self::Pace => "too slow, or too much at once",
            Self::Silent => "no heartbeat",
        }
    }
}

/// Who is connected, once they have said so.
pub(super) struct Identity {
    pub(super) bot: Bot,
    /// KeyedPermit among the bot's connections for as long as this is there.
    pub(super) _connected: Connected,
}

/// A connection.
pub(super) struct Client {
    queue: mpsc::UnboundedSender<Utf8Bytes>,
    waiting: AtomicUsize,
    bytes: AtomicUsize,
    over: CancellationToken,
    close: OnceLock<Close>,
    identity: OnceLock<Identity>,
    pub(super) network: Option<Network>,
    seats: Mutex<HashMap<RoomId, Arc<SeatGuard>>>,
}

impl Client {
    /// A connection, and what waits for it.
    pub(super) fn new(network: Option<Network>) -> (Arc<Self>, mpsc::UnboundedReceiver<Utf8Bytes>) {
        let (queue, waiting) = mpsc::unbounded_channel();
        let client = Self {
            queue,
            waiting: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            over: CancellationToken::new(),
            close: OnceLock::new(),
            identity: OnceLock::new(),
            network,
            seats: Mutex::default(),
        };
        (Arc::new(client), waiting)
    }

    /// Tells it something. Whoever cannot take it is cut off.
    pub(super) fn tell(&self, frame: Utf8Bytes) {
        if self.over.is_cancelled() {
            return;
        }
        let bytes = self.bytes.fetch_add(frame.len(), Ordering::Relaxed) + frame.len();
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed) + 1;
        // A welcome may be longer than that: alone, it is not too much.
        if waiting > MAX_WAITING || (bytes > MAX_BACKLOG && waiting > 1) {
            info!("cut off a bot that is too slow");
            self.end_with(Close::Pace, &Error::TooSlow);
            return;
        }
        self.queue.send(frame).ok(); // Its reader has gone: so has the bot.
    }

    pub(super) fn say<T: Serialize>(&self, op: &'static str, d: &T) {
        self.tell(encode(op, d).into());
    }

    pub(super) fn send_error(&self, trouble: &ErrorFrame) {
        self.say(server_events::ERROR, trouble);
    }

    /// A frame was written.
    pub(super) fn took(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// Ends the connection. Only the first reason counts.
    pub(super) fn end(&self, close: Close) {
        self.close.set(close).ok(); // It is ending already.
        self.over.cancel();
    }

    /// Says what is wrong, and ends the connection.
    pub(super) fn end_with(&self, close: Close, error: &Error) {
        if !self.over.is_cancelled() {
            self.queue.send(encode(server_events::ERROR, &ErrorFrame::from(error)).into()).ok(); // It has gone.
        }
        self.end(close);
    }

    /// The other side has ended it.
    pub(super) fn over(&self) {
        self.over.cancel();
    }

    /// When the connection ends, for whichever reason.
    pub(super) async fn ended(&self) {
        self.over.cancelled().await;
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.is_cancelled()
    }

    /// Why the server ended it; `None` when the other side did.
    pub(super) fn why(&self) -> Option<Close> {
        self.close.get().copied()
    }

    /// Who this is from here on; false when it is somebody already.
    pub(super) fn identify(&self, identity: Identity) -> bool {
        self.identity.set(identity).is_ok()
    }

    pub(super) fn bot(&self) -> Option<&Bot> {
        self.identity.get().map(|identity| &identity.bot)
    }

    /// The bot, asking for something.
    pub(super) fn caller<'a>(&'a self, bot: &'a Bot) -> Requester<'a> {
        Requester { id: &bot.person.id, pass: None, network: self.network.as_ref() }
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<RoomId, Arc<SeatGuard>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its hold on a seat in this room.
    pub(super) fn seat(&self, room: &RoomId) -> Option<Arc<SeatGuard>> {
        self.seats().get(room).cloned()
    }

    /// Whether this is still its hold on a seat.
    pub(super) fn holds(&self, seat_guard: &Arc<SeatGuard>) -> bool {
        let held = |held: &Arc<SeatGuard>| Arc::ptr_eq(held, seat_guard);
        !self.is_over() && self.seats().get(&seat_guard.room).is_some_and(held)
    }

    /// Keeps a seat. When the connection has ended meanwhile, it is let go.
    pub(super) fn sit(&self, seat_guard: Arc<SeatGuard>) {
        let mut seats = self.seats();
        if !self.is_over() {
            seats.insert(seat_guard.room.clone(), seat_guard);
        }
    }

    /// Lets a seat go, and gives it.
    pub(super) fn rise(&self, room: &RoomId) -> Option<Arc<SeatGuard>> {
        self.seats().remove(room)
    }

    /// Lets every seat go, and gives them. The connection must be ending.
    pub(super) fn rise_all(&self) -> Vec<Arc<SeatGuard>> {
        self.seats().drain().map(|(_, seat_guard)| seat_guard).collect()
    }
}
