//! The lobby namespace: requests about rooms, and broadcasts of changes to the list of rooms.

use std::{collections::HashSet, sync::Arc, time::Duration};

use socketioxide::{
    SocketIo,
    extract::{HttpExtension, SocketRef, State},
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tracing::warn;

use super::{
    LEAVING, Refused, Shared,
    ack::{Ack, OptionalData, RequestData},
    protocol::{
        self, RoomDelete, RoomGet, RoomPost, RoomPut, Rooms, RoomsFound, client_events,
        server_events,
    },
    reader,
};
use crate::{
    chat::{ChatService, Error, Requester, room_id},
    domain::{Network, RoomId},
    session::{Session, Visitor},
};

/// The lobby sends one update per room for all its changes within this time.
const COALESCE_WITHIN: Duration = Duration::from_millis(500);

/// Delay before a failed lookup of rooms is retried.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// A change to the list of rooms.
#[derive(Debug)]
pub(super) enum Change {
    Opened(RoomId),
    Changed(RoomId),
    Closed(RoomId),
}

/// Accepts a client that has a session.
pub(super) async fn admit(
    socket: SocketRef,
    State(shared): State<Shared>,
    HttpExtension(session): HttpExtension<Session>,
) -> Result<(), Refused> {
    let _turn = shared.chat.entry_permit().await?;
    let visitor = shared.admit(&socket, &session).await?;
    let connected = shared.chat.connect(&visitor.person.id)?;
    socket.extensions.insert(Arc::new(connected));
    socket.on(client_events::ROOM_GET, on_get);
    socket.on(client_events::ROOM_POST, on_post);
    socket.on(client_events::ROOM_PUT, on_put);
    socket.on(client_events::ROOM_DELETE, on_delete);
    socket.on(client_events::READER_PUT, reader::on_put);
    socket.on_fallback(on_unknown);
    Ok(())
}

async fn on_get(
    ack: Ack,
    socket: SocketRef,
    State(shared): State<Shared>,
    HttpExtension(session): HttpExtension<Session>,
    OptionalData(request): OptionalData<RoomGet>,
) {
    let act = async |RoomGet { id, q, page }: RoomGet| {
        let visitor = shared.visitor(&session).await?;
        let requester = requester(&socket, &visitor);
        let Some(id) = id else {
            let page = page.unwrap_or(1).max(1);
            let found = shared.chat.list_rooms(requester, &q, page).await?;
            return Ok(RoomsFound::Page(Rooms::page(&found, page)));
        };
        let id = room_id(&id)?;
        let pass = visitor.pass(&id).await?;
        let requester = Requester { pass: pass.as_ref(), ..requester };
        let room = shared.chat.get_room(&id, requester).await?;
        Ok(RoomsFound::One(protocol::Room::from(&room.summary())))
    };
    ack.respond(request, act).await;
}

async fn on_post(
    ack: Ack,
    socket: SocketRef,
    State(shared): State<Shared>,
    HttpExtension(session): HttpExtension<Session>,
    RequestData(request): RequestData<RoomPost>,
) {
    let act = async |room: RoomPost| {
        let visitor = shared.visitor(&session).await?;
        let network = requester(&socket, &visitor).network;
        let opened = shared.chat.open(&visitor.person, network, &room.into()).await?;
        if let Some(pass) = &opened.pass {
            visitor.keep_pass(&opened.room.id, pass).await?;
        }
        Ok(protocol::Room::from(&opened.room))
    };
    ack.respond(request, act).await;
}

async fn on_put(
    ack: Ack,
    socket: SocketRef,
    State(shared): State<Shared>,
    HttpExtension(session): HttpExtension<Session>,
    RequestData(request): RequestData<RoomPut>,
) {
    let act = async |RoomPut { id, patch }: RoomPut| {
        let visitor = shared.visitor(&session).await?;
        let id = room_id(&id)?;
        let changed = shared.chat.change(&id, requester(&socket, &visitor), &patch.into()).await?;
        if let Some(pass) = &changed.pass {
            visitor.keep_pass(&id, pass).await?;
        }
        Ok(protocol::Room::from(&changed.room))
    };
    ack.respond(request, act).await;
}

async fn on_delete(
    ack: Ack,
    socket: SocketRef,
    State(shared): State<Shared>,
    HttpExtension(session): HttpExtension<Session>,
    RequestData(request): RequestData<RoomDelete>,
) {
    let act = async |RoomDelete { id }: RoomDelete| {
        let id = room_id(&id)?;
        let visitor = shared.visitor(&session).await?;
        shared.chat.close(&id, requester(&socket, &visitor)).await
    };
    ack.respond(request, act).await;
}

/// The visitor behind a socket, as the chat checks requests.
fn requester<'a>(socket: &'a SocketRef, visitor: &'a Visitor) -> Requester<'a> {
    let network = socket.req_parts().extensions.get::<Network>();
    Requester { id: &visitor.person.id, pass: None, network }
}

async fn on_unknown(ack: Ack) {
    ack.send::<()>(Err(Error::Malformed));
}

pub(super) async fn connected(socket: SocketRef, State(shared): State<Shared>) {
    shared.must_reconnect(&socket);
}

/// Broadcasts changes to the lobby in order, until the server stops. The task loads a changed room
/// just before it sends the update, so the update is current and never follows the room's removal.
pub(super) async fn broadcast(
    io: SocketIo,
    chat: Arc<ChatService>,
    mut changes: mpsc::UnboundedReceiver<Change>,
) {
    let mut changed = HashSet::new();
    let mut due = Instant::now();
    loop {
        let change = tokio::select! {
            biased;
            change = changes.recv() => change,
            () = sleep_until(due), if !changed.is_empty() => {
                let rooms: Vec<RoomId> = changed.drain().collect();
                if !broadcast_rooms(&io, &chat, rooms.clone(), server_events::UPDATE_ROOM).await {
                    due = Instant::now() + RETRY_AFTER;
                    changed.extend(rooms);
                }
                continue;
            }
        };
        match change {
            None => return,
            Some(Change::Opened(id)) => {
                if !broadcast_rooms(&io, &chat, vec![id.clone()], server_events::NEW_ROOM).await {
                    due = Instant::now() + RETRY_AFTER;
                    changed.insert(id);
                }
            }
            Some(Change::Changed(id)) => {
                if changed.is_empty() {
                    due = Instant::now() + COALESCE_WITHIN;
                }
                changed.insert(id);
            }
            Some(Change::Closed(id)) => {
                changed.remove(&id);
                emit(&io, server_events::REMOVE_ROOM, id.as_str()).await;
            }
        }
    }
}

/// Broadcasts the current state of some rooms; false when the store could not load them.
async fn broadcast_rooms(
    io: &SocketIo,
    chat: &Arc<ChatService>,
    ids: Vec<RoomId>,
    event: &'static str,
) -> bool {
    let rooms = chat.summaries(ids).await;
    if let Err(error) = &rooms {
        warn!(?error, "could not load rooms for the lobby; will retry");
    }
    let loaded = rooms.is_ok();
    for room in rooms.into_iter().flatten() {
        emit(io, event, &protocol::Room::from(&room)).await;
    }
    loaded
}

async fn emit<T: serde::Serialize + ?Sized>(io: &SocketIo, event: &'static str, data: &T) {
    let Some(lobby) = io.of(protocol::LOBBY) else { return };
    if let Err(error) = lobby.except(LEAVING).emit(event, data).await {
        warn!(event, %error, "could not send an event to every socket in the lobby");
    }
    tokio::task::yield_now().await; // Lets the tasks that write to the sockets run.
}
