//! The inside of a room, live.

use std::sync::Arc;

use socketioxide::{
    TransportType,
    extract::{Extension, HttpExtension, SocketRef, State, TryData},
};

use super::{
    Refused, Shared,
    answer::Answer,
    complain, places,
    protocol::{
        self, ChatDelete, ChatGet, ChatPost, Chats, Handshake, WhisperPost, Whom, asked, told,
    },
    reader,
    slow::Backlog,
    turn::{Line, Turn},
};
use crate::{
    chat::{self, Error, Presence, person_id, room_id},
    connection::Taken,
    domain::{Network, RoomId, Seq},
    session::Session,
};

/// A socket's hold on its seat.
#[derive(Clone)]
pub(super) struct Seat(Arc<Presence>);

/// The newest message that whoever comes has seen.
#[derive(Clone)]
pub(super) struct SeenUpTo(Option<Seq>);

/// Takes a seat. When this fails, nothing is left of it; when it succeeds but the connection is
/// already gone, dropping the socket's extensions lets the seat go.
pub(super) async fn admit(
    socket: SocketRef,
    State(shared): State<Shared>,
    HttpExtension(session): HttpExtension<Session>,
    TryData(handshake): TryData<Handshake>,
) -> Result<(), Refused> {
    let _turn = shared.chat.turn_at_the_door().await?;
    let visitor = shared.admit(&socket, &session).await?;
    let handshake = handshake.unwrap_or_default(); // Without `auth`, the page's address counts.
    let room = wanted(&handshake, &socket)?;
    let pass = visitor.pass(&room).await?;
    let password = handshake.password.as_deref();
    let network = socket.req_parts().extensions.get::<Network>();
    let presence = shared.chat.enter(&room, &visitor.person, pass, password, network).await?;

    let presence = Arc::new(presence);
    socket.extensions.insert(Seat(presence.clone()));
    socket.extensions.insert(Line::default());
    if let Some(taken) = socket.req_parts().extensions.get::<Taken>()
        && socket.transport_type() == TransportType::Websocket
    {
        socket.extensions.insert(Backlog::of(taken.clone()));
    }
    socket.extensions.insert(SeenUpTo(handshake.after));
    socket.on_disconnect(async move || presence.let_go());
    socket.on(asked::CHAT_POST, on_post);
    socket.on(asked::CHAT_GET, on_get);
    socket.on(asked::CHAT_DELETE, on_delete);
    socket.on(asked::WHISPER_POST, on_whisper);
    socket.on(asked::PERSON_KICK, on_kick);
    socket.on(asked::OWNER_PUT, on_hand_over);
    socket.on(asked::TYPING, on_typing);
    socket.on(asked::EXIT, on_exit);
    socket.on(asked::READER_PUT, reader::on_put);
    socket.on_fallback(on_unknown);
    Ok(())
}

/// The room that the handshake names, or else the page that the connection comes from.
fn wanted(handshake: &Handshake, socket: &SocketRef) -> Result<RoomId, Error> {
    if let Some(raw) = &handshake.room {
        return room_id(raw);
    }
    let referer = socket.req_parts().headers.get("referer");
    let page = referer.and_then(|value| url::Url::parse(value.to_str().ok()?).ok());
    let raw = page.as_ref().and_then(|url| url.path().strip_prefix("/room/"));
    room_id(raw.unwrap_or_default())
}

/// Greets: says welcome and joins, between two messages of the room. What is told between any two, such as
/// who is typing, must not come before the welcome.
pub(super) async fn connected(
    socket: SocketRef,
    State(shared): State<Shared>,
    Extension(Seat(presence)): Extension<Seat>,
    Extension(SeenUpTo(after)): Extension<SeenUpTo>,
) {
    socket.extensions.remove::<SeenUpTo>();
    let you = presence.clone();
    shared.chat.greet(&presence, after, move |found| {
        let (room, history) = match found {
            Ok(found) => found,
            Err(error) => {
                complain(&socket, &error);
                socket.disconnect().ok(); // It comes back by itself, and is greeted then.
                return;
            }
        };
        let welcome = protocol::Welcome {
            room: protocol::Room::from(&room.summary()),
            you: protocol::Person::from(&you.person),
            people: room.people.iter().map(|seat| protocol::Person::from(&seat.person)).collect(),
            history: Chats::from(&history),
        };
        if socket.emit(told::WELCOME, &welcome).is_err() {
            return; // Gone meanwhile.
        }
        socket.join(places(&you, &socket, room.max));
        if !socket.connected() {
            socket.leave_all(); // Nothing else would take it out of the room.
        }
    });
}

async fn on_post(
    answer: Answer,
    mut turn: Turn,
    State(shared): State<Shared>,
    Extension(Seat(presence)): Extension<Seat>,
    TryData(request): TryData<ChatPost>,
) {
    let _answering = turn.come().await;
    let said = request.map_err(|_| Error::Malformed).and_then(|ChatPost { chat, client_id }| {
        let client_id = chat::client_id(client_id.as_deref())?;
        Ok(shared.chat.say(&presence.room, presence.caller(), &chat, client_id))
    });
    drop(turn); // Its place among the messages is taken; the next one need not wait for the store.
    let outcome = match said {
        Ok(said) => said.await.map(|message| protocol::Chat::from(&message)),
        Err(error) => Err(error),
    };
    answer.give(outcome);
}

async fn on_whisper(
    answer: Answer,
    mut turn: Turn,
    State(shared): State<Shared>,
    Extension(Seat(presence)): Extension<Seat>,
    TryData(request): TryData<WhisperPost>,
) {
    let _answering = turn.come().await;
    let said = request.map_err(|_| Error::Malformed).and_then(|whisper| {
        let client_id = chat::client_id(whisper.client_id.as_deref())?;
        let to = person_id(&whisper.to)?;
        let (room, me) = (&presence.room, presence.caller());
        Ok(shared.chat.whisper(room, me, &to, &whisper.chat, client_id))
    });
    drop(turn); // Its place among the messages is taken.
    let outcome = match said {
        Ok(said) => said.await.map(|message| protocol::Chat::from(&message)),
        Err(error) => Err(error),
    };
    answer.give(outcome);
}

async fn on_delete(
    answer: Answer,
    State(shared): State<Shared>,
    Extension(Seat(presence)): Extension<Seat>,
    TryData(request): TryData<ChatDelete>,
) {
    let act = async |ChatDelete { seq }: ChatDelete| {
        let left = shared.chat.delete(&presence.room, presence.caller(), seq).await?;
        Ok(protocol::Chat::from(&left))
    };
    answer.after(request, act).await;
}

async fn on_kick(
    answer: Answer,
    State(shared): State<Shared>,
    Extension(Seat(presence)): Extension<Seat>,
    TryData(request): TryData<Whom>,
) {
    let act = async |whom: Whom| {
        let whom = person_id(&whom.id)?;
        shared.chat.kick(&presence.room, presence.caller(), &whom).await
    };
    answer.after(request, act).await;
}

async fn on_hand_over(
    answer: Answer,
    State(shared): State<Shared>,
    Extension(Seat(presence)): Extension<Seat>,
    TryData(request): TryData<Whom>,
) {
    let act = async |whom: Whom| {
        let whom = person_id(&whom.id)?;
        let owner = shared.chat.hand_over(&presence.room, presence.caller(), &whom).await?;
        Ok(protocol::Person::from(&owner))
    };
    answer.after(request, act).await;
}

async fn on_get(
    answer: Answer,
    State(shared): State<Shared>,
    Extension(Seat(presence)): Extension<Seat>,
    TryData(request): TryData<ChatGet>,
) {
    let act = async |request: ChatGet| {
        let (room, me) = (&presence.room, presence.caller());
        let history = shared.chat.history(room, me, request.window()).await?;
        Ok(Chats::from(&history))
    };
    answer.after(request, act).await;
}

async fn on_typing(
    socket: SocketRef,
    State(shared): State<Shared>,
    Extension(Seat(presence)): Extension<Seat>,
    TryData(typing): TryData<bool>,
) {
    match typing {
        Ok(typing) => shared.chat.typing(&presence, typing).await,
        Err(_) => {
            complain(&socket, &Error::Malformed);
        }
    }
}

async fn on_exit(
    socket: SocketRef,
    answer: Answer,
    mut turn: Turn,
    State(shared): State<Shared>,
    Extension(Seat(presence)): Extension<Seat>,
) {
    drop(turn.come().await);
    let rooms = socket.rooms();
    // Out of the room first: the answer must come before the end of the connection.
    socket.leave_all();
    let outcome = shared.chat.exit(&presence.room, &presence.person).await;
    let left = outcome.is_ok();
    if left {
        turn.end().await; // What was said before is answered before.
    } else {
        socket.join(rooms);
    }
    answer.give(outcome);
    if left {
        socket.disconnect().ok(); // They closed it first.
    }
}

async fn on_unknown(answer: Answer) {
    answer.give::<()>(Err(Error::Malformed));
}
