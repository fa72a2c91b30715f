//! The chat namespace: one socket in one room.

use std::sync::Arc;

use socketioxide::{
    TransportType,
    extract::{Extension, HttpExtension, SocketRef, State, TryData},
};

use super::{
    Refused, Shared,
    ack::{Ack, OptionalData, RequestData},
    backpressure::Backlog,
    edge::socket_rooms,
    emit_error,
    event_queue::{EventQueue, Turn},
    protocol::{
        self, ChatDelete, ChatGet, ChatPost, Chats, Handshake, Object, WhisperPost, Whom,
        client_events, server_events,
    },
    reader,
};
use crate::{
    chat::{self, Error, Exited, SeatGuard, Subscriber, person_id, room_id},
    domain::{Connection, History, Network, Room, RoomId, Seq},
    net::BytesWritten,
    session::Session,
};

/// A socket's guard of its seat; stored as an extension of the socket.
#[derive(Clone)]
pub(super) struct Seat(Arc<SeatGuard>);

/// The newest message that the client has, from the handshake's `after`.
#[derive(Clone)]
pub(super) struct SeenUpTo(Option<Seq>);

/// Takes a seat. A failure leaves nothing behind. When the connection closes during the handshake,
/// dropping the socket's extensions releases the seat.
pub(super) async fn admit(
    socket: SocketRef,
    State(shared): State<Shared>,
    HttpExtension(session): HttpExtension<Session>,
    TryData(auth): TryData<Option<Object<Handshake>>>,
) -> Result<(), Refused> {
    let _turn = shared.chat.entry_permit().await?;
    let visitor = shared.admit(&socket, &session).await?;
    let auth = auth.map_err(|_| Error::Malformed)?;
    // Without `auth`, the page names the room.
    let handshake = auth.map(|Object(handshake)| handshake).unwrap_or_default();
    let room = requested_room(&handshake, &socket)?;
    let pass = visitor.pass(&room).await?;
    let password = handshake.password.as_deref();
    let network = socket.req_parts().extensions.get::<Network>();
    let seat = shared.chat.enter(&room, &visitor.person, pass, password, network, None).await?;

    let seat = Arc::new(seat);
    socket.extensions.insert(Seat(seat.clone()));
    socket.extensions.insert(EventQueue::default());
    if let Some(written) = socket.req_parts().extensions.get::<BytesWritten>()
        && socket.transport_type() == TransportType::Websocket
    {
        socket.extensions.insert(Backlog::of(written.clone()));
    }
    socket.extensions.insert(SeenUpTo(handshake.after));
    socket.on_disconnect(async move || seat.let_go());
    socket.on(client_events::CHAT_POST, on_post);
    socket.on(client_events::CHAT_GET, on_get);
    socket.on(client_events::CHAT_DELETE, on_delete);
    socket.on(client_events::WHISPER_POST, on_whisper);
    socket.on(client_events::PERSON_KICK, on_kick);
    socket.on(client_events::OWNER_PUT, on_hand_over);
    socket.on(client_events::TYPING, on_typing);
    socket.on(client_events::EXIT, on_exit);
    socket.on(client_events::READER_PUT, reader::on_put);
    socket.on_fallback(on_unknown);
    Ok(())
}

/// The room that the handshake names, or else the room of the page in its `Referer` header.
fn requested_room(handshake: &Handshake, socket: &SocketRef) -> Result<RoomId, Error> {
    if let Some(raw) = &handshake.room {
        return room_id(raw);
    }
    let referer = socket.req_parts().headers.get("referer");
    let page = referer.and_then(|value| url::Url::parse(value.to_str().ok()?).ok());
    let raw = page.as_ref().and_then(|url| url.path().strip_prefix("/room/"));
    room_id(raw.unwrap_or_default())
}

/// Has the socket greeted.
pub(super) async fn connected(
    socket: SocketRef,
    State(shared): State<Shared>,
    Extension(Seat(seat)): Extension<Seat>,
    Extension(SeenUpTo(after)): Extension<SeenUpTo>,
) {
    if shared.must_reconnect(&socket) {
        return;
    }
    socket.extensions.remove::<SeenUpTo>();
    shared.chat.greet(Arc::new(RoomSocket { socket, seat }), after);
}

/// A socket in a room. It joins the Socket.IO rooms after `welcome`, so no other event of the room,
/// such as `typing`, arrives before it.
struct RoomSocket {
    socket: SocketRef,
    seat: Arc<SeatGuard>,
}

impl Subscriber for RoomSocket {
    fn seat(&self) -> &SeatGuard {
        &self.seat
    }

    fn welcome(&self, room: &Room, history: &History) -> bool {
        let welcome = protocol::Welcome {
            room: protocol::Room::from(&room.summary()),
            you: protocol::Person::from(&self.seat.person),
            people: room.people.iter().map(|seat| protocol::Person::from(&seat.person)).collect(),
            history: Chats::from(history),
        };
        self.socket.emit(server_events::WELCOME, &welcome).is_ok()
    }

    fn subscribe(&self, room: &Room) {
        self.socket.join(socket_rooms(&self.seat, &self.socket, room.max));
        if !self.socket.connected() {
            self.unsubscribe(); // The disconnect came before the join, so nothing else removes it.
        }
    }

    fn unsubscribe(&self) {
        self.socket.leave_all();
    }

    fn refuse(&self, error: &Error) {
        emit_error(&self.socket, error);
        self.socket.clone().disconnect().ok(); // The client reconnects by itself, and is greeted then.
    }
}

/// Lets a socket receive nothing more from its room, and lets go of its seat.
pub(super) fn let_go(socket: &SocketRef) {
    if let Some(Seat(seat)) = socket.extensions.get::<Seat>() {
        seat.let_go(); // First: a greeting that subscribes the socket meanwhile looks for it.
    }
    socket.leave_all();
}

/// The connection of a socket that receives the events of its room.
pub(super) fn subscriber(socket: &SocketRef) -> Option<Connection> {
    let Seat(seat) = socket.extensions.get::<Seat>()?;
    let joined = socket.rooms().iter().any(|room| *room == *seat.room.as_str());
    joined.then(|| seat.connection())
}

async fn on_post(
    ack: Ack,
    mut turn: Turn,
    State(shared): State<Shared>,
    Extension(Seat(seat)): Extension<Seat>,
    RequestData(request): RequestData<ChatPost>,
) {
    let _answering = turn.acquire().await;
    let pending = request.and_then(|ChatPost { chat, client_id }| {
        let client_id = chat::client_id(client_id.as_deref())?;
        Ok(shared.chat.say(&seat.room, seat.requester(), &chat, client_id))
    });
    drop(turn); // The room task has the message; the next event need not await the commit.
    let outcome = match pending {
        Ok(stored) => stored.await.map(|message| protocol::Chat::from(&message)),
        Err(error) => Err(error),
    };
    ack.send(outcome);
}

async fn on_whisper(
    ack: Ack,
    mut turn: Turn,
    State(shared): State<Shared>,
    Extension(Seat(seat)): Extension<Seat>,
    RequestData(request): RequestData<WhisperPost>,
) {
    let _answering = turn.acquire().await;
    let pending = request.and_then(|whisper| {
        let client_id = chat::client_id(whisper.client_id.as_deref())?;
        let to = person_id(&whisper.to)?;
        let (room, me) = (&seat.room, seat.requester());
        Ok(shared.chat.whisper(room, me, &to, &whisper.chat, client_id))
    });
    drop(turn); // As in `on_post`.
    let outcome = match pending {
        Ok(stored) => stored.await.map(|message| protocol::Chat::from(&message)),
        Err(error) => Err(error),
    };
    ack.send(outcome);
}

async fn on_delete(
    ack: Ack,
    State(shared): State<Shared>,
    Extension(Seat(seat)): Extension<Seat>,
    RequestData(request): RequestData<ChatDelete>,
) {
    let act = async |ChatDelete { seq }: ChatDelete| {
        let left = shared.chat.delete(&seat.room, seat.requester(), seq).await?;
        Ok(protocol::Chat::from(&left))
    };
    ack.respond(request, act).await;
}

async fn on_kick(
    ack: Ack,
    State(shared): State<Shared>,
    Extension(Seat(seat)): Extension<Seat>,
    RequestData(request): RequestData<Whom>,
) {
    let act = async |whom: Whom| {
        let whom = person_id(&whom.id)?;
        shared.chat.kick(&seat.room, seat.requester(), &whom).await
    };
    ack.respond(request, act).await;
}

async fn on_hand_over(
    ack: Ack,
    State(shared): State<Shared>,
    Extension(Seat(seat)): Extension<Seat>,
    RequestData(request): RequestData<Whom>,
) {
    let act = async |whom: Whom| {
        let whom = person_id(&whom.id)?;
        let owner = shared.chat.hand_over(&seat.room, seat.requester(), &whom).await?;
        Ok(protocol::Person::from(&owner))
    };
    ack.respond(request, act).await;
}

async fn on_get(
    ack: Ack,
    State(shared): State<Shared>,
    Extension(Seat(seat)): Extension<Seat>,
    OptionalData(request): OptionalData<ChatGet>,
) {
    let act = async |request: ChatGet| {
        let (room, me) = (&seat.room, seat.requester());
        let history = shared.chat.history(room, me, request.window()).await?;
        Ok(Chats::from(&history))
    };
    ack.respond(request, act).await;
}

async fn on_typing(
    socket: SocketRef,
    State(shared): State<Shared>,
    Extension(Seat(seat)): Extension<Seat>,
    TryData(typing): TryData<bool>,
) {
    match typing {
        Ok(typing) => shared.chat.typing(&seat, typing).await,
        Err(_) => {
            emit_error(&socket, &Error::Malformed);
        }
    }
}

async fn on_exit(
    socket: SocketRef,
    ack: Ack,
    mut turn: Turn,
    State(shared): State<Shared>,
    Extension(Seat(seat)): Extension<Seat>,
) {
    drop(turn.acquire().await);
    let socket = Arc::new(RoomSocket { socket, seat });
    let subscriber: Arc<dyn Subscriber> = socket.clone();
    let answer = match shared.chat.exit_by(&subscriber).await {
        Ok(Exited::Left) => Ok(()),
        Ok(Exited::HadLeft) => Err(Error::NotInRoom),
        Err(error) => return ack.send::<()>(Err(error)),
    };
    turn.end().await; // Earlier events are acknowledged first.
    ack.send(answer);
    socket.socket.clone().disconnect().ok(); // An error means that the client closed it first.
}

async fn on_unknown(ack: Ack) {
    ack.send::<()>(Err(Error::Malformed));
}
