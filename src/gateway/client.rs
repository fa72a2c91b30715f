//! One connection of a bot, as the rest of the gateway uses it: its queue, its seats and its end.
//!
//! The queue has a bound in frames and a bound in bytes; [`connection`](super::connection) bounds
//! the time of a write. The gateway disconnects a bot over any bound. The bot reconnects, names the
//! newest message that it has, and gets the rest.

use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;

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

/// Largest queue of one bot, in frames: some seconds of a very lively room.
const MAX_QUEUED: usize = 2_048;
/// Largest queue of one bot, in bytes, without the kernel's buffers: 100 of the longest messages.
const MAX_BACKLOG: usize = 1024 * 1024;

/// Why the server closes a connection; each reason has a close code and a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    /// A binary frame.
    Binary,
    /// A frame of more than 16 KiB.
    TooBig,
    /// The server restarts.
    Restarting,
    /// Too many malformed frames in a row.
    Malformed,
    /// The bot has too many connections.
    TooMany,
    /// No token, a wrong token, or an expired or revoked one.
    Token,
    /// The bot reads too slowly, or sends far too fast.
    Pace,
    /// No heartbeat.
    Silent,
}

impl Close {
    pub(super) fn code(self) -> u16 {
        match self {
            Self::Binary => 1003,
            Self::TooBig => 1009,
            Self::Restarting => 1012,
            Self::Malformed => 4002,
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
            Self::Malformed => "five frames in a row were not understood",
            Self::TooMany => "this bot has too many connections",
            Self::Token => "no valid token",
            Self::Pace => "too slow, or too much at once",
            Self::Silent => "no heartbeat",
        }
    }
}

/// The bot of a connection, after `IDENTIFY`.
pub(super) struct Identity {
    pub(super) bot: Bot,
    /// Counts as one of the bot's connections until it is dropped.
    pub(super) _connected: Connected,
}

/// A bot's connection.
pub(super) struct Client {
    queue: mpsc::UnboundedSender<Utf8Bytes>,
    queued: AtomicUsize,
    bytes: AtomicUsize,
    ended: CancellationToken,
    close: OnceLock<Close>,
    identity: OnceLock<Identity>,
    pub(super) network: Option<Network>,
    seats: Mutex<HashMap<RoomId, Arc<SeatGuard>>>,
}

impl Client {
    /// Creates a connection, and the receiver of its queue.
    pub(super) fn new(network: Option<Network>) -> (Arc<Self>, mpsc::UnboundedReceiver<Utf8Bytes>) {
        let (queue, frames) = mpsc::unbounded_channel();
        let client = Self {
            queue,
            queued: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            ended: CancellationToken::new(),
            close: OnceLock::new(),
            identity: OnceLock::new(),
            network,
            seats: Mutex::default(),
        };
        (Arc::new(client), frames)
    }

    /// Queues a frame, and disconnects the bot when the queue exceeds a bound.
    pub(super) fn send(&self, frame: Utf8Bytes) {
        if self.ended.is_cancelled() {
            return;
        }
        let bytes = self.bytes.fetch_add(frame.len(), Ordering::Relaxed) + frame.len();
        let queued = self.queued.fetch_add(1, Ordering::Relaxed) + 1;
        // One frame alone may exceed the bound in bytes, because a welcome can be that long.
        if queued > MAX_QUEUED || (bytes > MAX_BACKLOG && queued > 1) {
            info!("disconnecting a bot that reads too slowly");
            self.end_with(Close::Pace, &Error::TooSlow);
            return;
        }
        self.queue.send(frame).ok(); // Fails when the connection has closed.
    }

    /// Queues a frame with this op and data.
    pub(super) fn send_frame<T: Serialize>(&self, op: &'static str, d: &T) {
        self.send(encode(op, d).into());
    }

    pub(super) fn send_error(&self, error: &ErrorFrame) {
        self.send_frame(server_events::ERROR, error);
    }

    /// Subtracts a written frame from the queue's counts.
    pub(super) fn written(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.queued.fetch_sub(1, Ordering::Relaxed);
    }

    /// Closes the connection. The first reason wins.
    pub(super) fn end(&self, close: Close) {
        self.close.set(close).ok(); // Fails when it is closing already.
        self.ended.cancel();
    }

    /// Queues an `ERROR` frame, and closes the connection.
    pub(super) fn end_with(&self, close: Close, error: &Error) {
        if !self.ended.is_cancelled() {
            let frame = encode(server_events::ERROR, &ErrorFrame::from(error));
            self.queue.send(frame.into()).ok(); // Fails when the connection has closed.
        }
        self.end(close);
    }

    /// Marks the connection as closed by the bot.
    pub(super) fn closed_by_bot(&self) {
        self.ended.cancel();
    }

    /// Completes when the connection ends, for any reason.
    pub(super) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_cancelled()
    }

    /// Why the server closed it; `None` when the bot did.
    pub(super) fn close_reason(&self) -> Option<Close> {
        self.close.get().copied()
    }

    /// Sets the connection's bot; false when it has one already.
    pub(super) fn identify(&self, identity: Identity) -> bool {
        self.identity.set(identity).is_ok()
    }

    pub(super) fn bot(&self) -> Option<&Bot> {
        self.identity.get().map(|identity| &identity.bot)
    }

    /// The bot, as the chat checks requests.
    pub(super) fn requester<'a>(&'a self, bot: &'a Bot) -> Requester<'a> {
        Requester { id: &bot.person.id, pass: None, network: self.network.as_ref() }
    }

    /// The guard of its seat in a room.
    pub(super) fn seat(&self, room: &RoomId) -> Option<Arc<SeatGuard>> {
        self.seats.lock().get(room).cloned()
    }

    /// Whether the connection is open and this is still its guard of the seat.
    pub(super) fn holds(&self, seat_guard: &Arc<SeatGuard>) -> bool {
        let held = |held: &Arc<SeatGuard>| Arc::ptr_eq(held, seat_guard);
        !self.has_ended() && self.seats.lock().get(&seat_guard.room).is_some_and(held)
    }

    /// Stores a seat's guard; drops it, and so releases the seat, when the connection has ended.
    pub(super) fn keep_seat(&self, seat_guard: Arc<SeatGuard>) {
        let mut seats = self.seats.lock();
        if !self.has_ended() {
            seats.insert(seat_guard.room.clone(), seat_guard);
        }
    }

    /// Removes and returns a seat's guard; dropping it releases the seat.
    pub(super) fn release_seat(&self, room: &RoomId) -> Option<Arc<SeatGuard>> {
        self.seats.lock().remove(room)
    }

    /// Removes and returns the guards of all seats. The connection must be ending.
    pub(super) fn release_all(&self) -> Vec<Arc<SeatGuard>> {
        self.seats.lock().drain().map(|(_, seat_guard)| seat_guard).collect()
    }
}
