//! Rooms: made, listed, and their doors.

use super::{Chat, Error, FieldError};
use crate::{
    domain::{
        Capacity, Event, History, InvalidCapacity, InvalidTitle, Knock, Network, Password,
        PasswordHash, Person, PersonId, Room, RoomId, RoomSummary, RoomTitle, Timestamp, Window,
    },
    store::NewRoom,
};

/// A form for a room, as somebody filled it in.
#[derive(Debug, Clone, Default)]
pub struct RoomForm {
    /// What it should be listed under.
    pub title: String,
    /// How many people should fit in.
    pub max: String,
    /// What newcomers should know; empty for nothing.
    pub password: String,
}

impl RoomForm {
    fn parse(&self, most: u32) -> Result<(RoomTitle, Capacity, Option<Password>), Error> {
        match (title(&self.title), capacity(&self.max, most), password(&self.password)) {
            (Ok(title), Ok(max), Ok(password)) => Ok((title, max, password)),
            (title, max, password) => Err(wrong([title.err(), max.err(), password.err()])),
        }
    }
}

pub(super) fn title(raw: &str) -> Result<RoomTitle, FieldError> {
    let code = |error| match error {
        InvalidTitle::Empty => "title_empty",
        InvalidTitle::TooLong => "title_too_long",
    };
    RoomTitle::parse(raw).map_err(|error| FieldError { field: "title", code: code(error) })
}

pub(super) fn capacity(raw: &str, most: u32) -> Result<Capacity, FieldError> {
    let code = |error| match error {
        InvalidCapacity::NotANumber => "max_not_a_number",
        InvalidCapacity::OutOfRange { .. } => "max_out_of_range",
    };
    Capacity::parse(raw, most).map_err(|error| FieldError { field: "max", code: code(error) })
}

pub(super) fn password(raw: &str) -> Result<Option<Password>, FieldError> {
    let wrong = FieldError { field: "password", code: "password_too_long" };
    Password::parse(raw).map_err(|_| wrong)
}

/// Every field that is wrong.
pub(super) fn wrong(fields: impl IntoIterator<Item = Option<FieldError>>) -> Error {
    Error::Invalid(fields.into_iter().flatten().collect())
}

/// What somebody keeps of having shown a room's password: good until it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass(String);

impl Pass {
    /// Takes a pass that a session kept.
    #[must_use]
    pub fn new(stamp: impl Into<String>) -> Self {
        Self(stamp.into())
    }

    /// The pass, for a session to keep.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn of(hash: &PasswordHash) -> Self {
        Self(hash.stamp())
    }
}

/// Whoever asks for something.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// Who.
    pub id: &'a PersonId,
    /// What they keep of having shown the room's password.
    pub pass: Option<&'a Pass>,
    /// Where they come from, if that is known.
    pub network: Option<&'a Network>,
}

/// A room that was just made.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The room.
    pub room: RoomSummary,
    /// Its maker's pass, if it has a password.
    pub pass: Option<Pass>,
}

impl Chat {
    /// Makes a room. It waits a minute for its first person.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every wrong field, [`Error::SlowDown`], [`Error::TooManyRooms`],
    /// [`Error::Restarting`].
    pub async fn open(
        &self,
        me: &Person,
        network: Option<&Network>,
        form: &RoomForm,
    ) -> Result<Opened, Error> {
        self.open_for_new()?;
        let (title, max, password) = form.parse(self.rules.max_capacity)?;
        self.limits.rooms.check(Caller { id: &me.id, pass: None, network })?;
        let password = match password {
            Some(password) => Some(self.hash(password).await?),
            None => None,
        };
        let pass = password.as_ref().map(Pass::of);
        let id = RoomId::random();
        let has_password = password.is_some();
        let created_at = Timestamp::now();
        let new = NewRoom {
            id: id.clone(),
            title: title.clone(),
            max,
            owner: me.clone(),
            password,
            created_at,
        };
        if !self.store.open(new, self.rules.max_rooms).await? {
            return Err(Error::TooManyRooms);
        }
        self.tell_lobby(Event::RoomOpened(id.clone())).await;
        self.settle_later(&id, super::FIRST_PERSON_WITHIN);
        let room = RoomSummary {
            id,
            title,
            max,
            count: 0,
            colors: Vec::new(),
            owner: me.clone(),
            has_password,
            locked: false,
            created_at,
        };
        Ok(Opened { room, pass })
    }

    /// Rooms as everybody may see them, of those ids that exist.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn summaries(&self, ids: Vec<RoomId>) -> Result<Vec<RoomSummary>, Error> {
        Ok(self.store.summaries(ids).await?)
    }

    /// A room, for somebody who is let in: who has a seat, or could take one now.
    ///
    /// # Errors
    /// The first reason why they are not.
    pub async fn knock(&self, room: &RoomId, caller: Caller<'_>) -> Result<Room, Error> {
        let room = self.store.room(room).await?.ok_or(Error::NoSuchRoom)?;
        let passed = passed(&room, caller.pass);
        let network = self.network(&room.id, caller.network);
        room.admit(Knock {
            person: caller.id,
            passed: passed.as_ref(),
            network: network.as_ref(),
        })?;
        Ok(room)
    }

    /// The same, for a program, which may ask as often as it likes only up to a rate.
    ///
    /// # Errors
    /// The reasons of [`Chat::knock`], [`Error::SlowDown`].
    pub async fn look_up(&self, room: &RoomId, caller: Caller<'_>) -> Result<Room, Error> {
        self.limits.reads.check(caller)?;
        self.knock(room, caller).await
    }

    /// A room with a stretch of its messages, for somebody who is let in.
    ///
    /// # Errors
    /// The reasons of [`Chat::knock`].
    pub async fn look_in(
        &self,
        room: &RoomId,
        caller: Caller<'_>,
        window: Window,
    ) -> Result<(Room, History), Error> {
        let found = self.knock(room, caller).await?;
        let history = self.store.history(room, caller.id, window).await?;
        Ok((found, history))
    }

    /// Tries a password. A room without one takes any, and gives no pass.
    ///
    /// # Errors
    /// [`Error::WrongPassword`], [`Error::NoSuchRoom`], [`Error::SlowDown`].
    pub async fn unlock(
        &self,
        room: &RoomId,
        me: Caller<'_>,
        password: &str,
    ) -> Result<Option<Pass>, Error> {
        let found = self.store.room(room).await?.ok_or(Error::NoSuchRoom)?;
        let Some(hash) = found.password else { return Ok(None) };
        let tried = Password::parse(password).ok().flatten().ok_or(Error::WrongPassword)?;
        self.limits.passwords.check(me)?;
        self.guesses.count(room, me)?;
        let pass = Pass::of(&hash);
        if !self.verify(tried, hash).await? {
            return Err(Error::WrongPassword);
        }
        self.guesses.forget(room, me);
        Ok(Some(pass))
    }

    pub(super) async fn hash(&self, password: Password) -> Result<PasswordHash, Error> {
        self.hashing.run(move || password.hash()).await
    }

    async fn verify(&self, password: Password, hash: PasswordHash) -> Result<bool, Error> {
        self.hashing.run(move || password.opens(&hash)).await
    }
}

/// The room's password hash, if the pass is one of this very hash.
pub(super) fn passed(room: &Room, pass: Option<&Pass>) -> Option<PasswordHash> {
    let hash = room.password.as_ref()?;
    (pass == Some(&Pass::of(hash))).then(|| hash.clone())
}
