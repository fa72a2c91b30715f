//! What a bot asks for, done by the chat.

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

/// A refusal of something that named a room.
fn about(error: &Error, op: &'static str, room: String) -> ErrorFrame {
    note(error);
    ErrorFrame { op: Some(op), room: Some(room), ..ErrorFrame::from(error) }
}

fn note(error: &Error) {
    if let Error::Unavailable(cause) = error {
        tracing::warn!(%cause, "could not do what a bot asked");
    }
}

/// Finds out who this is. A wrong token ends the connection; while the store is in trouble, it may try again.
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
                client.say(server_events::READY, &Ready { person, rooms });
            }
        }
        Err(error @ Error::InvalidToken) => client.end_with(Close::Token, &error),
        Err(error @ Error::TooManyConnections) => client.end_with(Close::TooMany, &error),
        Err(error) => {
            note(&error);
            client.send_error(&ErrorFrame {
                op: Some(client_events::IDENTIFY),
                ..ErrorFrame::from(&error)
            });
        }
    }
}

/// Takes a seat, or keeps the one that this connection has, and greets.
pub(super) async fn join(shared: Arc<Shared>, client: Arc<Client>, bot: Bot, wanted: RoomJoin) {
    let RoomJoin { room, password, after } = wanted;
    let entered = async {
        let id = room_id(&room)?;
        if let Some(seat_guard) = client.seat(&id) {
            return Ok(seat_guard);
        }
        let _turn = shared.chat.entry_permit().await?;
        let pass = shared.sessions.pass_of_maker(&bot.key, &id).await?;
        let (password, network) = (password.as_deref(), client.network.as_ref());
        let entered = shared.chat.enter(&id, &bot.person, pass, password, network).await;
        entered.map(Arc::new)
    };
    let seat_guard = match entered.await {
        Ok(seat_guard) => seat_guard,
        Err(error) => return client.send_error(&about(&error, client_events::ROOM_JOIN, room)),
    };
    client.sit(seat_guard.clone());
    let chat = shared.chat.clone();
    chat.greet(&seat_guard.clone(), after, move |found| {
        let (room, history) = match found {
            Ok(found) => found,
            Err(error) => {
                let id = seat_guard.room.to_string();
                shared.subscriptions.leave(&client, &seat_guard.room); // It joins again, and is greeted then.
                return client.send_error(&about(&error, client_events::ROOM_JOIN, id));
            }
        };
        if !client.holds(&seat_guard) {
            return; // Gone meanwhile.
        }
        let welcome = Welcome {
            room: Room::from(&room.summary()),
            you: Person::from(&seat_guard.person),
            people: room.people.iter().map(|seat| Person::from(&seat.person)).collect(),
            history: Chats::from(&history),
        };
        client.say(server_events::ROOM_WELCOME, &welcome);
        shared.subscriptions.join(&client, &seat_guard);
    });
}

/// Leaves for good.
pub(super) async fn leave(shared: Arc<Shared>, client: Arc<Client>, RoomLeave { room }: RoomLeave) {
    let left = async {
        let id = room_id(&room)?;
        // Out of the room first: nothing of it comes behind the answer.
        let seat_guard = shared.subscriptions.leave(&client, &id).ok_or(Error::NotInRoom)?;
        match shared.chat.exit(&id, &seat_guard.person).await {
            // Whoever is not there has left already: this is what they wanted.
            Ok(()) | Err(Error::NotInRoom) => Ok(()),
            Err(error) => {
                client.sit(seat_guard.clone());
                shared.subscriptions.join(&client, &seat_guard);
                Err(error)
            }
        }
    };
    match left.await {
        Ok(()) => client.say(server_events::ROOM_LEAVE, &Out { room, by: None }),
        Err(error) => client.send_error(&about(&error, client_events::ROOM_LEAVE, room)),
    }
}

/// Says something. Its place among the messages is taken when this returns; what it gives is the answer.
pub(super) fn post(
    shared: &Shared,
    client: &Client,
    post: MessagePost,
) -> impl Future<Output = String> + Send + use<> {
    let MessagePost { room, chat: text, client_id, to } = post;
    let said = room_id(&room).and_then(|id| {
        let seat_guard = client.seat(&id).ok_or(Error::NotInRoom)?;
        let known = chat::client_id(client_id.as_deref())?;
        let me = seat_guard.caller();
        let to = to.as_deref().map(person_id).transpose()?;
        Ok(match to {
            None => {
                let said = shared.chat.say(&id, me, &text, known);
                Box::pin(said) as futures_util::future::BoxFuture<'static, _>
            }
            Some(to) => Box::pin(shared.chat.whisper(&id, me, &to, &text, known)),
        })
    });
    async move {
        let outcome = match said {
            Ok(said) => said.await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(message) => encode(server_events::MESSAGE_ACK, &Chat::from(&message)),
            Err(error) => {
                let trouble = about(&error, client_events::MESSAGE_POST, room);
                encode(server_events::ERROR, &ErrorFrame { client_id, ..trouble })
            }
        }
    }
}
