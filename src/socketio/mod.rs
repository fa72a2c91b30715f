//! The Socket.IO edge: the namespaces of the lobby and of rooms.
//!
//! [`protocol`] defines the events and their payloads. This module translates handshakes and
//! requests into calls of [`ChatService`], and bus events into emits. Handlers are registered
//! before the handshake is answered, because socketioxide drops an event that has no handler yet.

mod ack;
mod backpressure;
mod event_queue;
pub mod handshake;
mod lobby;
mod reader;
mod room;
mod session_watch;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use serde::Serialize;
use socketioxide::{
    SocketIo, extract::SocketRef, handler::ConnectHandler as _, layer::SocketIoLayer,
    operators::BroadcastOperators,
};
use tokio::{sync::mpsc, time::timeout};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};
use tracing::{debug, warn};

use crate::protocol::{self, ErrorBody, server_events};
use crate::{
    bus::{Edge, LARGE, PARTS, Part},
    chat::{ChatService, Error, SeatGuard},
    domain::{Body, Capacity, Event, Message, Person, PersonId, RoomId},
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

    /// Emits an event to some Socket.IO rooms of the chat namespace; false when the queue of a
    /// socket was full.
    async fn emit<T: Serialize + ?Sized>(
        &self,
        rooms: Vec<String>,
        event: &'static str,
        data: &T,
    ) -> bool {
        let Some(chat) = self.io.of(protocol::CHAT) else { return true };
        let sent = chat.within(rooms).emit(event, data).await;
        if let Err(error) = &sent {
            debug!(event, %error, "could not send an event to every socket of a room");
        }
        sent.is_ok()
    }

    /// Emits a message to a room and disconnects the sockets that cannot take it. Their clients get
    /// the message when they reconnect.
    async fn emit_message<T: Serialize>(
        &self,
        rooms: Vec<String>,
        event: &'static str,
        data: &T,
        message: &Message,
        part: Part,
    ) {
        let data = match serde_json::value::to_raw_value(data) {
            Ok(data) => data,
            Err(error) => return warn!(event, %error, "could not serialize an event"),
        };
        let bytes = data.get().len();
        if !self.emit(rooms.clone(), event, &data).await {
            backpressure::disconnect_full(&self.io, rooms, message);
        }
        if part.is_last()
            && let Some(sent) = self.sent_bytes.add(&message.room, bytes)
        {
            backpressure::disconnect_lagging(&self.io, &message.room, sent);
        }
    }

    /// Asks every client to reconnect, each after a random delay, and disconnects it.
    fn ask_to_reconnect(&self) {
        let namespaces = [protocol::CHAT, protocol::LOBBY].map(|path| self.io.of(path));
        let sockets = namespaces.into_iter().flatten().flat_map(BroadcastOperators::sockets);
        sockets.for_each(ask_to_reconnect);
    }

    async fn disconnect(&self, rooms: Vec<String>) {
        let Some(chat) = self.io.of(protocol::CHAT) else { return };
        if let Err(error) = chat.within(rooms).disconnect().await {
            warn!(%error, "could not disconnect every socket of a room");
        }
    }

    async fn message_posted(&self, message: &Message, prev: i64, part: Part) {
        let audience = match part.of {
            1 => audience(message),
            _ => vec![part_of(&message.room, part.nth)],
        };
        let chat = protocol::Chat::live(message, prev);
        self.emit_message(audience, server_events::CHAT, &chat, message, part).await;
    }

    /// Sends `kicked` to all sockets of a person who was removed, and disconnects them.
    async fn kicked(&self, room: &RoomId, person: &PersonId, by: &Person) {
        let seats = vec![seat_of(room, person)];
        let kicked = protocol::Kicked { by: protocol::Person::from(by) };
        self.emit(seats.clone(), server_events::KICKED, &kicked).await;
        self.disconnect(seats).await;
    }

    /// How many sockets are in a Socket.IO room.
    fn connected(&self, room: String) -> usize {
        self.io.of(protocol::CHAT).map_or(0, |chat| chat.within(room).sockets().len())
    }

    fn lobby(&self, change: lobby::Change) {
        self.lobby.send(change).ok(); // Fails only while the server stops, when the task has ended.
    }
}

/// The room that receives an event; `None` for events of the lobby or of the whole server.
fn room_of(event: &Event) -> Option<&RoomId> {
    match event {
        Event::Joined { message, .. }
        | Event::Left { message, .. }
        | Event::Posted { message, .. }
        | Event::Deleted { message } => Some(&message.room),
        Event::RoomUpdated(room) => Some(&room.id),
        Event::OwnerChanged { room, .. }
        | Event::Kicked { room, .. }
        | Event::Typing { room, .. }
        | Event::Head { room, .. }
        | Event::RoomClosed(room) => Some(room),
        Event::RoomOpened(_) | Event::RoomChanged(_) | Event::Restarting => None,
    }
}

/// The Socket.IO rooms of the people who may see a message.
fn audience(message: &Message) -> Vec<String> {
    match &message.body {
        Body::Whisper { to, .. } | Body::DeletedWhisper { to } => {
            vec![seat_of(&message.room, &message.by.id), seat_of(&message.room, &to.id)]
        }
        _ => vec![message.room.to_string()],
    }
}

/// The Socket.IO room of one person's sockets in one room.
fn seat_of(room: &RoomId, person: &PersonId) -> String {
    format!("{room}/{person}")
}

/// The Socket.IO room of one part of a large room's sockets.
fn part_of(room: &RoomId, nth: usize) -> String {
    format!("{room}#{nth}")
}

/// The Socket.IO rooms that a socket joins. Rooms whose capacity is below [`LARGE`] have no parts.
fn socket_rooms(seat: &SeatGuard, socket: &SocketRef, capacity: Capacity) -> Vec<String> {
    let SeatGuard { room, person, .. } = seat;
    let mut rooms = vec![room.to_string(), seat_of(room, &person.id)];
    if capacity.get() as usize >= LARGE {
        let nth = socket.id.as_str().bytes().map(usize::from).sum::<usize>() % PARTS;
        rooms.push(part_of(room, nth));
    }
    rooms
}

fn presence(message: &Message, prev: i64, count: u32, connected: bool) -> protocol::Presence {
    protocol::Presence {
        user: "system",
        person: protocol::Person::from(&message.by),
        current_users: count,
        connected,
        chat: protocol::Chat::live(message, prev),
    }
}

#[async_trait]
impl Edge for SocketIoEdge {
    fn listeners(&self, event: &Event) -> usize {
        room_of(event).map_or(0, |room| self.connected(room.to_string()))
    }

    /// False while a room has sockets that joined before its owner made it large: they have no
    /// part.
    fn is_divided(&self, event: &Event) -> bool {
        let Some(room) = room_of(event) else { return false };
        let parts = (0..PARTS).map(|nth| self.connected(part_of(room, nth)));
        parts.sum::<usize>() == self.connected(room.to_string())
    }

    async fn deliver(&self, event: &Event, part: Part) {
        match event {
            Event::RoomOpened(id) => self.lobby(lobby::Change::Opened(id.clone())),
            Event::RoomChanged(id) => self.lobby(lobby::Change::Changed(id.clone())),
            Event::RoomClosed(id) => {
                self.lobby(lobby::Change::Closed(id.clone()));
                self.sent_bytes.forget(id);
                self.emit(vec![id.to_string()], server_events::REMOVE_ROOM, id.as_str()).await;
                self.disconnect(vec![id.to_string()]).await;
            }
            Event::Joined { message, prev, count } => {
                let joined = presence(message, *prev, *count, true);
                self.emit_message(
                    vec![message.room.to_string()],
                    server_events::JOIN,
                    &joined,
                    message,
                    part,
                )
                .await;
            }
            Event::Left { message, prev, count } => {
                let left = presence(message, *prev, *count, false);
                self.emit_message(
                    vec![message.room.to_string()],
                    server_events::EXIT,
                    &left,
                    message,
                    part,
                )
                .await;
                self.disconnect(vec![seat_of(&message.room, &message.by.id)]).await;
            }
            Event::Posted { message, prev } => self.message_posted(message, *prev, part).await,
            Event::Deleted { message } => {
                let removed = protocol::Removed { seq: message.seq };
                self.emit(audience(message), server_events::CHAT_REMOVED, &removed).await;
            }
            Event::Kicked { room, person, by } => self.kicked(room, person, by).await,
            Event::RoomUpdated(room) => {
                let updated = protocol::Room::from(room);
                self.emit(vec![room.id.to_string()], server_events::UPDATE_ROOM, &updated).await;
            }
            Event::OwnerChanged { room, owner } => {
                let owner = protocol::Person::from(owner);
                self.emit(vec![room.to_string()], server_events::OWNER, &owner).await;
            }
            Event::Typing { room, person, typing } => {
                let Some(chat) = self.io.of(protocol::CHAT) else { return };
                let update =
                    protocol::Typing { person: protocol::Person::from(person), typing: *typing };
                let others =
                    chat.within(room.to_string()).except(seat_of(room, &person.id)).volatile();
                if let Err(error) = others.emit(server_events::TYPING, &update).await {
                    warn!(%error, "could not send a typing event");
                }
            }
            Event::Restarting => self.ask_to_reconnect(),
            Event::Head { room, seq } => {
                let head = protocol::Head { seq: *seq };
                self.emit(vec![room.to_string()], server_events::HEAD, &head).await;
            }
        }
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

/// Asks a client to reconnect, and disconnects it. It gets later events when it has reconnected.
fn ask_to_reconnect(socket: SocketRef) {
    socket.leave_all();
    socket.join(LEAVING);
    emit_error(&socket, &Error::restarting());
    tokio::spawn(backpressure::disconnect_when_writable(socket));
}

/// Emits an `error` event to a socket; false when its queue is full or it is closed.
fn emit_error(socket: &SocketRef, error: &Error) -> bool {
    socket.emit(server_events::ERROR, &ErrorBody::from(error)).is_ok()
}
