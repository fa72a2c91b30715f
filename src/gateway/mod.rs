//! The plain WebSocket edge, for bots: programs that are not browsers.
//!
//! [`protocol`] says what is spoken, and `docs/gateway.md` is its manual. Here handshakes and frames become calls of
//! the chat, and events become frames. A [`client`] is one connection as the others see it, [`connection`] reads and
//! writes it, [`requests`] does what it asks for, and [`members`] know who hears of which room.

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
    domain::{Body, Event, Message, PersonId, RoomId},
    protocol::{Chat, Person, Room},
    session::Sessions,
};
use client::Close;
use subscriptions::Subscriptions;

/// Connections that end have so long to say goodbye when the server stops.
const PART_WITHIN: Duration = Duration::from_secs(1);

/// What the parts of the gateway share.
struct Shared {
    chat: ChatService,
    sessions: Sessions,
    heartbeat: Duration,
    subscriptions: Arc<Subscriptions>,
    tasks: TaskTracker,
    stopped: CancellationToken,
}

/// The edge. It knows nothing of the chat, which knows it by the bus.
pub struct Gateway {
    subscriptions: Arc<Subscriptions>,
    tasks: TaskTracker,
    stopped: CancellationToken,
}

impl Gateway {
    /// The edge, and what answers a bot's handshake. Bots show that they are there as often as `heartbeat` says.
    pub fn new<S: Clone + Send + Sync + 'static>(
        chat: &ChatService,
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
        self.send_away();
        self.tasks.close();
        timeout(PART_WITHIN, self.tasks.wait()).await.ok(); // The rest is cut short at the end.
    }

    /// Asks everybody to come back, each at a moment of their own.
    fn send_away(&self) {
        for client in self.subscriptions.all() {
            client.end_with(Close::Restarting, &Error::restarting());
        }
    }

    fn tell(&self, room: &RoomId, frame: impl Into<Utf8Bytes>) {
        let frame = frame.into();
        for client in self.subscriptions.of(room) {
            client.tell(frame.clone());
        }
    }

    /// Tells those who see a message.
    fn tell_audience(&self, message: &Message, frame: impl Into<Utf8Bytes>) {
        let frame = frame.into();
        let (Body::Whisper { to, .. } | Body::DeletedWhisper { to }) = &message.body else {
            return self.tell(&message.room, frame);
        };
        let pair = [&message.by.id, &to.id];
        for client in pair.iter().flat_map(|who| self.subscriptions.of_bot(&message.room, who)) {
            client.tell(frame.clone());
        }
    }

    fn said(&self, message: &Message, prev: i64) {
        if self.subscriptions.count(&message.room) > 0 {
            self.tell_audience(
                message,
                encode(server_events::MESSAGE_CREATE, &Chat::live(message, prev)),
            );
        }
    }

    fn moved(&self, message: &Message, prev: i64, count: u32, connected: bool) {
        self.said(message, prev);
        let presence = Presence {
            room: message.room.to_string(),
            person: Person::from(&message.by),
            connected,
            current_users: count,
        };
        self.tell(&message.room, encode(server_events::PRESENCE_UPDATE, &presence));
    }

    /// A bot is out of a room, whichever of its connections was in it.
    fn out(&self, room: &RoomId, bot: &PersonId, by: Option<Person>) {
        let out: Utf8Bytes =
            encode(server_events::ROOM_LEAVE, &Out { room: room.to_string(), by }).into();
        for client in self.subscriptions.of_bot(room, bot) {
            self.subscriptions.leave(&client, room);
            client.tell(out.clone());
        }
    }

    fn closed(&self, room: &RoomId) {
        let gone: Utf8Bytes =
            encode(server_events::ROOM_DELETE, &RoomGone { room: room.to_string() }).into();
        for client in self.subscriptions.of(room) {
            self.subscriptions.leave(&client, room);
            client.tell(gone.clone());
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

    fn is_divided(&self, _: &Event) -> bool {
        true
    }

    async fn deliver(&self, event: &Event, part: Part) {
        if part.nth > 0 {
            return; // Bots are few: they are of the first part.
        }
        match event {
            // The lobby and who is typing are for people.
            Event::RoomOpened(_) | Event::RoomChanged(_) | Event::Typing { .. } => {}
            Event::RoomClosed(room) => self.closed(room),
            Event::Joined { message, prev, count } => self.moved(message, *prev, *count, true),
            Event::Left { message, prev, count } => {
                self.moved(message, *prev, *count, false);
                self.out(&message.room, &message.by.id, None);
            }
            Event::Posted { message, prev } => self.said(message, *prev),
            Event::Deleted { message } => {
                let emptied = Deleted { room: message.room.to_string(), seq: message.seq };
                self.tell_audience(message, encode(server_events::MESSAGE_DELETE, &emptied));
            }
            Event::Kicked { room, person, by } => self.out(room, person, Some(Person::from(by))),
            Event::RoomUpdated(room) => {
                let update = RoomUpdate::Whole(Room::from(room));
                self.tell(&room.id, encode(server_events::ROOM_UPDATE, &update));
            }
            Event::OwnerChanged { room, owner } => {
                let update = RoomUpdate::Owner { id: room.to_string(), owner: Person::from(owner) };
                self.tell(room, encode(server_events::ROOM_UPDATE, &update));
            }
            Event::Restarting => self.send_away(),
            Event::Head { room, seq } => {
                let head = Head { room: room.to_string(), seq: *seq };
                self.tell(room, encode(server_events::ROOM_HEAD, &head));
            }
        }
    }
}
