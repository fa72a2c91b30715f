//! Seats: taken on entry, kept for the grace after a disconnect, given up on leaving.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;
use tracing::{info, warn};

use super::{
    ChatService, Connected, Error, Requester, RoomPass,
    command::{Announce, Command},
    rooms::passed,
};
use crate::{
    domain::{
        Event, History, Network, PasswordHash, Person, PersonId, Room, RoomId, Seq, SocketId,
        SystemCode, Timestamp, Window,
    },
    store::{DisconnectOutcome, EnterOutcome, Entry, LeaveOutcome, LeaveReason},
};

/// Number of newest messages in a greeting for a visitor who names no last seen message.
const GREETED_WITH: usize = 50;

/// Largest number of messages in one page of history.
pub const MAX_WINDOW: usize = 100;

/// One connection's hold on a seat. Dropping it records the disconnect.
pub struct SeatGuard {
    chat: ChatService,
    /// The room.
    pub room: RoomId,
    /// The visitor, under their name in this room.
    pub person: Person,
    network: Option<Network>,
    socket: SocketId,
    let_go: AtomicBool,
    _connected: Connected,
}

impl SeatGuard {
    /// The visitor as a requester. A visitor with a seat needs no pass.
    #[must_use]
    pub fn caller(&self) -> Requester<'_> {
        Requester { id: &self.person.id, pass: None, network: self.network.as_ref() }
    }

    /// Records the disconnect: the store keeps the seat for the grace. Later calls do nothing.
    pub fn let_go(&self) {
        if self.let_go.swap(true, Ordering::Relaxed) {
            return;
        }
        let (chat, room) = (self.chat.clone(), self.room.clone());
        let (person, socket) = (self.person.id.clone(), self.socket.clone());
        self.chat.tasks.spawn(async move { chat.dropped(room, person, socket).await });
    }
}

impl Drop for SeatGuard {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// A greeting: the current room and a page of its history.
pub type Welcome = Result<(Room, History), Error>;

impl ChatService {
    /// Takes a seat for a new connection, or joins the one that this person has.
    ///
    /// A valid `pass` is enough; otherwise `password` is checked. `network` is the visitor's
    /// network.
    ///
    /// # Errors
    /// The first matching [`crate::domain::EntryError`]; [`Error::SlowDown`] after too many
    /// passwords or entries; [`Error::TooManyConnections`]; [`Error::Restarting`].
    pub async fn enter(
        &self,
        room: &RoomId,
        me: &Person,
        pass: Option<RoomPass>,
        password: Option<&str>,
        network: Option<&Network>,
    ) -> Result<SeatGuard, Error> {
        self.open_for_new()?;
        let caller = Requester { id: &me.id, pass: pass.as_ref(), network };
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
            // The store may have applied the entry, or may still do so.
            self.reconciler.add_socket(room.clone(), me.id.clone(), socket.clone(), Some(at));
        })?;
        let (person, room, newcomer) = match entering {
            EnterOutcome::Refused(refusal) => return Err(refusal.into()),
            EnterOutcome::Newcomer { person, room } => (person, room, true),
            EnterOutcome::Returned { person, room } => {
                let unpublished = self.reconciler.took_seat_unpublished(&room, &me.id);
                (person, room, unpublished)
            }
        };
        if newcomer {
            let announce = Announce::Joined { count: room.summary().count };
            self.note(&room.id, SystemCode::Joined, &person, announce);
            self.tell_lobby(Event::RoomChanged(room.id.clone())).await;
        }
        let let_go = AtomicBool::new(false);
        let network = network.cloned();
        Ok(SeatGuard {
            chat: self.clone(),
            room: room.id,
            person,
            network,
            socket,
            let_go,
            _connected: connected,
        })
    }

    /// The hash of the room's password, if the visitor has a valid pass or the right password.
    async fn shown(
        &self,
        room: &RoomId,
        caller: Requester<'_>,
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

    /// Calls `welcome` with the room and the messages after `after`, or the newest ones. The room
    /// task publishes nothing while `welcome` runs, so `welcome` must subscribe the connection to
    /// the room: every later event then reaches it.
    pub fn greet(
        &self,
        presence: &SeatGuard,
        after: Option<Seq>,
        welcome: impl FnOnce(Welcome) + Send + 'static,
    ) {
        let window = match after {
            Some(after) => Window::After { after, limit: MAX_WINDOW },
            None => Window::Latest { before: None, limit: GREETED_WITH },
        };
        let viewer = presence.person.id.clone();
        let work = Command::Greet { viewer, window, greeting: Box::new(welcome) };
        self.queue(&presence.room, work);
    }

    /// Gives up a seat with all its connections, without a grace. The room closes when the last
    /// person leaves. Messages that the person sent earlier are stored first.
    ///
    /// # Errors
    /// [`Error::NotInRoom`] for a person without a seat there.
    pub async fn exit(&self, room: &RoomId, me: &Person) -> Result<(), Error> {
        let (done, all_stored) = oneshot::channel();
        self.queue(room, Command::Signal(done));
        // An error means that the room task has ended and nothing is left to wait for.
        all_stored.await.ok();
        let departure = self.depart(room, me, LeaveReason::Now).await?;
        if matches!(departure, LeaveOutcome::Stayed) {
            return Err(Error::NotInRoom);
        }
        self.departed(room, departure).await;
        Ok(())
    }

    async fn dropped(&self, room: RoomId, person: PersonId, socket: SocketId) {
        if self.try_drop(&room, &person, &socket).await.is_err() {
            self.reconciler.add_socket(room, person, socket, None);
        }
    }

    /// Records a disconnect in the store. Returns whether the store had listed the connection.
    pub(super) async fn try_drop(
        &self,
        room: &RoomId,
        person: &PersonId,
        socket: &SocketId,
    ) -> Result<bool, Error> {
        let dropped = self.store.drop_socket(room, person, socket, Timestamp::now()).await;
        let dropped = dropped.inspect_err(|cause| {
            warn!(%room, error = ?cause, "could not store a disconnect; will retry");
        })?;
        match dropped {
            DisconnectOutcome::Away if self.rules.grace.is_zero() => self.settle(room).await,
            DisconnectOutcome::Away => self.settle_later(room, self.rules.grace),
            DisconnectOutcome::StillThere | DisconnectOutcome::Unknown => {}
        }
        Ok(!matches!(dropped, DisconnectOutcome::Unknown))
    }

    /// Gives up a seat. After a store failure the outcome is unknown and gets reconciled.
    pub(super) async fn depart(
        &self,
        room: &RoomId,
        person: &Person,
        departing: LeaveReason,
    ) -> Result<LeaveOutcome, Error> {
        let departure = self.store.depart(room, &person.id, departing).await;
        Ok(departure.inspect_err(|_| self.reconciler.add(room, Some(person)))?)
    }

    /// Publishes the outcome of giving up a seat.
    pub(super) async fn departed(&self, room: &RoomId, departure: LeaveOutcome) {
        self.departed_as(room, departure, SystemCode::Left).await;
    }

    /// Publishes the outcome of giving up a seat, with this system message.
    pub(super) async fn departed_as(
        &self,
        room: &RoomId,
        departure: LeaveOutcome,
        code: SystemCode,
    ) {
        match departure {
            LeaveOutcome::Stayed => {}
            LeaveOutcome::Left { person, room, new_owner } => {
                self.reconciler.leaving_published(&room.id, &person.id);
                let count = room.summary().count;
                self.note(&room.id, code, &person, Announce::Left { count });
                if new_owner {
                    self.note(&room.id, SystemCode::Owner, &room.owner, Announce::OwnerChanged);
                }
                self.tell_lobby(Event::RoomChanged(room.id)).await;
            }
            LeaveOutcome::Closed { .. } => self.closed(room),
        }
    }

    /// Publishes a room's new owner.
    pub(super) async fn owned_by(&self, room: &RoomId, owner: &Person) {
        self.note(room, SystemCode::Owner, owner, Announce::OwnerChanged);
        self.tell_lobby(Event::RoomChanged(room.clone())).await;
    }

    /// Publishes that a room is closed, and purges its messages and files.
    pub(super) fn closed(&self, room: &RoomId) {
        info!(%room, "closed room");
        self.reconciler.closing_published(room);
        self.lobby.has_changed();
        // Queued behind the running greetings, so that those visitors receive the event, too.
        self.queue(room, Command::Publish(Event::RoomClosed(room.clone())));
        self.queue(room, Command::Purge);
    }
}
