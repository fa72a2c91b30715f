//! Seats: taken at the door, kept for a grace, given up.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;
use tracing::{info, warn};

use super::{
    Caller, Chat, Connected, Error, Pass,
    rooms::passed,
    work::{Announce, Work},
};
use crate::{
    domain::{
        Event, History, Network, PasswordHash, Person, PersonId, Room, RoomId, Seq, SocketId,
        SystemCode, Timestamp, Window,
    },
    store::{Departing, Departure, Dropped, Entering, Entry},
};

/// As many of the newest messages greet whoever comes without saying what they have seen.
const GREETED_WITH: usize = 50;

/// As many messages one stretch of history holds at most.
pub const MAX_WINDOW: usize = 100;

/// One connection's hold on a seat. Dropping it, however that comes about, lets go.
pub struct Presence {
    chat: Chat,
    /// Where.
    pub room: RoomId,
    /// Who, as they are called there.
    pub person: Person,
    network: Option<Network>,
    socket: SocketId,
    let_go: AtomicBool,
    _connected: Connected,
}

impl Presence {
    /// Them, asking for something. Whoever is in needs no pass.
    #[must_use]
    pub fn caller(&self) -> Caller<'_> {
        Caller { id: &self.person.id, pass: None, network: self.network.as_ref() }
    }

    /// The connection went: the seat is kept for the grace. Only the first call counts.
    pub fn let_go(&self) {
        if self.let_go.swap(true, Ordering::Relaxed) {
            return;
        }
        let (chat, room) = (self.chat.clone(), self.room.clone());
        let (person, socket) = (self.person.id.clone(), self.socket.clone());
        self.chat.tasks.spawn(async move { chat.dropped(room, person, socket).await });
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// What greets whoever came in: the room as it is, and what was said there.
pub type Welcome = Result<(Room, History), Error>;

impl Chat {
    /// Takes a seat for a new connection, or joins the one that this person has.
    ///
    /// `password` is tried if they bring one; else `pass` counts. `network` is where they come from.
    ///
    /// # Errors
    /// The first reason of [`crate::domain::Refusal`]; [`Error::SlowDown`] after too many passwords or
    /// entries; [`Error::TooManyConnections`]; [`Error::Restarting`].
    pub async fn enter(
        &self,
        room: &RoomId,
        me: &Person,
        pass: Option<Pass>,
        password: Option<&str>,
        network: Option<&Network>,
    ) -> Result<Presence, Error> {
        self.open_for_new()?;
        let caller = Caller { id: &me.id, pass: pass.as_ref(), network };
        self.limits.entering.check(caller)?;
        let connected = self.connect(&me.id)?;
        let passed = self.shown(room, caller, password).await?;
        let socket = SocketId::random();
        let entry = Entry {
            room: room.clone(),
            person: me.clone(),
            socket: socket.clone(),
            node: self.node.clone(),
            passed,
            network: self.network(room, network),
            at: Timestamp::now(),
        };
        let at = entry.at;
        let entering = self.store.enter(entry).await.inspect_err(|_| {
            // It may have been stored all the same, or still be.
            self.doubts.add_socket(room.clone(), me.id.clone(), socket.clone(), Some(at));
        })?;
        let (person, room, newcomer) = match entering {
            Entering::Refused(refusal) => return Err(refusal.into()),
            Entering::Newcomer { person, room } => (person, room, true),
            Entering::Returned { person, room } => {
                let unseen = self.doubts.took_unseen(&room, &me.id);
                (person, room, unseen)
            }
        };
        if newcomer {
            let announce = Announce::Joined { count: room.summary().count };
            self.note(&room.id, SystemCode::Joined, &person, announce);
            self.tell_lobby(Event::RoomChanged(room.id.clone())).await;
        }
        let let_go = AtomicBool::new(false);
        let network = network.cloned();
        Ok(Presence {
            chat: self.clone(),
            room: room.id,
            person,
            network,
            socket,
            let_go,
            _connected: connected,
        })
    }

    /// The hash of the room's password, if they have a pass for it, or else tell it now.
    async fn shown(
        &self,
        room: &RoomId,
        caller: Caller<'_>,
        password: Option<&str>,
    ) -> Result<Option<PasswordHash>, Error> {
        let password = password.filter(|password| !password.is_empty());
        if caller.pass.is_none() && password.is_none() {
            return Ok(None);
        }
        let known = self.store.room(room).await?.ok_or(Error::NoSuchRoom)?;
        match (passed(&known, caller.pass), password) {
            (None, Some(password)) => {
                let pass = self.unlock(room, caller, password).await?;
                Ok(passed(&known, pass.as_ref()))
            }
            (shown, _) => Ok(shown),
        }
    }

    /// Greets somebody who came in: `welcome` is called with the room, and with all that they missed
    /// since `after`, or the newest messages, at a moment when nothing else of this room is being
    /// announced. What is announced after it has returned must reach them; so it is there that they
    /// are connected to the room.
    pub fn greet(
        &self,
        presence: &Presence,
        after: Option<Seq>,
        welcome: impl FnOnce(Welcome) + Send + 'static,
    ) {
        let window = match after {
            Some(after) => Window::After { after, limit: MAX_WINDOW },
            None => Window::Latest { before: None, limit: GREETED_WITH },
        };
        let viewer = presence.person.id.clone();
        let work = Work::Greet { viewer, window, greeting: Box::new(welcome) };
        self.queue(&presence.room, work);
    }

    /// Leaves for good, with every tab: the seat is free at once, and the last one takes the room
    /// with them. What they said before they left is stored before.
    ///
    /// # Errors
    /// [`Error::NotInRoom`] for somebody who has no seat there.
    pub async fn exit(&self, room: &RoomId, me: &Person) -> Result<(), Error> {
        let (done, all_said) = oneshot::channel();
        self.queue(room, Work::Signal(done));
        all_said.await.ok(); // The lane has ended: there is nothing left to wait for.
        let departure = self.depart(room, me, Departing::Now).await?;
        if matches!(departure, Departure::Stayed) {
            return Err(Error::NotInRoom);
        }
        self.departed(room, departure).await;
        Ok(())
    }

    async fn dropped(&self, room: RoomId, person: PersonId, socket: SocketId) {
        if self.try_drop(&room, &person, &socket).await.is_err() {
            self.doubts.add_socket(room, person, socket, None);
        }
    }

    /// Whether the store had known of the connection.
    pub(super) async fn try_drop(
        &self,
        room: &RoomId,
        person: &PersonId,
        socket: &SocketId,
    ) -> Result<bool, Error> {
        let dropped = self.store.drop_socket(room, person, socket, Timestamp::now()).await;
        let dropped = dropped.inspect_err(|cause| {
            warn!(%room, error = ?cause, "could not store that a connection went; will try again");
        })?;
        match dropped {
            Dropped::Away if self.rules.grace.is_zero() => self.settle(room).await,
            Dropped::Away => self.settle_later(room, self.rules.grace),
            Dropped::StillThere | Dropped::Unknown => {}
        }
        Ok(!matches!(dropped, Dropped::Unknown))
    }

    /// Gives up a seat; when the store fails, it may be given up all the same.
    pub(super) async fn depart(
        &self,
        room: &RoomId,
        person: &Person,
        departing: Departing,
    ) -> Result<Departure, Error> {
        let departure = self.store.depart(room, &person.id, departing).await;
        Ok(departure.inspect_err(|_| self.doubts.add(room, Some(person)))?)
    }

    /// Tells everybody what became of a seat that was given up.
    pub(super) async fn departed(&self, room: &RoomId, departure: Departure) {
        self.departed_as(room, departure, SystemCode::Left).await;
    }

    /// Tells everybody, with these words, what became of a seat that was given up.
    pub(super) async fn departed_as(&self, room: &RoomId, departure: Departure, code: SystemCode) {
        match departure {
            Departure::Stayed => {}
            Departure::Left { person, room, new_owner } => {
                self.doubts.told_of(&room.id, &person.id);
                let count = room.summary().count;
                self.note(&room.id, code, &person, Announce::Left { count });
                if new_owner {
                    self.note(&room.id, SystemCode::Owner, &room.owner, Announce::OwnerChanged);
                }
                self.tell_lobby(Event::RoomChanged(room.id)).await;
            }
            Departure::Closed { .. } => self.closed(room),
        }
    }

    /// Tells everybody that a room has a new owner.
    pub(super) async fn owned_by(&self, room: &RoomId, owner: &Person) {
        self.note(room, SystemCode::Owner, owner, Announce::OwnerChanged);
        self.tell_lobby(Event::RoomChanged(room.clone())).await;
    }

    /// Tells everybody that a room is gone, and clears up after it.
    pub(super) fn closed(&self, room: &RoomId) {
        info!(%room, "closed room");
        self.doubts.told_of_closing(room);
        self.lobby.has_changed();
        // Behind those who are just being greeted: they are told, too.
        self.queue(room, Work::Tell(Event::RoomClosed(room.clone())));
        self.queue(room, Work::Purge);
    }
}
