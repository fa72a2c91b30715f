//! Seats: taken on entry, kept for the grace after a disconnect, given up on leaving.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::oneshot;
use tracing::{info, warn};

use super::{
    ChatService, Connected, Error, Requester, RoomPass,
    command::{Announce, Command},
    password_check::hash_of_pass,
};
use crate::{
    domain::{
        Connection, EntryError, Event, Network, PasswordHash, Person, PersonId, RoomId, SocketId,
        SystemCode, Timestamp,
    },
    store::{DisconnectOutcome, EnterOutcome, Entry, LeaveOutcome, LeaveReason},
};

/// How long a request without scripts keeps a seat.
pub(super) const SIT_FOR: Duration = Duration::from_secs(60);

/// Largest number of messages in one page of history.
pub const MAX_WINDOW: usize = 100;

/// One connection's hold on a seat. Dropping it records the disconnect.
pub struct SeatGuard {
    chat: Arc<ChatService>,
    /// The room.
    pub room: RoomId,
    /// The visitor, under their name in this room.
    pub person: Person,
    network: Option<Network>,
    socket: SocketId,
    released: AtomicBool,
    _connected: Connected,
}

impl SeatGuard {
    /// The visitor as a requester. A visitor with a seat needs no pass.
    #[must_use]
    pub fn requester(&self) -> Requester<'_> {
        Requester { id: &self.person.id, pass: None, network: self.network.as_ref() }
    }

    /// The connection, as the store lists it in the seat.
    #[must_use]
    pub fn connection(&self) -> Connection {
        let (room, person) = (self.room.clone(), self.person.id.clone());
        Connection { room, person, socket: self.socket.clone() }
    }

    /// Whether the connection has let go of its seat: it may hear the room no more.
    pub(super) fn has_let_go(&self) -> bool {
        self.released.load(Ordering::SeqCst)
    }

    /// Records the disconnect: the store keeps the seat for the grace. Later calls do nothing.
    pub fn let_go(&self) {
        if !self.released.swap(true, Ordering::SeqCst) {
            let (chat, lost) = (self.chat.clone(), self.connection());
            self.chat.room_tasks.spawn(async move {
                if chat.disconnect(&lost).await.is_err() {
                    chat.reconciler.add_connection(lost, None);
                }
            });
        }
    }
}

impl Drop for SeatGuard {
    fn drop(&mut self) {
        self.let_go();
    }
}

impl ChatService {
    /// Takes a seat for a new connection, or joins the one that this person has.
    ///
    /// A valid `pass` is enough; otherwise `password` is checked. `network` is the visitor's
    /// network, `maker` who made a bot.
    ///
    /// # Errors
    /// The first matching [`crate::domain::EntryError`]; [`Error::SlowDown`] after too many
    /// passwords or entries; [`Error::TooManyConnections`]; [`Error::Restarting`].
    pub async fn enter(
        self: &Arc<Self>,
        room: &RoomId,
        me: &Person,
        pass: Option<RoomPass>,
        password: Option<&str>,
        network: Option<&Network>,
        maker: Option<&PersonId>,
    ) -> Result<SeatGuard, Error> {
        self.admission.check_open()?;
        let requester = Requester { id: &me.id, pass: pass.as_ref(), network };
        self.limits.entering.check(requester)?;
        let connected = self.connect(&me.id)?;
        let passed = self.verified_hash(room, requester, password).await?;
        let socket = SocketId::random();
        let connection = Connection { room: room.clone(), person: me.id.clone(), socket };
        let entry = Entry {
            room: room.clone(),
            person: me.clone(),
            maker: maker.cloned(),
            socket: connection.socket.clone(),
            node: self.node.clone(),
            passed,
            network: self.network_hash(room, network),
            at: Timestamp::now(),
        };
        let at = entry.at;
        let _entering = self.person_locks.lock(room, &me.id).await;
        let new_bot = maker.is_some_and(|maker| self.bots.add(room, me, maker));
        let outcome = self.store.enter(entry).await.inspect_err(|_| {
            // The store may have applied the entry, or may still do so.
            self.reconciler.add_connection(connection.clone(), Some(at));
        })?;
        let (person, room, newcomer) = match outcome {
            EnterOutcome::Refused(refusal) => {
                info!(%room, person = %me.id, ?refusal, "refused an entry");
                if new_bot && refusal != EntryError::Kicked {
                    self.bots.forget(room, &me.id);
                }
                return Err(refusal.into());
            }
            EnterOutcome::Newcomer { person, room } => (person, room, true),
            EnterOutcome::Returned { person, room } => {
                let unannounced = self.reconciler.take_unannounced_entry(&room, &me.id);
                (person, room, unannounced)
            }
        };
        if newcomer {
            info!(room = %room.id, person = %person.id, "entered");
            let announce = Announce::Joined { count: room.summary().count };
            self.room_tasks.queue_system_message(&room.id, SystemCode::Joined, &person, announce);
            self.lobby.announce(Event::RoomChanged(room.id.clone())).await;
        }
        let (chat, room, network) = (self.clone(), room.id, network.cloned());
        let (socket, released) = (connection.socket, AtomicBool::new(false));
        Ok(SeatGuard { chat, room, person, network, socket, released, _connected: connected })
    }

    /// Takes a seat for somebody without a connection, or prolongs it, for [`SIT_FOR`]: a page
    /// without scripts reads by requests.
    ///
    /// # Errors
    /// Those of [`ChatService::enter`].
    pub async fn sit(
        self: &Arc<Self>,
        room: &RoomId,
        me: &Person,
        pass: Option<RoomPass>,
        network: Option<&Network>,
    ) -> Result<(), Error> {
        let key = (room.clone(), me.id.clone());
        self.admission.sitting.run_pending_tasks(); // Removes expired entries from the count.
        let counted = match self.admission.sitting.get(&key) {
            Some(counted) => counted,
            None => Arc::new(self.connect(&me.id)?),
        };
        let seat = self.enter(room, me, pass, None, network, None).await?;
        self.admission.sitting.insert(key, counted);
        seat.released.store(true, Ordering::SeqCst);
        // The grace counts from then, so that it ends when the time is over.
        let at = Timestamp::now().after(SIT_FOR.saturating_sub(self.policy.grace));
        let outcome = self.disconnect_at(&seat.connection(), at).await;
        if outcome.is_err() {
            self.reconciler.add_connection(seat.connection(), None);
        }
        Ok(())
    }

    /// The hash of the room's password, if the visitor has a valid pass or the right password.
    async fn verified_hash(
        &self,
        room: &RoomId,
        me: Requester<'_>,
        password: Option<&str>,
    ) -> Result<Option<PasswordHash>, Error> {
        let password = password.filter(|password| !password.is_empty());
        if me.pass.is_none() && password.is_none() {
            return Ok(None);
        }
        let found = self.store.room(room).await?.ok_or(Error::NoSuchRoom)?;
        match (hash_of_pass(&found, me.pass), password) {
            (None, Some(password)) => {
                let pass = self.unlock(room, me, password).await?;
                Ok(hash_of_pass(&found, pass.as_ref()))
            }
            (hash, _) => Ok(hash),
        }
    }

    /// Gives up a seat with all its connections, without a grace. The room closes when the last
    /// person leaves. Messages that the person sent earlier are stored first.
    ///
    /// # Errors
    /// [`Error::NotInRoom`] for a person without a seat there.
    pub async fn exit(&self, room: &RoomId, me: &Person) -> Result<(), Error> {
        self.all_stored(room).await;
        self.give_up(room, me).await
    }

    /// Waits until the room task has stored and announced everything that is queued now.
    pub(super) async fn all_stored(&self, room: &RoomId) {
        let (done, all_stored) = oneshot::channel();
        self.room_tasks.queue(room, Command::Signal(done));
        // An error means that the room task has ended and nothing is left to wait for.
        all_stored.await.ok();
    }

    /// Gives up a seat, and announces it.
    pub(super) async fn give_up(&self, room: &RoomId, me: &Person) -> Result<(), Error> {
        let _leaving = self.person_locks.lock(room, &me.id).await;
        let outcome = self.leave(room, me, LeaveReason::Now).await?;
        if matches!(outcome, LeaveOutcome::Stayed) {
            return Err(Error::NotInRoom);
        }
        self.announce_leave(room, outcome, SystemCode::Left).await;
        Ok(())
    }

    /// Records a closed connection. Returns whether the store had listed it.
    pub(super) async fn disconnect(
        self: &Arc<Self>,
        connection: &Connection,
    ) -> Result<bool, Error> {
        self.disconnect_at(connection, Timestamp::now()).await
    }

    /// The same, with the time from which its person is away.
    async fn disconnect_at(
        self: &Arc<Self>,
        Connection { room, person, socket }: &Connection,
        at: Timestamp,
    ) -> Result<bool, Error> {
        let outcome = self.store.drop_socket(room, person, socket, at).await;
        let outcome = outcome.inspect_err(|cause| {
            warn!(%room, error = ?cause, "could not store a disconnect; will retry");
        })?;
        match outcome {
            DisconnectOutcome::Away if self.policy.grace.is_zero() => self.settle(room).await,
            DisconnectOutcome::Away => self.settle_later(room, self.policy.grace),
            DisconnectOutcome::StillThere | DisconnectOutcome::Unknown => {}
        }
        Ok(!matches!(outcome, DisconnectOutcome::Unknown))
    }

    /// Gives up a seat. The caller holds the person's lock until it has announced the outcome. After
    /// a store failure the outcome is unknown and gets reconciled.
    pub(super) async fn leave(
        &self,
        room: &RoomId,
        person: &Person,
        reason: LeaveReason,
    ) -> Result<LeaveOutcome, Error> {
        let outcome = self.store.depart(room, &person.id, reason).await;
        Ok(outcome.inspect_err(|_| self.reconciler.add_room(room, Some(person)))?)
    }

    /// Announces the outcome of giving up a seat, with this system message.
    pub(super) async fn announce_leave(
        &self,
        room: &RoomId,
        outcome: LeaveOutcome,
        code: SystemCode,
    ) {
        match outcome {
            LeaveOutcome::Stayed | LeaveOutcome::NotOwner => {}
            LeaveOutcome::Left { person, room, new_owner } => {
                info!(room = %room.id, person = %person.id, reason = code.code(), "gave up a seat");
                self.reconciler.forget_leave(&room.id, &person.id);
                self.bots.forget(&room.id, &person.id);
                let announce = Announce::Left { count: room.summary().count };
                self.room_tasks.queue_system_message(&room.id, code, &person, announce);
                if new_owner {
                    self.announce_owner(&room.id, &room.owner).await;
                } else {
                    self.lobby.announce(Event::RoomChanged(room.id)).await;
                }
            }
            LeaveOutcome::Closed { .. } => self.announce_closing(room),
        }
    }

    /// Announces a room's new owner.
    pub(super) async fn announce_owner(&self, room: &RoomId, owner: &Person) {
        let announce = Announce::OwnerChanged;
        self.room_tasks.queue_system_message(room, SystemCode::Owner, owner, announce);
        self.lobby.announce(Event::RoomChanged(room.clone())).await;
    }

    /// Announces that a room is closed, and purges its messages and files.
    pub(super) fn announce_closing(&self, room: &RoomId) {
        info!(%room, "closed room");
        self.reconciler.forget_room(room);
        self.bots.forget_room(room);
        self.lobby.invalidate();
        // Queued behind the running greetings, so that those visitors receive the event, too.
        self.room_tasks.queue(room, Command::Announce(Event::RoomClosed(room.clone())));
        self.room_tasks.queue(room, Command::Purge);
    }
}
