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
    chat::{self, Error, person_id, room_id},
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
    let chat = shared.chat.clone();
    chat.greet(&seat_guard.clone(), after, move |found| {
        let (room, history) = match found {
            Ok(found) => found,
            Err(error) => {
                let id = seat_guard.room.to_string();
                // The bot is greeted when it joins again.
                shared.subscriptions.leave(&client, &seat_guard.room);
                return client.send_error(&room_error(&error, client_events::ROOM_JOIN, id));
            }
        };
        if !client.holds(&seat_guard) {
            return; // The bot has left or disconnected.
        }
        let welcome = Welcome {
            room: Room::from(&room.summary()),
            you: Person::from(&seat_guard.person),
            people: room.people.iter().map(|seat| Person::from(&seat.person)).collect(),
            history: Chats::from(&history),
        };
        client.send_frame(server_events::ROOM_WELCOME, &welcome);
        shared.subscriptions.join(&client, &seat_guard);
    });
}

/// Handles `ROOM_LEAVE`: leaves the room without the grace.
pub(super) async fn leave(shared: Arc<Shared>, client: Arc<Client>, RoomLeave { room }: RoomLeave) {
    let outcome = async {
        let id = room_id(&room)?;
        // Unsubscribes first, so that no frame of the room follows the response.
        let seat_guard = shared.subscriptions.leave(&client, &id).ok_or(Error::NotInRoom)?;
        match shared.chat.exit(&id, &seat_guard.person).await {
            // The bot has left already.
            Ok(()) | Err(Error::NotInRoom) => Ok(()),
            Err(error) => {
                client.keep_seat(seat_guard.clone());
                let (shared, client, stays) = (shared.clone(), client.clone(), seat_guard.clone());
                shared.chat.clone().resubscribe(&seat_guard, move |found| match found {
                    Ok(_) => shared.subscriptions.join(&client, &stays),
                    Err(_) => drop(shared.subscriptions.leave(&client, &stays.room)),
                });
                Err(error)
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
