//! What the store may have done without saying so.
//!
//! A call that failed may have been carried out all the same, and as long as it is on its way it may
//! still be. Whoever it concerns is not told by whoever called, so the housekeeping looks again, until
//! what was on its way has arrived or is gone.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use tracing::warn;

use super::{
    Chat, Error,
    work::{Announce, Work},
};
use crate::domain::{Event, Person, PersonId, Room, RoomId, SocketId, SystemCode, Timestamp};

/// A store that has answered for so long has done what was on its way to it, or never will.
const OVER_AFTER: Duration = Duration::from_secs(30);

/// A connection that the store may hold against the truth.
struct LostSocket {
    room: RoomId,
    person: PersonId,
    socket: SocketId,
    /// When it asked for a seat, if it was never told whether it got one.
    entered: Option<Timestamp>,
    /// Whether the store knows that it is gone.
    gone: bool,
    /// When the store last failed to say.
    trouble: Instant,
}

/// A room that may have changed with nobody told.
#[derive(Clone)]
struct Doubt {
    room: RoomId,
    /// Who may have left it.
    left: Option<Person>,
    /// When the store last failed to say.
    trouble: Instant,
}

impl Doubt {
    fn is(&self, other: &Self) -> bool {
        self.room == other.room && self.left == other.left
    }
}

/// All that is uncertain.
#[derive(Default)]
pub(super) struct Doubts {
    sockets: Mutex<Vec<LostSocket>>,
    rooms: Mutex<Vec<Doubt>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Doubts {
    /// It could not be stored that a connection went; or, with the moment, whether it came.
    pub(super) fn add_socket(
        &self,
        room: RoomId,
        person: PersonId,
        socket: SocketId,
        entered: Option<Timestamp>,
    ) {
        let trouble = Instant::now();
        locked(&self.sockets).push(LostSocket {
            room,
            person,
            socket,
            entered,
            gone: false,
            trouble,
        });
    }

    /// Somebody may have left a room, or it may be closed, or owned by somebody else, or something may
    /// be said there.
    pub(super) fn add(&self, room: &RoomId, left: Option<&Person>) {
        let doubt = Doubt { room: room.clone(), left: left.cloned(), trouble: Instant::now() };
        let mut all = locked(&self.rooms);
        all.retain(|known| !known.is(&doubt));
        all.push(doubt);
    }

    /// Everybody was told that this person left.
    pub(super) fn told_of(&self, room: &RoomId, person: &PersonId) {
        let told = |doubt: &Doubt| {
            doubt.room == *room && doubt.left.as_ref().is_some_and(|left| left.id == *person)
        };
        locked(&self.rooms).retain(|doubt| !told(doubt));
    }

    /// Everybody was told that this room is gone.
    pub(super) fn told_of_closing(&self, room: &RoomId) {
        locked(&self.rooms).retain(|doubt| doubt.room != *room);
    }

    /// Whether this seat was taken by an entry that seemed to fail, and nobody was told of it. Says
    /// so once.
    pub(super) fn took_unseen(&self, room: &Room, me: &PersonId) -> bool {
        let since = room.seat(me).map(|seat| seat.since);
        let mut all = locked(&self.sockets);
        let mut mine = all.iter_mut().filter(|lost| lost.room == room.id && lost.person == *me);
        mine.any(|lost| lost.entered.take_if(|entered| Some(*entered) == since).is_some())
    }

    /// Connections that the store may still hold.
    fn ghosts(&self) -> Vec<(RoomId, PersonId, SocketId)> {
        let all = locked(&self.sockets);
        let ghosts = all.iter().filter(|lost| !lost.gone);
        ghosts.map(|lost| (lost.room.clone(), lost.person.clone(), lost.socket.clone())).collect()
    }

    /// What the store said of one of them: whether it had known of it.
    fn tried(&self, socket: &SocketId, known: &Result<bool, Error>) {
        for lost in locked(&self.sockets).iter_mut().filter(|lost| lost.socket == *socket) {
            match known {
                // What was never told whether it came may come yet.
                Ok(known) => lost.gone = *known || lost.entered.is_none(),
                Err(_) => lost.trouble = Instant::now(),
            }
        }
    }

    fn forget_sockets_that_are_gone(&self) {
        locked(&self.sockets).retain(|lost| match lost.entered {
            Some(_) => lost.trouble.elapsed() < OVER_AFTER,
            None => !lost.gone,
        });
    }

    /// The store failed to say again.
    fn still_in_trouble(&self, doubt: &Doubt) {
        for known in locked(&self.rooms).iter_mut().filter(|known| known.is(doubt)) {
            known.trouble = Instant::now();
        }
    }

    /// Ends a doubt; false when somebody else has, and has told of it.
    fn end(&self, doubt: &Doubt) -> bool {
        let mut all = locked(&self.rooms);
        let before = all.len();
        all.retain(|known| !known.is(doubt));
        all.len() < before
    }
}

impl Chat {
    /// Looks again at all that is uncertain, and tells whomever it concerns what came of it.
    pub(super) async fn look_into_doubts(&self) {
        for (room, person, socket) in self.doubts.ghosts() {
            let known = self.try_drop(&room, &person, &socket).await;
            self.doubts.tried(&socket, &known);
        }
        self.doubts.forget_sockets_that_are_gone();
        let doubts = locked(&self.doubts.rooms).clone();
        for doubt in doubts {
            self.look_into(&doubt).await;
        }
    }

    async fn look_into(&self, doubt: &Doubt) {
        let room = match self.store.room(&doubt.room).await {
            Ok(Some(room)) => room,
            Ok(None) => {
                if self.doubts.end(doubt) {
                    self.closed(&doubt.room);
                }
                return;
            }
            Err(error) => {
                warn!(room = %doubt.room, ?error, "the store is still in trouble");
                return self.doubts.still_in_trouble(doubt);
            }
        };
        let gone = doubt.left.as_ref().filter(|left| room.seat(&left.id).is_none());
        let over = gone.is_some() || doubt.trouble.elapsed() >= OVER_AFTER;
        if !over || !self.doubts.end(doubt) {
            return;
        }
        if let Some(gone) = gone {
            let count = room.summary().count;
            self.note(&room.id, SystemCode::Left, gone, Announce::Left { count });
        }
        let (id, owner) = (room.id, room.owner);
        self.queue(&id, Work::TellHead);
        self.queue(&id, Work::Tell(Event::OwnerChanged { room: id.clone(), owner }));
        self.tell_lobby(Event::RoomChanged(id)).await;
    }
}
