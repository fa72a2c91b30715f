//! Reconciliation: finds out what a failed store call has done, and publishes it.
//!
//! A write that returned an error may have been applied, or may still be applied later. The caller
//! publishes nothing, so housekeeping reads the store again until the outcome is certain.

use std::time::Duration;

use parking_lot::Mutex;

use tokio::time::Instant;
use tracing::warn;

use super::{
    ChatService, Error,
    command::{Announce, Command},
};
use crate::domain::{Event, Person, PersonId, Room, RoomId, SocketId, SystemCode, Timestamp};

/// A write that failed this long ago, with no store failure since, can no longer take effect.
const OVER_AFTER: Duration = Duration::from_secs(30);

/// A closed connection that the store may still list as open.
struct LostSocket {
    room: RoomId,
    person: PersonId,
    socket: SocketId,
    /// When it asked for a seat, if the outcome of its entry is unknown.
    entered: Option<Timestamp>,
    /// Whether the store has recorded that it is closed.
    gone: bool,
    /// Last failure of the store for this connection.
    trouble: Instant,
}

/// A room with a change that may be stored but unpublished.
#[derive(Clone)]
struct Unconfirmed {
    room: RoomId,
    /// The person who may have left it.
    left: Option<Person>,
    /// Last failure of the store for this room.
    trouble: Instant,
}

impl Unconfirmed {
    fn is(&self, other: &Self) -> bool {
        self.room == other.room && self.left == other.left
    }
}

/// The store calls whose outcome is unknown.
#[derive(Default)]
pub(super) struct Reconciler {
    sockets: Mutex<Vec<LostSocket>>,
    rooms: Mutex<Vec<Unconfirmed>>,
}

impl Reconciler {
    /// Records a connection whose closing could not be stored or, with `entered`, whose entry has
    /// an unknown outcome.
    pub(super) fn add_socket(
        &self,
        room: RoomId,
        person: PersonId,
        socket: SocketId,
        entered: Option<Timestamp>,
    ) {
        let trouble = Instant::now();
        self.sockets.lock().push(LostSocket {
            room,
            person,
            socket,
            entered,
            gone: false,
            trouble,
        });
    }

    /// Records a room with an unknown change: a closing, a new owner, a message or, with `left`,
    /// a person who left.
    pub(super) fn add(&self, room: &RoomId, left: Option<&Person>) {
        let entry =
            Unconfirmed { room: room.clone(), left: left.cloned(), trouble: Instant::now() };
        let mut all = self.rooms.lock();
        all.retain(|known| !known.is(&entry));
        all.push(entry);
    }

    /// Forgets a departure that is now published.
    pub(super) fn leaving_published(&self, room: &RoomId, person: &PersonId) {
        let published = |entry: &Unconfirmed| {
            entry.room == *room && entry.left.as_ref().is_some_and(|left| left.id == *person)
        };
        self.rooms.lock().retain(|entry| !published(entry));
    }

    /// Forgets a room whose closing is now published.
    pub(super) fn closing_published(&self, room: &RoomId) {
        self.rooms.lock().retain(|entry| entry.room != *room);
    }

    /// Whether a failed entry took this seat, so that the join is still unpublished. Returns true
    /// only once for each entry.
    pub(super) fn took_seat_unpublished(&self, room: &Room, me: &PersonId) -> bool {
        let since = room.seat(me).map(|seat| seat.since);
        let mut all = self.sockets.lock();
        let mut mine = all.iter_mut().filter(|lost| lost.room == room.id && lost.person == *me);
        mine.any(|lost| lost.entered.take_if(|entered| Some(*entered) == since).is_some())
    }

    /// Closed connections that the store may still list as open.
    fn ghosts(&self) -> Vec<(RoomId, PersonId, SocketId)> {
        let all = self.sockets.lock();
        let ghosts = all.iter().filter(|lost| !lost.gone);
        ghosts.map(|lost| (lost.room.clone(), lost.person.clone(), lost.socket.clone())).collect()
    }

    /// Records the store's answer for one of them: `known` is whether it had listed it.
    fn record_answer(&self, socket: &SocketId, known: &Result<bool, Error>) {
        for lost in self.sockets.lock().iter_mut().filter(|lost| lost.socket == *socket) {
            match known {
                // An entry with an unknown outcome may still be applied later.
                Ok(known) => lost.gone = *known || lost.entered.is_none(),
                Err(_) => lost.trouble = Instant::now(),
            }
        }
    }

    fn forget_sockets_that_are_gone(&self) {
        self.sockets.lock().retain(|lost| match lost.entered {
            Some(_) => lost.trouble.elapsed() < OVER_AFTER,
            None => !lost.gone,
        });
    }

    /// Records another store failure for this room.
    fn record_failure(&self, entry: &Unconfirmed) {
        for known in self.rooms.lock().iter_mut().filter(|known| known.is(entry)) {
            known.trouble = Instant::now();
        }
    }

    /// Removes an entry. False when it was already removed and its outcome published.
    fn end(&self, entry: &Unconfirmed) -> bool {
        let mut all = self.rooms.lock();
        let before = all.len();
        all.retain(|known| !known.is(entry));
        all.len() < before
    }
}

impl ChatService {
    /// Checks every unknown outcome against the store and publishes the result.
    pub(super) async fn reconcile(&self) {
        for (room, person, socket) in self.reconciler.ghosts() {
            let known = self.try_drop(&room, &person, &socket).await;
            self.reconciler.record_answer(&socket, &known);
        }
        self.reconciler.forget_sockets_that_are_gone();
        let unconfirmed = self.reconciler.rooms.lock().clone();
        for entry in unconfirmed {
            self.confirm(&entry).await;
        }
    }

    async fn confirm(&self, entry: &Unconfirmed) {
        let room = match self.store.room(&entry.room).await {
            Ok(Some(room)) => room,
            Ok(None) => {
                if self.reconciler.end(entry) {
                    self.closed(&entry.room);
                }
                return;
            }
            Err(error) => {
                warn!(room = %entry.room, ?error, "the store is still failing");
                return self.reconciler.record_failure(entry);
            }
        };
        let gone = entry.left.as_ref().filter(|left| room.seat(&left.id).is_none());
        let over = gone.is_some() || entry.trouble.elapsed() >= OVER_AFTER;
        if !over || !self.reconciler.end(entry) {
            return;
        }
        if let Some(gone) = gone {
            let count = room.summary().count;
            self.note(&room.id, SystemCode::Left, gone, Announce::Left { count });
        }
        let (id, owner) = (room.id, room.owner);
        self.queue(&id, Command::PublishHead);
        self.queue(&id, Command::Publish(Event::OwnerChanged { room: id.clone(), owner }));
        self.tell_lobby(Event::RoomChanged(id)).await;
    }
}
