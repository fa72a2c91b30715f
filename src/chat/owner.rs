//! What an owner does with their room, and anybody with what they said.

use super::{
    Caller, Chat, Error, Pass,
    rooms::{capacity, password, title, wrong},
    work::{Announce, Work},
};
use crate::{
    domain::{
        Event, Message, Person, PersonId, Room, RoomChange, RoomId, RoomSummary, Seq, SystemCode,
    },
    store::{Changed, Closing, Departing, Departure, Emptying},
};

/// What an owner asks to change, as it came from outside; what is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct RoomChangeForm {
    /// What it should be listed under.
    pub title: Option<String>,
    /// How many people should fit in.
    pub max: Option<String>,
    /// What newcomers should know; empty for nothing any more.
    pub password: Option<String>,
    /// Whether newcomers are kept out.
    pub locked: Option<bool>,
}

/// A room that its owner has changed.
#[derive(Debug, Clone)]
pub struct RoomChanged {
    /// As it is now.
    pub room: RoomSummary,
    /// The owner's pass, if they set a password.
    pub pass: Option<Pass>,
}

impl Chat {
    /// Changes a room, and tells everybody what is different.
    ///
    /// # Errors
    /// [`Error::NotOwner`], [`Error::NoSuchRoom`], [`Error::Invalid`] with every wrong field, among them
    /// fewer places than people; [`Error::SlowDown`].
    pub async fn change(
        &self,
        room: &RoomId,
        me: Caller<'_>,
        form: &RoomChangeForm,
    ) -> Result<RoomChanged, Error> {
        self.limits.items.check(me)?;
        let change = self.parse(form, room, me.id).await?;
        let pass = change.password.as_ref().and_then(Option::as_ref).map(Pass::of);
        let Changed { before, after } = self.store.change(room, me.id, change).await??;
        for code in differences(&before, &after) {
            self.note(room, code, &after.owner, Announce::Said);
        }
        self.queue(room, Work::TellRoom);
        self.tell_lobby(Event::RoomChanged(room.clone())).await;
        Ok(RoomChanged { room: after.summary(), pass })
    }

    async fn parse(
        &self,
        form: &RoomChangeForm,
        room: &RoomId,
        me: &PersonId,
    ) -> Result<RoomChange, Error> {
        let title = form.title.as_deref().map(title).transpose();
        let most = self.rules.max_capacity;
        let max = form.max.as_deref().map(|max| capacity(max, most)).transpose();
        let password = form.password.as_deref().map(password).transpose();
        let (title, max, password) = match (title, max, password) {
            (Ok(title), Ok(max), Ok(password)) => (title, max, password),
            (title, max, password) => {
                return Err(wrong([title.err(), max.err(), password.err()]));
            }
        };
        let password = match password {
            Some(Some(password)) => {
                self.owned(room, me).await?; // To hash is work, and only for who may.
                Some(Some(self.hash(password).await?))
            }
            Some(None) => Some(None),
            None => None,
        };
        Ok(RoomChange { title, max, password, locked: form.locked })
    }

    /// A room, for its owner.
    async fn owned(&self, room: &RoomId, me: &PersonId) -> Result<Room, Error> {
        let room = self.store.room(room).await?.ok_or(Error::NoSuchRoom)?;
        if room.owner.id == *me { Ok(room) } else { Err(Error::NotOwner) }
    }

    /// Closes a room, whoever is there.
    ///
    /// # Errors
    /// [`Error::NotOwner`], [`Error::NoSuchRoom`], [`Error::SlowDown`].
    pub async fn close(&self, room: &RoomId, me: Caller<'_>) -> Result<(), Error> {
        self.limits.items.check(me)?;
        self.owned(room, me.id).await?;
        if !self.store.close(room, Closing::Always).await? {
            return Err(Error::NoSuchRoom);
        }
        self.closed(room);
        Ok(())
    }

    /// Removes somebody from a room, for as long as it exists.
    ///
    /// # Errors
    /// [`Error::NotOwner`], [`Error::NoSuchRoom`], [`Error::Yourself`], [`Error::NotHere`],
    /// [`Error::SlowDown`].
    pub async fn kick(&self, room: &RoomId, me: Caller<'_>, whom: &PersonId) -> Result<(), Error> {
        self.limits.items.check(me)?;
        let owned = self.owned(room, me.id).await?;
        if whom == me.id {
            return Err(Error::Yourself);
        }
        let seat = owned.seat(whom).ok_or(Error::NotHere)?;
        let departure = self.depart(room, &seat.person, Departing::Kicked).await?;
        if matches!(departure, Departure::Stayed) {
            return Err(Error::NotHere);
        }
        let (person, by) = (whom.clone(), owned.owner.clone());
        self.bus.announce(Event::Kicked { room: room.clone(), person, by }).await;
        self.departed_as(room, departure, SystemCode::Kicked).await;
        Ok(())
    }

    /// Gives a room to somebody else in it, who is returned.
    ///
    /// # Errors
    /// [`Error::NotOwner`], [`Error::NoSuchRoom`], [`Error::Yourself`], [`Error::NotHere`],
    /// [`Error::SlowDown`].
    pub async fn hand_over(
        &self,
        room: &RoomId,
        me: Caller<'_>,
        whom: &PersonId,
    ) -> Result<Person, Error> {
        self.limits.items.check(me)?;
        if whom == me.id {
            self.owned(room, me.id).await?;
            return Err(Error::Yourself);
        }
        let owner = self.store.hand_over(room, me.id, whom).await??.owner;
        self.owned_by(room, &owner).await;
        Ok(owner)
    }

    /// Deletes a message: one's own, or as the owner anybody's; the files of its GIF go, too, unless another
    /// message shows it. What is left of it is returned.
    ///
    /// # Errors
    /// [`Error::NoSuchRoom`], [`Error::NotInRoom`], [`Error::NoSuchMessage`], [`Error::NotOwner`] for what
    /// somebody else said, [`Error::SlowDown`].
    pub async fn delete(&self, room: &RoomId, me: Caller<'_>, seq: Seq) -> Result<Message, Error> {
        self.limits.items.check(me)?;
        let found = self.store.room(room).await?.ok_or(Error::NoSuchRoom)?;
        if found.seat(me.id).is_none() {
            return Err(Error::NotInRoom);
        }
        let owner = found.owner.id == *me.id;
        let (message, unused) = match self.store.empty(room, seq, me.id, owner).await? {
            Emptying::Emptied { message, unused } => (message, unused),
            Emptying::NoSuchMessage => return Err(Error::NoSuchMessage),
            Emptying::NotTheirs => return Err(Error::NotOwner),
        };
        if let Some(gif) = unused {
            self.queue(room, Work::Discard(gif));
        }
        self.queue(room, Work::Tell(Event::Emptied { message: message.clone() }));
        Ok(message)
    }
}

/// What the room says of a change.
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
