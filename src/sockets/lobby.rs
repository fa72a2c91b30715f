//! The lobby, live: which rooms there are, and how full they are.

use std::{collections::HashSet, sync::Arc, time::Duration};

use socketioxide::{
    SocketIo,
    extract::{HttpExtension, SocketRef, State, TryData},
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tracing::warn;

use super::{
    Refused, Shared,
    answer::Answer,
    protocol::{self, RoomDelete, RoomGet, RoomPost, RoomPut, Rooms, RoomsFound, asked, told},
    reader,
};
use crate::{
    chat::{Caller, Chat, Error, room_id},
    domain::{Network, RoomId},
    session::{Session, Visitor},
};

/// Changes of a room within this time are told as one.
const GATHER: Duration = Duration::from_millis(500);

/// What could not be looked up is tried again after this.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Something about the list of rooms.
#[derive(Debug)]
pub(super) enum Change {
    Opened(RoomId),
    Changed(RoomId),
    Closed(RoomId),
}

/// Lets in whoever has a session.
pub(super) async fn admit(
    socket: SocketRef,
    State(shared): State<Shared>,
    HttpExtension(session): HttpExtension<Session>,
) -> Result<(), Refused> {
    let _turn = shared.chat.turn_at_the_door().await?;
    let visitor = shared.admit(&socket, &session).await?;
    let connected = shared.chat.connect(&visitor.person.id)?;
    socket.extensions.insert(Arc::new(connected));
    socket.on(asked::ROOM_GET, on_get);
    socket.on(asked::ROOM_POST, on_post);
    socket.on(asked::ROOM_PUT, on_put);
    socket.on(asked::ROOM_DELETE, on_delete);
    socket.on(asked::READER_PUT, reader::on_put);
    socket.on_fallback(on_unknown);
    Ok(())
}

async fn on_get(
    answer: Answer,
    socket: SocketRef,
    State(shared): State<Shared>,
    HttpExtension(session): HttpExtension<Session>,
    TryData(request): TryData<RoomGet>,
) {
    let act = async |RoomGet { id, q, page }: RoomGet| {
        let visitor = shared.visitor(&session).await?;
        let caller = caller(&socket, &visitor);
        let Some(id) = id else {
            let page = page.unwrap_or(1).max(1);
            let found = shared.chat.look_around(caller, &q, page).await?;
            return Ok(RoomsFound::Page(Rooms::page(&found, page)));
        };
        let id = room_id(&id)?;
        let pass = visitor.pass(&id).await?;
        let caller = Caller { pass: pass.as_ref(), ..caller };
        let room = shared.chat.look_up(&id, caller).await?;
        Ok(RoomsFound::One(protocol::Room::from(&room.summary())))
    };
    answer.after(request, act).await;
}

async fn on_post(
    answer: Answer,
    socket: SocketRef,
    State(shared): State<Shared>,
    HttpExtension(session): HttpExtension<Session>,
    TryData(request): TryData<RoomPost>,
) {
    let act = async |room: RoomPost| {
        let visitor = shared.visitor(&session).await?;
        let network = caller(&socket, &visitor).network;
        let opened = shared.chat.open(&visitor.person, network, &room.into()).await?;
        if let Some(pass) = &opened.pass {
            visitor.keep_pass_now(&opened.room.id, pass).await?;
        }
        Ok(protocol::Room::from(&opened.room))
    };
    answer.after(request, act).await;
}

async fn on_put(
    answer: Answer,
    socket: SocketRef,
    State(shared): State<Shared>,
    HttpExtension(session): HttpExtension<Session>,
    TryData(request): TryData<RoomPut>,
) {
    let act = async |RoomPut { id, patch }: RoomPut| {
        let visitor = shared.visitor(&session).await?;
        let id = room_id(&id)?;
        let changed = shared.chat.change(&id, caller(&socket, &visitor), &patch.into()).await?;
        if let Some(pass) = &changed.pass {
            visitor.keep_pass_now(&id, pass).await?;
        }
        Ok(protocol::Room::from(&changed.room))
    };
    answer.after(request, act).await;
}

async fn on_delete(
    answer: Answer,
    socket: SocketRef,
    State(shared): State<Shared>,
    HttpExtension(session): HttpExtension<Session>,
    TryData(request): TryData<RoomDelete>,
) {
    let act = async |RoomDelete { id }: RoomDelete| {
        let id = room_id(&id)?;
        let visitor = shared.visitor(&session).await?;
        shared.chat.close(&id, caller(&socket, &visitor)).await
    };
    answer.after(request, act).await;
}

/// Whose socket it is, asking for something.
fn caller<'a>(socket: &'a SocketRef, visitor: &'a Visitor) -> Caller<'a> {
    let network = socket.req_parts().extensions.get::<Network>();
    Caller { id: &visitor.person.id, pass: None, network }
}

async fn on_unknown(answer: Answer) {
    answer.give::<()>(Err(Error::Malformed));
}

pub(super) async fn connected() {}

/// Tells the lobby of changes, one after another, until the server ends. A changed room is looked
/// up when it is told, so that what is told is true then, and nothing comes after its removal.
pub(super) async fn tell(io: SocketIo, chat: Chat, mut changes: mpsc::UnboundedReceiver<Change>) {
    let mut changed = HashSet::new();
    let mut due = Instant::now();
    loop {
        let change = tokio::select! {
            biased;
            change = changes.recv() => change,
            () = sleep_until(due), if !changed.is_empty() => {
                let rooms: Vec<RoomId> = changed.drain().collect();
                if !tell_rooms(&io, &chat, rooms.clone(), told::UPDATE_ROOM).await {
                    due = Instant::now() + TRY_AGAIN_AFTER;
                    changed.extend(rooms);
                }
                continue;
            }
        };
        match change {
            None => return,
            Some(Change::Opened(id)) => {
                if !tell_rooms(&io, &chat, vec![id.clone()], told::NEW_ROOM).await {
                    due = Instant::now() + TRY_AGAIN_AFTER;
                    changed.insert(id);
                }
            }
            Some(Change::Changed(id)) => {
                if changed.is_empty() {
                    due = Instant::now() + GATHER;
                }
                changed.insert(id);
            }
            Some(Change::Closed(id)) => {
                changed.remove(&id);
                emit(&io, told::REMOVE_ROOM, id.as_str()).await;
            }
        }
    }
}

/// Tells of rooms as they are now; false when that could not be found out.
async fn tell_rooms(io: &SocketIo, chat: &Chat, ids: Vec<RoomId>, event: &'static str) -> bool {
    let rooms = chat.summaries(ids).await;
    if let Err(error) = &rooms {
        warn!(?error, "could not look up the rooms that the lobby should hear of; will try again");
    }
    let known = rooms.is_ok();
    for room in rooms.into_iter().flatten() {
        emit(io, event, &protocol::Room::from(&room)).await;
    }
    known
}

async fn emit<T: serde::Serialize + ?Sized>(io: &SocketIo, event: &'static str, data: &T) {
    let Some(lobby) = io.of(protocol::LOBBY) else { return };
    if let Err(error) = lobby.emit(event, data).await {
        warn!(event, %error, "could not tell everybody in the lobby");
    }
    tokio::task::yield_now().await; // The tasks that write to the sockets must run.
}
