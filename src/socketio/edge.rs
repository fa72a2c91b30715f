//! Delivers bus events to sockets.

use async_trait::async_trait;
use serde::Serialize;
use socketioxide::{extract::SocketRef, operators::BroadcastOperators};
use tracing::{debug, warn};

use super::{
    SocketIoEdge, ask_to_reconnect, backpressure, end_without_seat, lobby,
    protocol::{self, server_events},
    room,
};
use crate::{
    bus::{Edge, LARGE, PARTS, Part},
    chat::SeatGuard,
    domain::{Body, Capacity, Connection, Ended, Event, Message, Person, PersonId, RoomId},
};

impl SocketIoEdge {
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

    async fn message_posted(&self, message: &Message, prev: i64, part: Part) {
        let audience = match part.of {
            1 => audience(message),
            _ => vec![part_of(&message.room, part.nth)],
        };
        let chat = protocol::Chat::live(message, prev);
        self.emit_message(audience, server_events::CHAT, &chat, message, part).await;
    }

    /// Sends `kicked` to all sockets of a person who was removed.
    async fn kicked(&self, room: &RoomId, person: &PersonId, by: &Person) {
        let kicked = protocol::Kicked { by: protocol::Person::from(by) };
        self.emit(vec![seat_of(room, person)], server_events::KICKED, &kicked).await;
    }

    /// How many sockets are in a Socket.IO room.
    fn connected(&self, room: String) -> usize {
        self.io.of(protocol::CHAT).map_or(0, |chat| chat.within(room).sockets().len())
    }

    fn lobby(&self, change: lobby::Change) {
        self.lobby.send(change).ok(); // Fails only while the server stops, when the task has ended.
    }
}

#[async_trait]
impl Edge for SocketIoEdge {
    fn listeners(&self, event: &Event) -> usize {
        room_of(event).map_or(0, |room| self.connected(room.to_string()))
    }

    fn subscribers(&self) -> Vec<Connection> {
        let chat = self.io.of(protocol::CHAT).into_iter();
        chat.flat_map(BroadcastOperators::sockets)
            .filter_map(|socket| room::subscriber(&socket))
            .collect()
    }

    fn unsubscribe(&self, subscriber: &Connection) {
        let Some(chat) = self.io.of(protocol::CHAT) else { return };
        let sockets = chat.within(seat_of(&subscriber.room, &subscriber.person)).sockets();
        let theirs = |socket: &SocketRef| room::subscriber(socket).as_ref() == Some(subscriber);
        sockets.into_iter().filter(theirs).for_each(end_without_seat);
    }

    /// False while a room has sockets that joined before its owner made it large: they have no
    /// part.
    fn is_divided(&self, event: &Event) -> bool {
        let Some(room) = room_of(event) else { return false };
        let parts = (0..PARTS).map(|nth| self.connected(part_of(room, nth)));
        parts.sum::<usize>() == self.connected(room.to_string())
    }

    async fn end(&self, ended: Ended<'_>) {
        let Some(chat) = self.io.of(protocol::CHAT) else { return };
        let sockets = match ended {
            Ended::Seat { room, person } => seat_of(room, person),
            Ended::Room(room) => room.to_string(),
        };
        if let Err(error) = chat.within(sockets).disconnect().await {
            warn!(%error, "could not disconnect every socket of a room");
        }
    }

    async fn deliver(&self, event: &Event, part: Part) {
        match event {
            Event::RoomOpened(id) => self.lobby(lobby::Change::Opened(id.clone())),
            Event::RoomChanged(id) => self.lobby(lobby::Change::Changed(id.clone())),
            Event::RoomClosed(id) => {
                self.lobby(lobby::Change::Closed(id.clone()));
                self.sent_bytes.forget(id);
                self.emit(vec![id.to_string()], server_events::REMOVE_ROOM, id.as_str()).await;
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
pub(super) fn socket_rooms(
    seat: &SeatGuard,
    socket: &SocketRef,
    capacity: Capacity,
) -> Vec<String> {
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
