//! Backpressure: sockets that read more slowly than their room sends.
//!
//! Each socket's queue has a bound in packets and a bound in bytes. The server disconnects a socket
//! over either bound. Its client reconnects, names the newest message it has, and gets the rest.
//! Until then the socket costs its room nothing.
//!
//! Bytes are sampled, not counted per packet: after every [`CHECK_EVERY`] bytes sent to a room,
//! each of its sockets compares the bytes sent with the bytes that its connection has written.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;

use socketioxide::{SendError, SocketError, SocketIo, extract::SocketRef};
use tokio::time::sleep;
use tracing::info;

use super::{
    emit_error,
    protocol::{self, Head, server_events},
    room,
};
use crate::{
    chat::Error,
    domain::{Message, RoomId},
    net::BytesWritten,
};

/// Largest queue of one socket, in bytes, without the kernel's buffers: 100 of the longest
/// messages.
pub(super) const MAX_BACKLOG: u64 = 1024 * 1024;
/// Bytes sent to a room between two checks of its sockets.
const CHECK_EVERY: u64 = 128 * 1024;
/// Interval between attempts on a full queue: it drains when the client next reads, or never.
const RETRY_EVERY: Duration = Duration::from_millis(200);
/// Bytes around an event's payload on the wire: `42/chat,["chat",…]` and the WebSocket frame.
const AROUND_AN_EVENT: u64 = 24;

/// Bytes sent to each room since the last check of its sockets.
#[derive(Default)]
pub(super) struct SentBytes(Mutex<HashMap<RoomId, u64>>);

impl SentBytes {
    /// Counts an event; returns the bytes since the last check when a check is due.
    pub(super) fn add(&self, room: &RoomId, bytes: usize) -> Option<u64> {
        let mut rooms = self.0.lock();
        let sent = match rooms.get_mut(room) {
            Some(sent) => sent,
            None => rooms.entry(room.clone()).or_default(),
        };
        *sent += bytes as u64 + AROUND_AN_EVENT;
        (*sent >= CHECK_EVERY).then(|| std::mem::take(sent))
    }

    pub(super) fn forget(&self, room: &RoomId) {
        self.0.lock().remove(room);
    }
}

/// The queue of one socket, in bytes; stored as an extension of the socket.
#[derive(Clone)]
pub(super) struct Backlog(Arc<Mutex<Waiting>>);

struct Waiting {
    connection: BytesWritten,
    /// Bytes that the connection had written at the last check; `None` before the first.
    written: Option<u64>,
    bytes: u64,
}

impl Backlog {
    pub(super) fn of(connection: BytesWritten) -> Self {
        Self(Arc::new(Mutex::new(Waiting { connection, written: None, bytes: 0 })))
    }

    /// Adds `sent` bytes, subtracts those written since the last check, and returns the queue's
    /// size.
    fn record(&self, sent: u64) -> u64 {
        let mut waiting = self.0.lock();
        let written = waiting.connection.bytes();
        if let Some(before) = waiting.written.replace(written) {
            waiting.bytes = (waiting.bytes + sent).saturating_sub(written - before);
        }
        waiting.bytes
    }
}

/// Disconnects the sockets whose queues exceed [`MAX_BACKLOG`], after `sent` more bytes to a room.
pub(super) fn disconnect_lagging(io: &SocketIo, room: &RoomId, sent: u64) {
    let Some(chat) = io.of(protocol::CHAT) else { return };
    for socket in chat.within(room.to_string()).sockets() {
        let waiting = socket.extensions.get::<Backlog>().map_or(0, |backlog| backlog.record(sent));
        if waiting > MAX_BACKLOG {
            disconnect(socket, room);
        }
    }
}

/// Sends the room's head to some Socket.IO rooms after a broadcast met a full queue, and
/// disconnects the sockets whose queues cannot take the head either. The others learn that they
/// missed a message.
pub(super) fn disconnect_full(io: &SocketIo, rooms: Vec<String>, message: &Message) {
    let Some(chat) = io.of(protocol::CHAT) else { return };
    for socket in chat.within(rooms).sockets() {
        let sent = socket.emit(server_events::HEAD, &Head { seq: message.seq });
        if matches!(sent, Err(SendError::Socket(SocketError::InternalChannelFull))) {
            disconnect(socket, &message.room);
        }
    }
}

fn disconnect(socket: SocketRef, room: &RoomId) {
    info!(%room, socket = %socket.id, "disconnecting a socket that reads too slowly");
    room::let_go(&socket);
    tokio::spawn(async move {
        while socket.connected() && !emit_error(&socket, &Error::TooSlow) {
            sleep(RETRY_EVERY).await;
        }
        disconnect_when_writable(socket).await;
    });
}

/// Disconnects a socket as soon as its queue has room for the packet. When a client never reads
/// again, the kernel's timeout ends the connection.
pub(super) async fn disconnect_when_writable(socket: SocketRef) {
    while socket.connected() && socket.clone().disconnect().is_err() {
        sleep(RETRY_EVERY).await;
    }
}
