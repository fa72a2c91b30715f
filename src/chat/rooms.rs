//! Rooms: opening, listing and access.

use std::sync::Arc;

use tracing::{debug, info};

use super::{
    ChatService, Error, FieldError, maintenance::FIRST_PERSON_WITHIN, password_check::hash_of_pass,
};
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
    fn parse(&self, max_capacity: u32) -> Result<(RoomTitle, Capacity, Option<Password>), Error> {
        let max = parse_capacity(&self.max, max_capacity);
        all_valid(parse_title(&self.title), max, parse_password(&self.password))
    }
}

pub(super) fn parse_title(raw: &str) -> Result<RoomTitle, FieldError> {
    let code = |error| match error {
        InvalidTitle::Empty => "title_empty",
        InvalidTitle::TooLong => "title_too_long",
    };
    RoomTitle::parse(raw).map_err(|error| FieldError { field: "title", code: code(error) })
}

pub(super) fn parse_capacity(raw: &str, most: u32) -> Result<Capacity, FieldError> {
    let code = |error| match error {
        InvalidCapacity::NotANumber => "max_not_a_number",
        InvalidCapacity::OutOfRange { .. } => "max_out_of_range",
    };
    Capacity::parse(raw, most).map_err(|error| FieldError { field: "max", code: code(error) })
}

pub(super) fn parse_password(raw: &str) -> Result<Option<Password>, FieldError> {
    let too_long = FieldError { field: "password", code: "password_too_long" };
    Password::parse(raw).map_err(|_| too_long)
}

/// The three fields, or an error with every wrong one.
pub(super) fn all_valid<T, M, P>(
    title: Result<T, FieldError>,
    max: Result<M, FieldError>,
    password: Result<P, FieldError>,
) -> Result<(T, M, P), Error> {
    match (title, max, password) {
        (Ok(title), Ok(max), Ok(password)) => Ok((title, max, password)),
        (title, max, password) => {
            let wrong = [title.err(), max.err(), password.err()];
            Err(Error::Invalid(wrong.into_iter().flatten().collect()))
        }
    }
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
        self: &Arc<Self>,
        me: &Person,
        network: Option<&Network>,
        form: &RoomForm,
    ) -> Result<Opened, Error> {
        self.admission.check_open()?;
        let (title, max, password) = form.parse(self.policy.max_capacity)?;
        self.limits.rooms.check(Requester { id: &me.id, pass: None, network })?;
        let password = self.passwords.hash(password).await?;
        let pass = password.as_ref().map(RoomPass::of);
        let id = RoomId::random();
        let (owner, created_at) = (me.clone(), Timestamp::now());
        let new =
            NewRoom { id: id.clone(), title: title.clone(), max, owner, password, created_at };
        if !self.store.open(new, self.policy.max_rooms).await? {
            return Err(Error::TooManyRooms);
        }
        info!(room = %id, person = %me.id, "opened a room");
        self.lobby.announce(Event::RoomOpened(id.clone())).await;
        self.settle_later(&id, FIRST_PERSON_WITHIN);
        let (count, colors, owner) = (0, Vec::new(), me.clone());
        let (has_password, locked) = (pass.is_some(), false);
        let room =
            RoomSummary { id, title, max, count, colors, owner, has_password, locked, created_at };
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
    pub async fn authorize(&self, room: &RoomId, me: Requester<'_>) -> Result<Room, Error> {
        let room = self.store.room(room).await?.ok_or(Error::NoSuchRoom)?;
        let passed = hash_of_pass(&room, me.pass);
        let network = self.network_hash(&room.id, me.network);
        let (passed, network) = (passed.as_ref(), network.as_ref());
        room.admit(EntryRequest { person: me.id, maker: None, passed, network })?;
        Ok(room)
    }

    /// Loads a room in which a person has a seat.
    pub(super) async fn room_with_seat(&self, room: &RoomId, of: &PersonId) -> Result<Room, Error> {
        let room = self.store.room(room).await?.ok_or(Error::NoSuchRoom)?;
        if room.seat(of).is_some() { Ok(room) } else { Err(Error::NotInRoom) }
    }

    /// Like [`ChatService::authorize`], with the rate limit for programs.
    ///
    /// # Errors
    /// The reasons of [`ChatService::authorize`], [`Error::SlowDown`].
    pub async fn get_room(&self, room: &RoomId, me: Requester<'_>) -> Result<Room, Error> {
        self.limits.reads.check(me)?;
        self.authorize(room, me).await
    }

    /// A room for a requester with access, and a page of its messages for one who has a seat; nobody
    /// reads unseen. A seat without a connection is prolonged: its person reads without scripts.
    ///
    /// # Errors
    /// The reasons of [`ChatService::authorize`].
    pub async fn get_room_with_history(
        self: &Arc<Self>,
        room: &RoomId,
        me: Requester<'_>,
        window: Window,
    ) -> Result<(Room, History), Error> {
        let found = self.authorize(room, me).await?;
        let Some(seat) = found.seat(me.id) else {
            return Ok((found, History { messages: Vec::new(), more: false }));
        };
        if seat.sockets.is_empty() {
            let person = seat.person.clone();
            if let Err(error) = self.sit(room, &person, None, me.network).await {
                // The seat lasts for the grace then, and its person may read meanwhile.
                debug!(%room, ?error, "could not prolong a seat");
            }
        }
        let history = self.store.history(room, me.id, window).await?;
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
        Ok(Some(self.passwords.verify(room, me, tried, hash).await?))
    }
}
