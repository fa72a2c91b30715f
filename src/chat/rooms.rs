//! Rooms: opening, listing and access.

use super::{ChatService, Error, FieldError};
use crate::{
    domain::{
        Capacity, EntryRequest, Event, History, InvalidCapacity, InvalidTitle, Network, Password,
        PasswordHash, Person, PersonId, Room, RoomId, RoomSummary, RoomTitle, Timestamp, Window,
    },
    store::NewRoom,
};

/// The form for a new room, unparsed.
#[derive(Debug, Clone, Default)]
pub struct RoomForm {
    /// The title.
    pub title: String,
    /// The capacity.
    pub max: String,
    /// The password; empty for none.
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

/// An error with every wrong field.
pub(super) fn wrong(fields: impl IntoIterator<Item = Option<FieldError>>) -> Error {
    Error::Invalid(fields.into_iter().flatten().collect())
}

/// Proof that a visitor has given a room's password. Valid until the password changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomPass(String);

impl RoomPass {
    /// Restores a pass from a session.
    #[must_use]
    pub fn new(stamp: impl Into<String>) -> Self {
        Self(stamp.into())
    }

    /// The pass, to store in a session.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn of(hash: &PasswordHash) -> Self {
        Self(hash.stamp())
    }
}

/// The person who makes a request.
#[derive(Debug, Clone, Copy)]
pub struct Requester<'a> {
    /// Their id.
    pub id: &'a PersonId,
    /// Their pass for the room's password.
    pub pass: Option<&'a RoomPass>,
    /// Their network, if known.
    pub network: Option<&'a Network>,
}

/// A new room.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The room.
    pub room: RoomSummary,
    /// The owner's pass, if the room has a password.
    pub pass: Option<RoomPass>,
}

impl ChatService {
    /// Opens a room. It closes unless somebody enters within a minute.
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
        self.limits.rooms.check(Requester { id: &me.id, pass: None, network })?;
        let password = match password {
            Some(password) => Some(self.hash(password).await?),
            None => None,
        };
        let pass = password.as_ref().map(RoomPass::of);
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

    /// The public summaries of these rooms; ids of closed rooms are skipped.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn summaries(&self, ids: Vec<RoomId>) -> Result<Vec<RoomSummary>, Error> {
        Ok(self.store.summaries(ids).await?)
    }

    /// Loads a room for a requester with access: one who has a seat or could take one now.
    ///
    /// # Errors
    /// The first reason against access.
    pub async fn authorize(&self, room: &RoomId, caller: Requester<'_>) -> Result<Room, Error> {
        let room = self.store.room(room).await?.ok_or(Error::NoSuchRoom)?;
        let passed = passed(&room, caller.pass);
        let network = self.network(&room.id, caller.network);
        room.admit(EntryRequest {
            person: caller.id,
            passed: passed.as_ref(),
            network: network.as_ref(),
        })?;
        Ok(room)
    }

    /// Like [`ChatService::authorize`], with the rate limit for programs.
    ///
    /// # Errors
    /// The reasons of [`ChatService::authorize`], [`Error::SlowDown`].
    pub async fn get_room(&self, room: &RoomId, caller: Requester<'_>) -> Result<Room, Error> {
        self.limits.reads.check(caller)?;
        self.authorize(room, caller).await
    }

    /// A room with a page of its messages, for a requester with access.
    ///
    /// # Errors
    /// The reasons of [`ChatService::authorize`].
    pub async fn get_room_with_history(
        &self,
        room: &RoomId,
        caller: Requester<'_>,
        window: Window,
    ) -> Result<(Room, History), Error> {
        let found = self.authorize(room, caller).await?;
        let history = self.store.history(room, caller.id, window).await?;
        Ok((found, history))
    }

    /// Verifies a password and returns a pass. A room without a password returns none.
    ///
    /// # Errors
    /// [`Error::WrongPassword`], [`Error::NoSuchRoom`], [`Error::SlowDown`].
    pub async fn unlock(
        &self,
        room: &RoomId,
        me: Requester<'_>,
        password: &str,
    ) -> Result<Option<RoomPass>, Error> {
        let found = self.store.room(room).await?.ok_or(Error::NoSuchRoom)?;
        let Some(hash) = found.password else { return Ok(None) };
        let tried = Password::parse(password).ok().flatten().ok_or(Error::WrongPassword)?;
        self.limits.passwords.check(me)?;
        self.password_throttle.count(room, me)?;
        let pass = RoomPass::of(&hash);
        if !self.verify(tried, hash).await? {
            return Err(Error::WrongPassword);
        }
        self.password_throttle.forget(room, me);
        Ok(Some(pass))
    }

    pub(super) async fn hash(&self, password: Password) -> Result<PasswordHash, Error> {
        self.password_pool.run(move || password.hash()).await
    }

    async fn verify(&self, password: Password, hash: PasswordHash) -> Result<bool, Error> {
        self.password_pool.run(move || password.opens(&hash)).await
    }
}

/// The room's password hash, if the pass was made from this hash.
pub(super) fn passed(room: &Room, pass: Option<&RoomPass>) -> Option<PasswordHash> {
    let hash = room.password.as_ref()?;
    (pass == Some(&RoomPass::of(hash))).then(|| hash.clone())
}
