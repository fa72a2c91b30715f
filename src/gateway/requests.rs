//! What a bot asks for, done by the chat.

use std::{future::Future, sync::Arc};

use super::{
    Shared,
    link::{Close, Identity, Link},
    protocol::{
        Identify, MessagePost, Out, Ready, RoomJoin, RoomLeave, Trouble, asked, told, words,
    },
};
use crate::{
    chat::{self, Error, person_id, room_id},
    session::Bot,
    sockets::protocol::{Chat as Said, Chats, Person, Room, Welcome},
};

/// A refusal of something that named a room.
fn about(error: &Error, op: &'static str, room: String) -> Trouble {
    note(error);
    Trouble { op: Some(op), room: Some(room), ..Trouble::from(error) }
}

fn note(error: &Error) {
    if let Error::Unavailable(cause) = error {
        tracing::warn!(%cause, "could not do what a bot asked");
    }
}

/// Finds out who this is. A wrong token ends the connection; while the store is in trouble, it may try again.
pub(super) async fn identify(shared: Arc<Shared>, link: Arc<Link>, Identify { token }: Identify) {
    let found = async {
        let bot = shared.sessions.bot(&token).await?.ok_or(Error::InvalidToken)?;
        let connected = shared.chat.connect(&bot.person.id)?;
        let rooms = shared.chat.rooms_of(&bot.person.id).await?;
        Ok((Identity { bot, _connected: connected }, rooms))
    };
    match found.await {
        Ok((identity, rooms)) => {
            let person = Person::from(&identity.bot.person);
            if link.identify(identity) {
                let rooms = rooms.iter().map(Room::from).collect();
                link.say(told::READY, &Ready { person, rooms });
            }
        }
        Err(error @ Error::InvalidToken) => link.end_with(Close::Token, &error),
        Err(error @ Error::TooManyConnections) => link.end_with(Close::TooMany, &error),
        Err(error) => {
            note(&error);
            link.complain(&Trouble { op: Some(asked::IDENTIFY), ..Trouble::from(&error) });
        }
    }
}

/// Takes a seat, or keeps the one that this connection has, and greets.
pub(super) async fn join(shared: Arc<Shared>, link: Arc<Link>, bot: Bot, wanted: RoomJoin) {
    let RoomJoin { room, password, after } = wanted;
    let entered = async {
        let id = room_id(&room)?;
        if let Some(presence) = link.seat(&id) {
            return Ok(presence);
        }
        let _turn = shared.chat.turn_at_the_door().await?;
        let pass = shared.sessions.pass_of_maker(&bot.key, &id).await?;
        let (password, network) = (password.as_deref(), link.network.as_ref());
        let entered = shared.chat.enter(&id, &bot.person, pass, password, network).await;
        entered.map(Arc::new)
    };
    let presence = match entered.await {
        Ok(presence) => presence,
        Err(error) => return link.complain(&about(&error, asked::ROOM_JOIN, room)),
    };
    link.sit(presence.clone());
    let chat = shared.chat.clone();
    chat.greet(&presence.clone(), after, move |found| {
        let (room, history) = match found {
            Ok(found) => found,
            Err(error) => {
                let id = presence.room.to_string();
                shared.members.leave(&link, &presence.room); // It joins again, and is greeted then.
                return link.complain(&about(&error, asked::ROOM_JOIN, id));
            }
        };
        if !link.holds(&presence) {
            return; // Gone meanwhile.
        }
        let welcome = Welcome {
            room: Room::from(&room.summary()),
            you: Person::from(&presence.person),
            people: room.people.iter().map(|seat| Person::from(&seat.person)).collect(),
            history: Chats::from(&history),
        };
        link.say(told::ROOM_WELCOME, &welcome);
        shared.members.join(&link, &presence);
    });
}

/// Leaves for good.
pub(super) async fn leave(shared: Arc<Shared>, link: Arc<Link>, RoomLeave { room }: RoomLeave) {
    let left = async {
        let id = room_id(&room)?;
        // Out of the room first: nothing of it comes behind the answer.
        let presence = shared.members.leave(&link, &id).ok_or(Error::NotInRoom)?;
        match shared.chat.exit(&id, &presence.person).await {
            // Whoever is not there has left already: this is what they wanted.
            Ok(()) | Err(Error::NotInRoom) => Ok(()),
            Err(error) => {
                link.sit(presence.clone());
                shared.members.join(&link, &presence);
                Err(error)
            }
        }
    };
    match left.await {
        Ok(()) => link.say(told::ROOM_LEAVE, &Out { room, by: None }),
        Err(error) => link.complain(&about(&error, asked::ROOM_LEAVE, room)),
    }
}

/// Says something. Its place among the messages is taken when this returns; what it gives is the answer.
pub(super) fn post(
    shared: &Shared,
    link: &Link,
    post: MessagePost,
) -> impl Future<Output = String> + Send + use<> {
    let MessagePost { room, chat: text, client_id, to } = post;
    let said = room_id(&room).and_then(|id| {
        let presence = link.seat(&id).ok_or(Error::NotInRoom)?;
        let known = chat::client_id(client_id.as_deref())?;
        let me = presence.caller();
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
            Ok(message) => words(told::MESSAGE_ACK, &Said::from(&message)),
            Err(error) => {
                let trouble = about(&error, asked::MESSAGE_POST, room);
                words(told::ERROR, &Trouble { client_id, ..trouble })
            }
        }
    }
}
