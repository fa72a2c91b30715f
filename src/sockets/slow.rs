//! Sockets that cannot take what is sent to them.
//!
//! What waits for a socket is bounded in packets, by its queue, and in bytes. Whoever is over a bound is
//! cut off: they come back, name the newest message they have, and get what they missed. Until then
//! they cost their room nothing.
//!
//! Bytes are not counted one by one: each time that a room has been sent a stretch of them, each of its
//! sockets is asked how many its connection has taken since. What it did not take, waits.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use socketioxide::{SendError, SocketError, SocketIo, extract::SocketRef};
use tokio::time::sleep;
use tracing::info;

use super::{
    complain,
    protocol::{self, Head, told},
};
use crate::{
    chat::Error,
    connection::Taken,
    domain::{Message, RoomId},
};

/// Bytes that may wait for one socket, beyond what the kernel holds: a hundred of the longest messages.
pub(super) const MAX_BACKLOG: u64 = 1024 * 1024;
/// How many bytes a room is sent before its sockets are asked what they took.
const STRETCH: u64 = 128 * 1024;
/// How often a full queue is tried again: it empties with its client's next read, or never.
const TRY_EVERY: Duration = Duration::from_millis(200);
/// What surrounds an event on the wire: `42/chat,["chat",…]` and the frame around it.
const AROUND_AN_EVENT: u64 = 24;

/// How many bytes each room was sent since its sockets were last asked.
#[derive(Default)]
pub(super) struct Traffic(Mutex<HashMap<RoomId, u64>>);

impl Traffic {
    /// Counts an event; gives the bytes of the stretch that it ends, if it does.
    pub(super) fn add(&self, room: &RoomId, bytes: usize) -> Option<u64> {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = match rooms.get_mut(room) {
            Some(sent) => sent,
            None => rooms.entry(room.clone()).or_default(),
        };
        *sent += bytes as u64 + AROUND_AN_EVENT;
        (*sent >= STRETCH).then(|| std::mem::take(sent))
    }

    pub(super) fn forget(&self, room: &RoomId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(room);
    }
}

/// What waits for one socket; an extension of it.
#[derive(Clone)]
pub(super) struct Backlog(Arc<Mutex<Waiting>>);

struct Waiting {
    connection: Taken,
    /// What the connection had taken when it was last asked; `None` before the first time.
    taken: Option<u64>,
    bytes: u64,
}

impl Backlog {
    pub(super) fn of(connection: Taken) -> Self {
        Self(Arc::new(Mutex::new(Waiting { connection, taken: None, bytes: 0 })))
    }

    /// How many bytes wait, now that so many more were sent.
    fn after(&self, sent: u64) -> u64 {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = waiting.connection.bytes();
        if let Some(before) = waiting.taken.replace(taken) {
            waiting.bytes = (waiting.bytes + sent).saturating_sub(taken - before);
        }
        waiting.bytes
    }
}

/// Cuts off those for whom more bytes wait than may, after a room was sent so many more.
pub(super) fn cut_off_the_late(io: &SocketIo, room: &RoomId, sent: u64) {
    let Some(chat) = io.of(protocol::CHAT) else { return };
    for socket in chat.within(room.to_string()).sockets() {
        let waiting = socket.extensions.get::<Backlog>().map_or(0, |backlog| backlog.after(sent));
        if waiting > MAX_BACKLOG {
            cut_off(socket, room);
        }
    }
}

/// Tells those in some Socket.IO rooms how far their room has got, after one of them could not be told of a
/// message; whoever cannot take that either is cut off.
pub(super) fn cut_off_the_full(io: &SocketIo, rooms: Vec<String>, message: &Message) {
    let Some(chat) = io.of(protocol::CHAT) else { return };
    for socket in chat.within(rooms).sockets() {
        let told = socket.emit(told::HEAD, &Head { seq: message.seq });
        if matches!(told, Err(SendError::Socket(SocketError::InternalChannelFull))) {
            cut_off(socket, &message.room);
        }
    }
}

fn cut_off(socket: SocketRef, room: &RoomId) {
    info!(%room, socket = %socket.id, "cut off a socket that is too slow");
    socket.leave_all();
    tokio::spawn(async move {
        while socket.connected() && !complain(&socket, &Error::TooSlow) {
            sleep(TRY_EVERY).await;
        }
        part(socket).await;
    });
}

/// Ends a connection as soon as its queue has room for that. One that never reads again is ended by
/// the kernel.
pub(super) async fn part(socket: SocketRef) {
    while socket.connected() && socket.clone().disconnect().is_err() {
        sleep(TRY_EVERY).await;
    }
}
