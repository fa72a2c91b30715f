//! The gateway: the plain WebSocket edge, for bots.
//!
//! [`frames`](crate::protocol::frames) defines the frames; `docs/gateway.md` is the manual. This
//! module translates handshakes and frames into calls of [`ChatService`], and bus events into
//! frames. [`client`] holds the state of one connection, [`connection`] reads and writes it,
//! [`requests`] handles its frames, and [`subscriptions`] lists the connections of each room.

mod client;
mod connection;
mod handshake;
mod requests;
mod subscriptions;
mod token_watch;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{extract::Request, routing::MethodRouter};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::protocol::frames::{
    Deleted, Head, Out, Presence, RoomGone, RoomUpdate, encode, server_events,
};
use crate::{
    bus::{Edge, Part},
    chat::{ChatService, Error},
    domain::{Body, Connection, Ended, Event, Message, PersonId, RoomId},
    protocol::{Chat, Person, Room},
    session::Sessions,
};
use client::Close;
use subscriptions::Subscriptions;

/// Time in which connections may close when the server stops.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// State that all connections share.
struct Shared {
    chat: Arc<ChatService>,
    sessions: Sessions,
    heartbeat: Duration,
    subscriptions: Arc<Subscriptions>,
    tasks: TaskTracker,
    stopped: CancellationToken,
}

/// The gateway, as the bus delivers events to it.
pub struct Gateway {
    subscriptions: Arc<Subscriptions>,
    tasks: TaskTracker,
    stopped: CancellationToken,
}

impl Gateway {
    /// Creates the edge, and the route of its handshakes. Bots must send `HEARTBEAT` every
    /// `heartbeat`.
    pub fn new<S: Clone + Send + Sync + 'static>(
        chat: &Arc<ChatService>,
        sessions: &Sessions,
        heartbeat: Duration,
    ) -> (Arc<Self>, MethodRouter<S>) {
        let shared = Arc::new(Shared {
            chat: chat.clone(),
            sessions: sessions.clone(),
            heartbeat,
            subscriptions: Arc::default(),
            tasks: TaskTracker::new(),
            stopped: CancellationToken::new(),
        });
        let gateway = Self {
            subscriptions: shared.subscriptions.clone(),
            tasks: shared.tasks.clone(),
            stopped: shared.stopped.clone(),
        };
        tokio::spawn(token_watch::watch(shared.clone()));
        let open = move |request: Request| std::future::ready(handshake::open(&shared, request));
        (Arc::new(gateway), axum::routing::get(open))
    }

    /// Ends every connection.
    pub async fn close(&self) {
        self.stopped.cancel();
        self.ask_to_reconnect();
        self.tasks.close();
        timeout(CLOSE_WITHIN, self.tasks.wait()).await.ok(); // Later ones end with the process.
    }

    /// Asks every bot to reconnect, each after a random delay, and closes its connection.
    fn ask_to_reconnect(&self) {
        for client in self.subscriptions.all() {
            client.end_with(Close::Restarting, &Error::restarting());
        }
    }

    /// Sends a frame to all connections of a room.
    fn send(&self, room: &RoomId, frame: impl Into<Utf8Bytes>) {
        let frame = frame.into();
        for client in self.subscriptions.of(room) {
            client.send(frame.clone());
        }
    }

    /// Sends a frame to the connections that may see a message.
    fn send_to_audience(&self, message: &Message, frame: impl Into<Utf8Bytes>) {
        let frame = frame.into();
        let (Body::Whisper { to, .. } | Body::DeletedWhisper { to }) = &message.body else {
            return self.send(&message.room, frame);
        };
        let pair = [&message.by.id, &to.id];
        for client in pair.iter().flat_map(|who| self.subscriptions.of_bot(&message.room, who)) {
            client.send(frame.clone());
        }
    }

    fn message_posted(&self, message: &Message, prev: i64) {
        if self.subscriptions.count(&message.room) > 0 {
            self.send_to_audience(
                message,
                encode(server_events::MESSAGE_CREATE, &Chat::live(message, prev)),
            );
        }
    }

    fn presence_changed(&self, message: &Message, prev: i64, count: u32, connected: bool) {
        self.message_posted(message, prev);
        let presence = Presence {
            room: message.room.to_string(),
            person: Person::from(&message.by),
            connected,
            current_users: count,
        };
        self.send(&message.room, encode(server_events::PRESENCE_UPDATE, &presence));
    }

    /// Sends `ROOM_LEAVE` to all connections of a bot in a room.
    fn bot_left(&self, room: &RoomId, bot: &PersonId, by: Option<Person>) {
        let left: Utf8Bytes =
            encode(server_events::ROOM_LEAVE, &Out { room: room.to_string(), by }).into();
        for client in self.subscriptions.of_bot(room, bot) {
            client.send(left.clone());
        }
    }
}

#[async_trait]
impl Edge for Gateway {
    fn listeners(&self, event: &Event) -> usize {
        match event {
            Event::Joined { message, .. }
            | Event::Left { message, .. }
            | Event::Posted { message, .. }
            | Event::Deleted { message } => self.subscriptions.count(&message.room),
            Event::RoomUpdated(room) => self.subscriptions.count(&room.id),
            Event::OwnerChanged { room, .. }
            | Event::Kicked { room, .. }
            | Event::Head { room, .. }
            | Event::RoomClosed(room) => self.subscriptions.count(room),
            Event::RoomOpened(_)
            | Event::RoomChanged(_)
            | Event::Typing { .. }
            | Event::Restarting => 0,
        }
    }

    fn subscribers(&self) -> Vec<Connection> {
        self.subscriptions.connections()
    }

    fn unsubscribe(&self, subscriber: &Connection) {
        let Connection { room, person, .. } = subscriber;
        for client in self.subscriptions.of_bot(room, person) {
            if client.seat(room).is_some_and(|seat| seat.connection() == *subscriber) {
                self.subscriptions.leave(&client, room);
                let left = Out { room: room.to_string(), by: None };
                client.send_frame(server_events::ROOM_LEAVE, &left);
            }
        }
    }

    fn is_divided(&self, _: &Event) -> bool {
        true
    }

    async fn end(&self, ended: Ended<'_>) {
        let (room, clients) = match ended {
            Ended::Seat { room, person } => (room, self.subscriptions.of_bot(room, person)),
            Ended::Room(room) => (room, self.subscriptions.of(room)),
        };
        for client in clients {
            self.subscriptions.leave(&client, room);
        }
    }

    async fn deliver(&self, event: &Event, part: Part) {
        if part.nth > 0 {
            return; // Bots are few: they all belong to the first part.
        }
        match event {
            // Bots do not receive events of the lobby or typing.
            Event::RoomOpened(_) | Event::RoomChanged(_) | Event::Typing { .. } => {}
            Event::RoomClosed(room) => {
                let gone = RoomGone { room: room.to_string() };
                self.send(room, encode(server_events::ROOM_DELETE, &gone));
            }
            Event::Joined { message, prev, count } => {
                self.presence_changed(message, *prev, *count, true);
            }
            Event::Left { message, prev, count } => {
                self.presence_changed(message, *prev, *count, false);
                self.bot_left(&message.room, &message.by.id, None);
            }
            Event::Posted { message, prev } => self.message_posted(message, *prev),
            Event::Deleted { message } => {
                let deleted = Deleted { room: message.room.to_string(), seq: message.seq };
                self.send_to_audience(message, encode(server_events::MESSAGE_DELETE, &deleted));
            }
            Event::Kicked { room, person, by } => {
                self.bot_left(room, person, Some(Person::from(by)));
            }
            Event::RoomUpdated(room) => {
                let update = RoomUpdate::Whole(Room::from(room));
                self.send(&room.id, encode(server_events::ROOM_UPDATE, &update));
            }
            Event::OwnerChanged { room, owner } => {
                let update = RoomUpdate::Owner { id: room.to_string(), owner: Person::from(owner) };
                self.send(room, encode(server_events::ROOM_UPDATE, &update));
            }
            Event::Restarting => self.ask_to_reconnect(),
            Event::Head { room, seq } => {
                let head = Head { room: room.to_string(), seq: *seq };
                self.send(room, encode(server_events::ROOM_HEAD, &head));
            }
        }
    }
}
