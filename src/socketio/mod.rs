//! The Socket.IO edge: the namespaces of the lobby and of rooms.
//!
//! [`protocol`] defines the events and their payloads. This module translates handshakes and
//! requests into calls of [`ChatService`], and [`edge`] bus events into emits. Handlers are registered
//! before the handshake is answered, because socketioxide drops an event that has no handler yet.

mod ack;
mod backpressure;
mod edge;
mod event_queue;
pub mod handshake;
mod lobby;
mod reader;
mod room;
mod session_watch;

use std::{fmt, sync::Arc, time::Duration};

use socketioxide::{
    SocketIo, extract::SocketRef, handler::ConnectHandler as _, layer::SocketIoLayer,
};
use tokio::{sync::mpsc, time::timeout};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};
use tracing::warn;

use crate::protocol::{self, ErrorBody, server_events};
use crate::{
    chat::{ChatService, Error},
    domain::Network,
    session::{Session, SessionKey, Sessions, Visitor},
};
use session_watch::SessionWatch;

/// Largest queue of one socket, in packets: some seconds of a very lively room. The queue allocates
/// as it grows; [`backpressure::MAX_BACKLOG`] bounds its bytes.
const QUEUE: usize = 2_048;
/// Read buffer of one connection, in bytes: small, because clients send short frames and each
/// connection holds a buffer for its lifetime.
const READ_BUFFER: usize = 512;
/// Largest frame from a client, in bytes: several times a message of 2,000 escaped characters.
const MAX_FRAME_BYTES: usize = 64 * 1024;
/// Time in a shutdown for handshakes that have begun.
const HANDSHAKES_WITHIN: Duration = Duration::from_millis(500);
/// The Socket.IO room of sockets that were asked to reconnect. They get no later event.
const LEAVING: &str = "leaving";

/// State that all handlers share.
#[derive(Clone)]
struct Shared {
    chat: Arc<ChatService>,
    sessions: Sessions,
    watch: SessionWatch,
    /// One token for each socket that is connecting, as an extension of the socket.
    handshakes: TaskTracker,
}

/// The Socket.IO edge.
pub struct SocketIoEdge {
    io: SocketIo,
    lobby: mpsc::UnboundedSender<lobby::Change>,
    sent_bytes: backpressure::SentBytes,
    handshakes: TaskTracker,
    stopped: CancellationToken,
}

impl SocketIoEdge {
    /// Creates the edge, and the layer that adds it to a router. The session layer must wrap that
    /// layer, because handshakes need a session.
    #[must_use]
    pub fn new(chat: &Arc<ChatService>, sessions: &Sessions) -> (Arc<Self>, SocketIoLayer) {
        let watch = SessionWatch::default();
        let handshakes = TaskTracker::new();
        let shared = Shared {
            chat: chat.clone(),
            sessions: sessions.clone(),
            watch: watch.clone(),
            handshakes: handshakes.clone(),
        };
        let (layer, io) = SocketIo::builder()
            .with_state(shared)
            .max_buffer_size(QUEUE)
            .max_payload(MAX_FRAME_BYTES as u64)
            .ws_max_message_size(MAX_FRAME_BYTES)
            .ws_max_frame_size(MAX_FRAME_BYTES)
            .ws_read_buffer_size(READ_BUFFER)
            .connect_timeout(Duration::from_secs(10))
            .build_layer();
        io.ns(protocol::LOBBY, lobby::connected.with(lobby::admit));
        io.ns(protocol::CHAT, room::connected.with(room::admit));
        let (lobby, changes) = mpsc::unbounded_channel();
        tokio::spawn(lobby::broadcast(io.clone(), chat.clone(), changes));
        let (sent_bytes, stopped) = (backpressure::SentBytes::default(), CancellationToken::new());
        tokio::spawn(watch.run(io.clone(), sessions.clone(), stopped.clone()));
        (Arc::new(Self { io, lobby, sent_bytes, handshakes, stopped }), layer)
    }

    /// Finishes the handshakes that have begun, so that those clients are asked to reconnect, too;
    /// then ends every connection.
    pub async fn close(&self) {
        self.stopped.cancel();
        self.handshakes.close();
        timeout(HANDSHAKES_WITHIN, self.handshakes.wait()).await.ok(); // The rest just ends.
        self.io.close().await;
    }
}

/// The refusal of a handshake; its text is the message of `connect_error`.
#[derive(Debug)]
struct Refused(Error);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code())
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        if let Error::Unavailable(cause) = &error {
            warn!(%cause, "could not answer a handshake");
        }
        Self(error)
    }
}

impl From<Refused> for Error {
    fn from(Refused(error): Refused) -> Self {
        error
    }
}

impl From<crate::session::Error> for Refused {
    fn from(error: crate::session::Error) -> Self {
        Self::from(Error::Unavailable(error.into()))
    }
}

impl Shared {
    /// Loads the visitor of a session; refuses the request when the session has ended.
    async fn visitor(&self, session: &Session) -> Result<Visitor, Refused> {
        self.sessions.resume_anew(session).await?.ok_or(Refused(Error::Unauthorized))
    }

    /// Loads the visitor of a handshake, and watches the session so that its end disconnects the
    /// socket.
    async fn admit(&self, socket: &SocketRef, session: &Session) -> Result<Visitor, Refused> {
        socket.extensions.insert(self.handshakes.token());
        let visitor = self.visitor(session).await?;
        if let Some(key) = SessionKey::of(session) {
            self.watch.add(socket, key);
        }
        let network = socket.req_parts().extensions.get::<Network>().cloned();
        let network = network.unwrap_or(Network::Unknown);
        socket.extensions.insert(ack::Sender::new(visitor.person.id.clone(), network));
        Ok(visitor)
    }

    /// Ends the handshake of a socket. A draining server asks the client to reconnect, as it may
    /// have asked all others before this one was connected; returns whether it did.
    fn must_reconnect(&self, socket: &SocketRef) -> bool {
        let _handshake = socket.extensions.remove::<TaskTrackerToken>();
        let draining = self.chat.is_draining();
        if draining {
            ask_to_reconnect(socket.clone());
        }
        draining
    }
}

/// Disconnects a socket whose person has no seat any more.
fn end_without_seat(socket: SocketRef) {
    room::let_go(&socket);
    emit_error(&socket, &Error::NotInRoom);
    tokio::spawn(backpressure::disconnect_when_writable(socket));
}

/// Asks a client to reconnect, and disconnects it. It gets later events when it has reconnected.
fn ask_to_reconnect(socket: SocketRef) {
    room::let_go(&socket);
    socket.join(LEAVING);
    emit_error(&socket, &Error::restarting());
    tokio::spawn(backpressure::disconnect_when_writable(socket));
}

/// Emits an `error` event to a socket; false when its queue is full or it is closed.
fn emit_error(socket: &SocketRef, error: &Error) -> bool {
    socket.emit(server_events::ERROR, &ErrorBody::from(error)).is_ok()
}
