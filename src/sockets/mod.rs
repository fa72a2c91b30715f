//! The Socket.IO edge: the lobby and the inside of a room, live.
//!
//! [`protocol`] says what is spoken. Here handshakes and requests become calls of the chat, and
//! events become emits. Handlers are registered while a handshake is still being answered: an
//! event that arrives before its handler would vanish without an answer.

mod answer;
pub mod handshake;
mod lobby;
pub mod protocol;
mod reader;
mod room;
mod slow;
mod turn;
mod watch;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use serde::Serialize;
use socketioxide::{
    SocketIo, extract::SocketRef, handler::ConnectHandler as _, layer::SocketIoLayer,
    operators::BroadcastOperators,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::{
    bus::{Edge, LARGE, PARTS, Part},
    chat::{Chat, Error, Presence},
    domain::{Body, Capacity, Event, Message, Person, PersonId, RoomId},
    session::{Session, SessionKey, Sessions, Visitor},
};
use protocol::{ErrorBody, told};
use watch::Watch;

/// Packets that may wait for one socket: some seconds of a very lively room. The memory is taken
/// as it is used, and bounded in bytes by [`slow::MAX_BACKLOG`].
const QUEUE: usize = 2_048;
/// What people send is short, and each connection holds one of these for as long as it lives.
const READ_BUFFER: usize = 512;
/// A message of 2,000 characters, escaped, fits many times over.
const MAX_FRAME_BYTES: usize = 64 * 1024;

/// What the handlers share.
#[derive(Clone)]
struct Shared {
    chat: Chat,
    sessions: Sessions,
    watch: Watch,
}

/// The edge.
pub struct Sockets {
    io: SocketIo,
    lobby: mpsc::UnboundedSender<lobby::Change>,
    traffic: slow::Traffic,
    stopped: CancellationToken,
}

impl Sockets {
    /// The edge and the layer that puts it into a router. The layer belongs inside the one that
    /// gives requests their session.
    #[must_use]
    pub fn new(chat: &Chat, sessions: &Sessions) -> (Arc<Self>, SocketIoLayer) {
        let watch = Watch::default();
        let shared =
            Shared { chat: chat.clone(), sessions: sessions.clone(), watch: watch.clone() };
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
        tokio::spawn(lobby::tell(io.clone(), chat.clone(), changes));
        let stopped = CancellationToken::new();
        tokio::spawn(watch.run(io.clone(), sessions.clone(), stopped.clone()));
        (Arc::new(Self { io, lobby, traffic: slow::Traffic::default(), stopped }), layer)
    }

    /// Ends every connection, without a word.
    pub async fn close(&self) {
        self.stopped.cancel();
        self.io.close().await;
    }

    /// Tells everybody in some Socket.IO rooms of the chat namespace; false when somebody could
    /// not be told.
    async fn tell<T: Serialize + ?Sized>(
        &self,
        rooms: Vec<String>,
        event: &'static str,
        data: &T,
    ) -> bool {
        let Some(chat) = self.io.of(protocol::CHAT) else { return true };
        let told = chat.within(rooms).emit(event, data).await;
        if let Err(error) = &told {
            debug!(event, %error, "could not tell everybody");
        }
        told.is_ok()
    }

    /// Tells a room of a message; whoever cannot take it is cut off, and gets it when they return.
    async fn tell_message<T: Serialize>(
        &self,
        rooms: Vec<String>,
        event: &'static str,
        data: &T,
        message: &Message,
        part: Part,
    ) {
        let data = match serde_json::value::to_raw_value(data) {
            Ok(data) => data,
            Err(error) => return warn!(event, %error, "could not put an event into words"),
        };
        let bytes = data.get().len();
        if !self.tell(rooms.clone(), event, &data).await {
            slow::cut_off_the_full(&self.io, rooms, message);
        }
        if part.is_last()
            && let Some(sent) = self.traffic.add(&message.room, bytes)
        {
            slow::cut_off_the_late(&self.io, &message.room, sent);
        }
    }

    /// Asks everybody to come back, each at a moment of their own.
    fn send_away(&self) {
        let both = [protocol::CHAT, protocol::LOBBY].map(|path| self.io.of(path));
        for socket in both.into_iter().flatten().flat_map(BroadcastOperators::sockets) {
            complain(&socket, &Error::restarting());
            socket.leave_all(); // Whatever comes next, they hear when they are back.
            tokio::spawn(slow::part(socket));
        }
    }

    async fn disconnect(&self, rooms: Vec<String>) {
        let Some(chat) = self.io.of(protocol::CHAT) else { return };
        if let Err(error) = chat.within(rooms).disconnect().await {
            warn!(%error, "could not disconnect everybody");
        }
    }

    async fn said(&self, message: &Message, prev: i64, part: Part) {
        let audience = match part.of {
            1 => audience(message),
            _ => vec![part_of(&message.room, part.nth)],
        };
        let chat = protocol::Chat::live(message, prev);
        self.tell_message(audience, told::CHAT, &chat, message, part).await;
    }

    /// The last word to somebody who was removed, in whichever tab.
    async fn kicked(&self, room: &RoomId, person: &PersonId, by: &Person) {
        let theirs = vec![seat(room, person)];
        let kicked = protocol::Kicked { by: protocol::Person::from(by) };
        self.tell(theirs.clone(), told::KICKED, &kicked).await;
        self.disconnect(theirs).await;
    }

    /// How many sockets are in a Socket.IO room.
    fn connected(&self, room: String) -> usize {
        self.io.of(protocol::CHAT).map_or(0, |chat| chat.within(room).sockets().len())
    }

    fn lobby(&self, change: lobby::Change) {
        self.lobby.send(change).ok(); // Its task ends with the server.
    }
}

/// The room that hears of an event, if it is one.
fn room_of(event: &Event) -> Option<&RoomId> {
    match event {
        Event::Joined { message, .. }
        | Event::Left { message, .. }
        | Event::Said { message, .. }
        | Event::Emptied { message } => Some(&message.room),
        Event::RoomUpdated(room) => Some(&room.id),
        Event::OwnerChanged { room, .. }
        | Event::Kicked { room, .. }
        | Event::Typing { room, .. }
        | Event::Head { room, .. }
        | Event::RoomClosed(room) => Some(room),
        Event::RoomOpened(_) | Event::RoomChanged(_) | Event::Restarting => None,
    }
}

/// The Socket.IO rooms of those who see a message.
fn audience(message: &Message) -> Vec<String> {
    match &message.body {
        Body::Whisper { to, .. } | Body::DeletedWhisper { to } => {
            vec![seat(&message.room, &message.by.id), seat(&message.room, &to.id)]
        }
        _ => vec![message.room.to_string()],
    }
}

/// The Socket.IO room of one person's sockets in one room.
fn seat(room: &RoomId, person: &PersonId) -> String {
    format!("{room}/{person}")
}

/// The Socket.IO room of some of the sockets in a large room.
fn part_of(room: &RoomId, nth: usize) -> String {
    format!("{room}#{nth}")
}

/// The Socket.IO rooms of somebody's socket in a room. It is in none of the parts where few may come in.
fn places(presence: &Presence, socket: &SocketRef, capacity: Capacity) -> Vec<String> {
    let Presence { room, person, .. } = presence;
    let mut places = vec![room.to_string(), seat(room, &person.id)];
    if capacity.get() as usize >= LARGE {
        let nth = socket.id.as_str().bytes().map(usize::from).sum::<usize>() % PARTS;
        places.push(part_of(room, nth));
    }
    places
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
impl Edge for Sockets {
    fn listeners(&self, event: &Event) -> usize {
        room_of(event).map_or(0, |room| self.connected(room.to_string()))
    }

    /// Not those who came before a room was made a large one.
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
                self.traffic.forget(id);
                self.tell(vec![id.to_string()], told::REMOVE_ROOM, id.as_str()).await;
                self.disconnect(vec![id.to_string()]).await;
            }
            Event::Joined { message, prev, count } => {
                let joined = presence(message, *prev, *count, true);
                self.tell_message(
                    vec![message.room.to_string()],
                    told::JOIN,
                    &joined,
                    message,
                    part,
                )
                .await;
            }
            Event::Left { message, prev, count } => {
                let left = presence(message, *prev, *count, false);
                self.tell_message(vec![message.room.to_string()], told::EXIT, &left, message, part)
                    .await;
                self.disconnect(vec![seat(&message.room, &message.by.id)]).await;
            }
            Event::Said { message, prev } => self.said(message, *prev, part).await,
            Event::Emptied { message } => {
                let removed = protocol::Removed { seq: message.seq };
                self.tell(audience(message), told::CHAT_REMOVED, &removed).await;
            }
            Event::Kicked { room, person, by } => self.kicked(room, person, by).await,
            Event::RoomUpdated(room) => {
                let updated = protocol::Room::from(room);
                self.tell(vec![room.id.to_string()], told::UPDATE_ROOM, &updated).await;
            }
            Event::OwnerChanged { room, owner } => {
                let owner = protocol::Person::from(owner);
                self.tell(vec![room.to_string()], told::OWNER, &owner).await;
            }
            Event::Typing { room, person, typing } => {
                let Some(chat) = self.io.of(protocol::CHAT) else { return };
                let told =
                    protocol::Typing { person: protocol::Person::from(person), typing: *typing };
                let others =
                    chat.within(room.to_string()).except(seat(room, &person.id)).volatile();
                if let Err(error) = others.emit(told::TYPING, &told).await {
                    warn!(%error, "could not tell that somebody is typing");
                }
            }
            Event::Restarting => self.send_away(),
            Event::Head { room, seq } => {
                let head = protocol::Head { seq: *seq };
                self.tell(vec![room.to_string()], told::HEAD, &head).await;
            }
        }
    }
}

/// A handshake that is refused; its text is the `connect_error`'s message.
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
    /// Whose socket this is.
    async fn visitor(&self, session: &Session) -> Result<Visitor, Refused> {
        self.sessions.resume_anew(session).await?.ok_or(Refused(Error::Unauthorized))
    }

    /// Whose socket this is, from here on silenced when their session ends.
    async fn admit(&self, socket: &SocketRef, session: &Session) -> Result<Visitor, Refused> {
        let visitor = self.visitor(session).await?;
        if let Some(key) = SessionKey::of(session) {
            self.watch.add(socket, key);
        }
        Ok(visitor)
    }
}

/// Says what went wrong to a socket that waits for no answer; false when it cannot be told.
fn complain(socket: &SocketRef, error: &Error) -> bool {
    socket.emit(told::ERROR, &ErrorBody::from(error)).is_ok()
}
