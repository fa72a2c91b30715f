//! Handles the requests of bots.

use std::{future::Future, sync::Arc};

use super::{
    Shared,
    client::{Client, Close, Identity},
};
use crate::protocol::frames::{
    ErrorFrame, Identify, MessagePost, Out, Ready, RoomJoin, RoomLeave, client_events, encode,
    server_events,
};
use crate::{
    chat::{self, Error, Exited, SeatGuard, Subscriber, person_id, room_id},
    domain::{self, History},
    protocol::{Chat, Chats, Person, Room, Welcome},
    session::Bot,
};

/// The `ERROR` frame for a request that named a room.
fn room_error(error: &Error, op: &'static str, room: String) -> ErrorFrame {
    log_if_unavailable(error);
    ErrorFrame { op: Some(op), room: Some(room), ..ErrorFrame::from(error) }
}

fn log_if_unavailable(error: &Error) {
    if let Error::Unavailable(cause) = error {
        tracing::warn!(%cause, "a bot's request failed");
    }
}

/// Handles `IDENTIFY`. A wrong token closes the connection; after an error of the store the bot may
/// retry.
pub(super) async fn identify(
    shared: Arc<Shared>,
    client: Arc<Client>,
    Identify { token }: Identify,
) {
    let found = async {
        let bot = shared.sessions.bot(&token).await?.ok_or(Error::InvalidToken)?;
        let connected = shared.chat.connect(&bot.person.id)?;
        let rooms = shared.chat.rooms_of(&bot.person.id).await?;
        Ok((Identity { bot, _connected: connected }, rooms))
    };
    match found.await {
        Ok((identity, rooms)) => {
            let person = Person::from(&identity.bot.person);
            if client.identify(identity) {
                let rooms = rooms.iter().map(Room::from).collect();
                client.send_frame(server_events::READY, &Ready { person, rooms });
            }
        }
        Err(error @ Error::InvalidToken) => client.end_with(Close::Token, &error),
        Err(error @ Error::TooManyConnections) => client.end_with(Close::TooMany, &error),
        Err(error) => {
            log_if_unavailable(&error);
            client.send_error(&ErrorFrame {
                op: Some(client_events::IDENTIFY),
                ..ErrorFrame::from(&error)
            });
        }
    }
}

/// Handles `ROOM_JOIN`: takes a seat, unless the connection has one in the room, and greets.
pub(super) async fn join(shared: Arc<Shared>, client: Arc<Client>, bot: Bot, join: RoomJoin) {
    let RoomJoin { room, password, after } = join;
    let entered = async {
        let id = room_id(&room)?;
        if let Some(seat_guard) = client.seat(&id) {
            return Ok(seat_guard);
        }
        let _turn = shared.chat.entry_permit().await?;
        let pass = shared.sessions.pass_of_maker(&bot.key, &id).await?;
        let (password, network) = (password.as_deref(), client.network.as_ref());
        let maker = Some(&bot.maker);
        let entered = shared.chat.enter(&id, &bot.person, pass, password, network, maker).await;
        entered.map(Arc::new)
    };
    let seat_guard = match entered.await {
        Ok(seat_guard) => seat_guard,
        Err(error) => {
            return client.send_error(&room_error(&error, client_events::ROOM_JOIN, room));
        }
    };
    client.keep_seat(seat_guard.clone());
    let connection = RoomConnection { shared: shared.clone(), client, seat_guard };
    shared.chat.greet(Arc::new(connection), after);
}

/// A bot's connection in one room.
struct RoomConnection {
    shared: Arc<Shared>,
    client: Arc<Client>,
    seat_guard: Arc<SeatGuard>,
}

impl Subscriber for RoomConnection {
    fn seat(&self) -> &SeatGuard {
        &self.seat_guard
    }

    fn welcome(&self, room: &domain::Room, history: &History) -> bool {
        if !self.client.holds(&self.seat_guard) {
            return false; // The bot has left or disconnected.
        }
        let welcome = Welcome {
            room: Room::from(&room.summary()),
            you: Person::from(&self.seat_guard.person),
            people: room.people.iter().map(|seat| Person::from(&seat.person)).collect(),
            history: Chats::from(history),
        };
        self.client.send_frame(server_events::ROOM_WELCOME, &welcome);
        true
    }

    fn subscribe(&self, _: &domain::Room) {
        self.shared.subscriptions.join(&self.client, &self.seat_guard);
    }

    fn unsubscribe(&self) {
        self.shared.subscriptions.unsubscribe(&self.client, &self.seat_guard.room);
    }

    fn refuse(&self, error: &Error) {
        if self.client.holds(&self.seat_guard) {
            let room = &self.seat_guard.room;
            // The bot is greeted when it joins again.
            self.shared.subscriptions.leave(&self.client, room);
            let refused = room_error(error, client_events::ROOM_JOIN, room.to_string());
            self.client.send_error(&refused);
        }
    }
}

/// Handles `ROOM_LEAVE`: leaves the room without the grace.
pub(super) async fn leave(shared: Arc<Shared>, client: Arc<Client>, RoomLeave { room }: RoomLeave) {
    let outcome = async {
        let id = room_id(&room)?;
        let seat_guard = client.seat(&id).ok_or(Error::NotInRoom)?;
        let (shared, client) = (shared.clone(), client.clone());
        let connection = Arc::new(RoomConnection { shared, client, seat_guard });
        let subscriber: Arc<dyn Subscriber> = connection.clone();
        match connection.shared.chat.exit_by(&subscriber).await? {
            Exited::Left | Exited::HadLeft => {
                connection.shared.subscriptions.leave(&connection.client, &id);
                Ok(())
            }
        }
    };
    match outcome.await {
        Ok(()) => client.send_frame(server_events::ROOM_LEAVE, &Out { room, by: None }),
        Err(error) => client.send_error(&room_error(&error, client_events::ROOM_LEAVE, room)),
    }
}

/// Handles `MESSAGE_POST`. The room task has the message when this returns; the future resolves to
/// the response.
pub(super) fn post(
    shared: &Shared,
    client: &Client,
    post: MessagePost,
) -> impl Future<Output = String> + Send + use<> {
    let MessagePost { room, chat: text, client_id, to } = post;
    let pending = room_id(&room).and_then(|id| {
        let seat_guard = client.seat(&id).ok_or(Error::NotInRoom)?;
        let id_of_client = chat::client_id(client_id.as_deref())?;
        let me = seat_guard.requester();
        let to = to.as_deref().map(person_id).transpose()?;
        Ok(match to {
            None => {
                let stored = shared.chat.say(&id, me, &text, id_of_client);
                Box::pin(stored) as futures_util::future::BoxFuture<'static, _>
            }
            Some(to) => Box::pin(shared.chat.whisper(&id, me, &to, &text, id_of_client)),
        })
    });
    async move {
        let outcome = match pending {
            Ok(stored) => stored.await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(message) => encode(server_events::MESSAGE_ACK, &Chat::from(&message)),
            Err(error) => {
                let error = room_error(&error, client_events::MESSAGE_POST, room);
                encode(server_events::ERROR, &ErrorFrame { client_id, ..error })
            }
        }
    }
}
