//! Reconciliation: finds out what a failed store call has done, and announces it.
//!
//! A write that returned an error may have been applied, or may still be applied later. The caller
//! announces nothing, so maintenance reads the store again until the outcome is certain.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;
use tracing::warn;

use super::{
    ChatService, Error,
    command::{Announce, Command},
};
use crate::domain::{
    Connection, Event, Person, PersonId, Room, RoomId, SocketId, SystemCode, Timestamp,
};

/// A write that failed this long ago, with no store failure since, can no longer take effect.
const OVER_AFTER: Duration = Duration::from_secs(30);

/// A closed connection that the store may still list as open.
struct LostConnection {
    connection: Connection,
    /// When it asked for a seat, if the outcome of its entry is unknown.
    entered: Option<Timestamp>,
    /// Whether the store has recorded that it is closed.
    recorded: bool,
    /// Last failure of the store for this connection.
    failed_at: Instant,
}

/// A room with a change that may be stored but unannounced.
#[derive(Clone)]
struct Unconfirmed {
    room: RoomId,
    /// The person who may have left it.
    left: Option<Person>,
    /// Last failure of the store for this room.
    failed_at: Instant,
}

impl Unconfirmed {
    fn is_same(&self, other: &Self) -> bool {
        self.room == other.room && self.left == other.left
    }
}

/// The store calls whose outcome is unknown.
#[derive(Default)]
pub(super) struct Reconciler {
    connections: Mutex<Vec<LostConnection>>,
    rooms: Mutex<Vec<Unconfirmed>>,
}

impl Reconciler {
    /// Records a connection whose closing could not be stored or, with `entered`, whose entry has
    /// an unknown outcome.
    pub(super) fn add_connection(&self, connection: Connection, entered: Option<Timestamp>) {
        let (recorded, failed_at) = (false, Instant::now());
        let lost = LostConnection { connection, entered, recorded, failed_at };
        self.connections.lock().push(lost);
    }

    /// Records a room with an unknown change: a closing, a new owner, a message or, with `left`,
    /// a person who left.
    pub(super) fn add_room(&self, room: &RoomId, left: Option<&Person>) {
        let entry =
            Unconfirmed { room: room.clone(), left: left.cloned(), failed_at: Instant::now() };
        let mut all = self.rooms.lock();
        all.retain(|known| !known.is_same(&entry));
        all.push(entry);
    }

    /// Forgets that a person may have left: it is now announced.
    pub(super) fn forget_leave(&self, room: &RoomId, person: &PersonId) {
        let announced = |entry: &Unconfirmed| {
            entry.room == *room && entry.left.as_ref().is_some_and(|left| left.id == *person)
        };
        self.rooms.lock().retain(|entry| !announced(entry));
    }

    /// Forgets a room whose closing is now announced.
    pub(super) fn forget_room(&self, room: &RoomId) {
        self.rooms.lock().retain(|entry| entry.room != *room);
    }

    /// Whether a failed entry took this seat, so that the join is still unannounced. Returns true
    /// only once for each entry.
    pub(super) fn take_unannounced_entry(&self, room: &Room, me: &PersonId) -> bool {
        let since = room.seat(me).map(|seat| seat.since);
        let mut all = self.connections.lock();
        let is_mine = |known: &Connection| known.room == room.id && known.person == *me;
        let mut mine = all.iter_mut().filter(|lost| is_mine(&lost.connection));
        mine.any(|lost| lost.entered.take_if(|entered| Some(*entered) == since).is_some())
    }

    /// Closed connections that the store may still list as open.
    fn unrecorded(&self) -> Vec<Connection> {
        let all = self.connections.lock();
        all.iter().filter(|lost| !lost.recorded).map(|lost| lost.connection.clone()).collect()
    }

    /// Records the store's answer for one of them: `known` is whether it had listed it.
    fn record_answer(&self, socket: &SocketId, known: &Result<bool, Error>) {
        for lost in
            self.connections.lock().iter_mut().filter(|lost| lost.connection.socket == *socket)
        {
            match known {
                // An entry with an unknown outcome may still be applied later.
                Ok(known) => lost.recorded = *known || lost.entered.is_none(),
                Err(_) => lost.failed_at = Instant::now(),
            }
        }
    }

    fn forget_recorded(&self) {
        self.connections.lock().retain(|lost| match lost.entered {
            Some(_) => lost.failed_at.elapsed() < OVER_AFTER,
            None => !lost.recorded,
        });
    }

    /// Records another store failure for this room.
    fn record_failure(&self, entry: &Unconfirmed) {
        for known in self.rooms.lock().iter_mut().filter(|known| known.is_same(entry)) {
            known.failed_at = Instant::now();
        }
    }

    /// Removes an entry. False when it was already removed and its outcome announced.
    fn remove(&self, entry: &Unconfirmed) -> bool {
        let mut all = self.rooms.lock();
        let before = all.len();
        all.retain(|known| !known.is_same(entry));
        all.len() < before
    }
    /// Checks every unknown outcome against the store and announces the result.
    pub(super) async fn reconcile(&self, chat: &Arc<ChatService>) {
        for connection in self.unrecorded() {
            let known = chat.disconnect(&connection).await;
            self.record_answer(&connection.socket, &known);
        }
        self.forget_recorded();
        let unconfirmed = self.rooms.lock().clone();
        for entry in unconfirmed {
            self.confirm(&entry, chat).await;
            chat.remove_banned_bots(&entry.room).await;
        }
    }

    async fn confirm(&self, entry: &Unconfirmed, chat: &ChatService) {
        let _leaving = match &entry.left {
            Some(person) => Some(chat.person_locks.lock(&entry.room, &person.id).await),
            None => None,
        };
        let room = match chat.store.room(&entry.room).await {
            Ok(Some(room)) => room,
            Ok(None) => {
                if self.remove(entry) {
                    chat.announce_closing(&entry.room);
                }
                return;
            }
            Err(error) => {
                warn!(room = %entry.room, ?error, "the store is still failing");
                return self.record_failure(entry);
            }
        };
        let gone = entry.left.as_ref().filter(|left| room.seat(&left.id).is_none());
        let over = gone.is_some() || entry.failed_at.elapsed() >= OVER_AFTER;
        if !over || !self.remove(entry) {
            return;
        }
        let tasks = &chat.room_tasks;
        if let Some(gone) = gone {
            chat.bots.forget(&room.id, &gone.id);
            let announce = Announce::Left { count: room.summary().count };
            tasks.queue_system_message(&room.id, SystemCode::Left, gone, announce);
        }
        let (id, owner) = (room.id, room.owner);
        tasks.queue(&id, Command::AnnounceHead);
        tasks.queue(&id, Command::Announce(Event::OwnerChanged { room: id.clone(), owner }));
        chat.lobby.announce(Event::RoomChanged(id)).await;
    }
}
