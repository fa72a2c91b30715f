//! Why something was refused.

use std::time::Duration;

use crate::{
    domain::{ClientId, PersonId, Refusal, RoomId, Undone},
    store,
};

/// Those whose server restarts come back spread over this time.
const COME_BACK_WITHIN: Duration = Duration::from_secs(1);

/// A field of a form, and what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldError {
    /// Which field.
    pub field: &'static str,
    /// What is wrong, for pages to translate.
    pub code: &'static str,
}

/// Why a request was refused, in words the visitor may read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No session, or one that has ended.
    #[error("there is no session, or it has ended")]
    Unauthorized,
    /// A bot's token that is none, has ended or was revoked.
    #[error("this token is not known, has ended or was revoked")]
    InvalidToken,
    /// Gone, or never there.
    #[error("this room does not exist, or no longer")]
    NoSuchRoom,
    /// Wrong, or none given.
    #[error("this room has another password")]
    WrongPassword,
    /// Removed by the owner.
    #[error("you were removed from this room")]
    Kicked,
    /// Its owner lets nobody in.
    #[error("this room is locked: nobody new can come in")]
    Locked,
    /// No place is free.
    #[error("this room is full")]
    RoomFull,
    /// Only who is in the room may do this.
    #[error("you are not in this room")]
    NotInRoom,
    /// Whoever it was meant for is not in the room.
    #[error("this person is not here")]
    NotHere,
    /// Only the owner may do this.
    #[error("only the owner of the room can do this")]
    NotOwner,
    /// Gone, or never there, or not for them.
    #[error("there is no such message")]
    NoSuchMessage,
    /// Done to oneself, this makes no sense.
    #[error("you cannot do this to yourself")]
    Yourself,
    /// Some fields are wrong.
    #[error("some fields are not right")]
    Invalid(Vec<FieldError>),
    /// Not what the operation takes at all.
    #[error("the request is not understood")]
    Malformed,
    /// Asked for by a page of another site.
    #[error("a page of another site asked for this")]
    ForeignOrigin,
    /// More than a message may have.
    #[error("a message has at most 2,000 characters")]
    TooLong,
    /// More than a GIF may have.
    #[error("the GIF is too large")]
    TooLarge,
    /// Something else by its content.
    #[error("the file is not a GIF")]
    NotAGif,
    /// A GIF that is broken, or too much to show.
    #[error("the GIF cannot be read: {0}")]
    BadGif(String),
    /// All files together take as much as they may.
    #[error("there is no room for more GIFs now, please try again later")]
    UploadsFull,
    /// The file has no such part.
    #[error("the file has {size} bytes, and none where they were asked for")]
    OutOfRange {
        /// Of the whole file, in bytes.
        size: u64,
    },
    /// Too often.
    #[error("too much at once, please wait")]
    SlowDown {
        /// Until it may be tried again.
        retry_after: Duration,
    },
    /// A connection that cannot take what is sent to it.
    #[error("this connection is too slow: it was cut off, and may come back")]
    TooSlow,
    /// One person has as many as they may.
    #[error("you have this open too often: close another tab")]
    TooManyConnections,
    /// One session has as many as it may.
    #[error("you have as many bots as you may: revoke the token of one first")]
    TooManyTokens,
    /// The server holds as many as it may.
    #[error("there are too many rooms, please try again later")]
    TooManyRooms,
    /// This server stops, and takes no new rooms or people; another one, or the next, does.
    #[error("the server is restarting, please come back in a moment")]
    Restarting {
        /// When to come back: not everybody at once.
        retry_after: Duration,
    },
    /// The store is in trouble.
    #[error("the chat is unavailable, please try again")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>), // Never reaches the page.
}

impl Error {
    /// What programs and translations call it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::InvalidToken => "invalid_token",
            Self::NoSuchRoom => "no_such_room",
            Self::WrongPassword => "wrong_password",
            Self::Kicked => "kicked",
            Self::Locked => "locked",
            Self::RoomFull => "room_full",
            Self::NotInRoom => "not_in_room",
            Self::NotHere => "not_here",
            Self::NotOwner => "not_owner",
            Self::NoSuchMessage => "no_such_message",
            Self::Yourself => "yourself",
            Self::Invalid(_) => "invalid",
            Self::Malformed => "malformed",
            Self::ForeignOrigin => "foreign_origin",
            Self::TooLong => "too_long",
            Self::TooLarge => "too_large",
            Self::NotAGif => "not_a_gif",
            Self::BadGif(_) => "bad_gif",
            Self::UploadsFull => "uploads_full",
            Self::OutOfRange { .. } => "out_of_range",
            Self::SlowDown { .. } => "slow_down",
            Self::TooSlow => "too_slow",
            Self::TooManyConnections => "too_many_connections",
            Self::TooManyTokens => "too_many_tokens",
            Self::TooManyRooms => "too_many_rooms",
            Self::Restarting { .. } => "restarting",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// What a server that stops says to one of its clients.
    #[must_use]
    pub fn restarting() -> Self {
        let retry_after = rand::random_range(Duration::ZERO..COME_BACK_WITHIN);
        Self::Restarting { retry_after }
    }

    /// How long to wait before it is worth another try, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::SlowDown { retry_after } | Self::Restarting { retry_after } => Some(*retry_after),
            _ => None,
        }
    }

    /// One wrong field.
    #[must_use]
    pub fn field(field: &'static str, code: &'static str) -> Self {
        Self::Invalid(vec![FieldError { field, code }])
    }
}

impl From<store::Error> for Error {
    fn from(cause: store::Error) -> Self {
        Self::Unavailable(Box::new(cause))
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoSuchRoom => Self::NoSuchRoom,
            Refusal::WrongPassword => Self::WrongPassword,
            Refusal::Kicked => Self::Kicked,
            Refusal::Locked => Self::Locked,
            Refusal::RoomFull => Self::RoomFull,
        }
    }
}

impl From<Undone> for Error {
    fn from(undone: Undone) -> Self {
        match undone {
            Undone::NoSuchRoom => Self::NoSuchRoom,
            Undone::NotOwner => Self::NotOwner,
            Undone::NotHere => Self::NotHere,
            Undone::TooFewPlaces => Self::field("max", "max_too_few"),
        }
    }
}

impl From<store::Unsaid> for Error {
    fn from(unsaid: store::Unsaid) -> Self {
        match unsaid {
            store::Unsaid::NoSuchRoom => Self::NoSuchRoom,
            store::Unsaid::NotInRoom => Self::NotInRoom,
            store::Unsaid::NotHere => Self::NotHere,
        }
    }
}

/// Reads a room's id as it came from outside: what is none names no room.
///
/// # Errors
/// [`Error::NoSuchRoom`].
pub fn room_id(raw: &str) -> Result<RoomId, Error> {
    RoomId::parse(raw).map_err(|_| Error::NoSuchRoom)
}

/// Reads a person's id as it came from outside: what is none names nobody who is here.
///
/// # Errors
/// [`Error::NotHere`].
pub fn person_id(raw: &str) -> Result<PersonId, Error> {
    PersonId::parse(raw).map_err(|_| Error::NotHere)
}

/// Reads what a client calls its own message, if it calls it anything.
///
/// # Errors
/// [`Error::Invalid`] for the field `clientId`.
pub fn client_id(raw: Option<&str>) -> Result<Option<ClientId>, Error> {
    let parsed = raw.map(ClientId::parse).transpose();
    parsed.map_err(|_| Error::field("clientId", "client_id"))
}
