//! Moderation: an owner's actions in their room, and deleting messages.

use tracing::{info, warn};

use super::{
    ChatService, Error, Requester, RoomPass,
    command::{Announce, Command},
    rooms::{all_valid, parse_capacity, parse_password, parse_title},
};
use crate::{
    domain::{
        Event, Message, Person, PersonId, Room, RoomChange, RoomId, RoomSummary, Seq, SystemCode,
    },
    store::{Changed, Closing, DeleteOutcome, LeaveOutcome, LeaveReason},
};

/// An owner's requested changes, unparsed. `None` leaves a setting unchanged.
#[derive(Debug, Clone, Default)]
pub struct RoomChangeForm {
    /// The new title.
    pub title: Option<String>,
    /// The new capacity.
    pub max: Option<String>,
    /// The new password; empty removes it.
    pub password: Option<String>,
    /// Whether the room refuses newcomers.
    pub locked: Option<bool>,
}

/// A room that its owner has changed.
#[derive(Debug, Clone)]
pub struct RoomChanged {
    /// The room after the change.
    pub room: RoomSummary,
    /// The owner's pass, if they set a password.
    pub pass: Option<RoomPass>,
}

impl ChatService {
    /// Changes a room and announces each difference.
    ///
    /// # Errors
    /// [`Error::NotOwner`], [`Error::NoSuchRoom`], [`Error::Invalid`] with every wrong field,
    /// including a capacity below the number of people; [`Error::SlowDown`].
    pub async fn change(
        &self,
        room: &RoomId,
        me: Requester<'_>,
        form: &RoomChangeForm,
    ) -> Result<RoomChanged, Error> {
        self.limits.items.check(me)?;
        let change = self.parse_change(form, room, me.id).await?;
        let pass = change.password.as_ref().and_then(Option::as_ref).map(RoomPass::of);
        let Changed { before, after } = self.store.change(room, me.id, change).await??;
        for code in differences(&before, &after) {
            self.room_tasks.queue_system_message(room, code, &after.owner, Announce::Posted);
        }
        self.room_tasks.queue(room, Command::AnnounceRoom);
        self.lobby.announce(Event::RoomChanged(room.clone())).await;
        Ok(RoomChanged { room: after.summary(), pass })
    }

    async fn parse_change(
        &self,
        form: &RoomChangeForm,
        room: &RoomId,
        me: &PersonId,
    ) -> Result<RoomChange, Error> {
        let title = form.title.as_deref().map(parse_title).transpose();
        let max_capacity = self.policy.max_capacity;
        let max = form.max.as_deref().map(|max| parse_capacity(max, max_capacity)).transpose();
        let password = form.password.as_deref().map(parse_password).transpose();
        let (title, max, password) = all_valid(title, max, password)?;
        if let Some(Some(_)) = password {
            self.owned_room(room, me).await?; // Hashing is expensive: check the owner first.
        }
        let changed = password.is_some();
        let hash = self.passwords.hash(password.flatten()).await?;
        Ok(RoomChange { title, max, password: changed.then_some(hash), locked: form.locked })
    }

    /// Loads a room and checks that `me` owns it.
    async fn owned_room(&self, room: &RoomId, me: &PersonId) -> Result<Room, Error> {
        let room = self.store.room(room).await?.ok_or(Error::NoSuchRoom)?;
        if room.owner.id == *me { Ok(room) } else { Err(Error::NotOwner) }
    }

    /// Closes a room, with or without people in it.
    ///
    /// # Errors
    /// [`Error::NotOwner`], [`Error::NoSuchRoom`], [`Error::SlowDown`].
    pub async fn close(&self, room: &RoomId, me: Requester<'_>) -> Result<(), Error> {
        self.limits.items.check(me)?;
        self.owned_room(room, me.id).await?;
        if !self.store.close(room, Closing::By(me.id.clone())).await? {
            self.owned_room(room, me.id).await?; // Somebody else owns it now.
            return Err(Error::NoSuchRoom);
        }
        self.announce_closing(room);
        Ok(())
    }

    /// Removes a person from a room, with the bots that they made, and bans them until it closes.
    ///
    /// # Errors
    /// [`Error::NotOwner`], [`Error::NoSuchRoom`], [`Error::Yourself`], [`Error::NotHere`],
    /// [`Error::SlowDown`].
    pub async fn kick(
        &self,
        room: &RoomId,
        me: Requester<'_>,
        whom: &PersonId,
    ) -> Result<(), Error> {
        self.limits.items.check(me)?;
        let owned = self.owned_room(room, me.id).await?;
        if whom == me.id {
            return Err(Error::Yourself);
        }
        let seat = owned.seat(whom).ok_or(Error::NotHere)?;
        let leaving = self.person_locks.lock(room, whom).await;
        let reason = LeaveReason::KickedBy(me.id.clone());
        let outcome = self.leave(room, &seat.person, reason).await?;
        match outcome {
            LeaveOutcome::Stayed => return Err(Error::NotHere),
            LeaveOutcome::NotOwner => return Err(Error::NotOwner),
            LeaveOutcome::Left { .. } | LeaveOutcome::Closed { .. } => {}
        }
        info!(%room, person = %whom, by = %me.id, "removed a person");
        let (person, by) = (whom.clone(), owned.owner.clone());
        // Queued behind the running greetings, so that a connection that is just entering gets it.
        let kicked = Event::Kicked { room: room.clone(), person, by };
        self.room_tasks.queue(room, Command::Announce(kicked));
        self.announce_leave(room, outcome, SystemCode::Kicked).await;
        drop(leaving); // People may share a lock, and the bots need theirs.
        self.remove_bots_of(room, whom).await;
        Ok(())
    }

    /// Gives up the seats of a removed person's bots. After a failure reconciliation repeats it.
    async fn remove_bots_of(&self, room: &RoomId, maker: &PersonId) {
        for bot in self.bots.of(room, maker) {
            match self.give_up(room, &bot).await {
                Ok(()) | Err(Error::NotInRoom) => {}
                Err(error) => warn!(%room, ?error, "could not remove the bot of a removed person"),
            }
        }
    }

    /// Gives up the seats of all removed people's bots, after a kick with an unknown outcome.
    pub(super) async fn remove_banned_bots(&self, room: &RoomId) {
        match self.store.room(room).await {
            Ok(found) => {
                for maker in found.into_iter().flat_map(|room| room.kicked) {
                    self.remove_bots_of(room, &maker).await;
                }
            }
            Err(_) => self.reconciler.add_room(room, None), // The next time.
        }
    }

    /// Makes another person in the room its owner, and returns them.
    ///
    /// # Errors
    /// [`Error::NotOwner`], [`Error::NoSuchRoom`], [`Error::Yourself`], [`Error::NotHere`],
    /// [`Error::SlowDown`].
    pub async fn hand_over(
        &self,
        room: &RoomId,
        me: Requester<'_>,
        whom: &PersonId,
    ) -> Result<Person, Error> {
        self.limits.items.check(me)?;
        if whom == me.id {
            self.owned_room(room, me.id).await?;
            return Err(Error::Yourself);
        }
        let owner = self.store.hand_over(room, me.id, whom).await??.owner;
        self.announce_owner(room, &owner).await;
        Ok(owner)
    }

    /// Deletes a message: a person's own or, for the owner, anybody's. Removes the files of its GIF
    /// unless another message shows it. Returns the deleted message's remains.
    ///
    /// # Errors
    /// [`Error::NoSuchRoom`], [`Error::NotInRoom`], [`Error::NoSuchMessage`], [`Error::NotOwner`]
    /// for another person's message, [`Error::SlowDown`].
    pub async fn delete(
        &self,
        room: &RoomId,
        me: Requester<'_>,
        seq: Seq,
    ) -> Result<Message, Error> {
        self.limits.items.check(me)?;
        let found = self.room_with_seat(room, me.id).await?;
        let is_owner = found.owner.id == *me.id;
        let (message, unused) = match self.store.delete_message(room, seq, me.id, is_owner).await? {
            DeleteOutcome::Deleted { message, unused } => (message, unused),
            DeleteOutcome::NoSuchMessage => return Err(Error::NoSuchMessage),
            DeleteOutcome::NotTheirs => return Err(Error::NotOwner),
        };
        if let Some(gif) = unused {
            self.room_tasks.queue(room, Command::Discard(gif));
        }
        self.room_tasks.queue(room, Command::Announce(Event::Deleted { message: message.clone() }));
        Ok(message)
    }
}

/// The system messages for a change.
fn differences(before: &Room, after: &Room) -> Vec<SystemCode> {
    let locking = if after.locked { SystemCode::Locked } else { SystemCode::Unlocked };
    [
        (before.title != after.title, SystemCode::Renamed),
        (before.max != after.max, SystemCode::Capacity),
        (before.password != after.password, SystemCode::Password),
        (before.locked != after.locked, locking),
    ]
    .into_iter()
    .filter_map(|(differs, code)| differs.then_some(code))
    .collect()
}
