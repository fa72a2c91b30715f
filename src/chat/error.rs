//! The reasons for refusing a request.

use std::time::Duration;

use strum::{EnumDiscriminants, IntoStaticStr, VariantArray};

use crate::{
    domain::{AppendError, ClientId, EntryError, OwnerActionError, PersonId, RoomId},
    store,
};

/// Clients of a restarting server reconnect spread over this time.
const RECONNECT_WITHIN: Duration = Duration::from_secs(1);

/// A wrong field of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name.
    pub field: &'static str,
    /// The error code, for pages to translate.
    pub code: &'static str,
}

/// The reason for refusing a request. Its text is safe to show to the visitor.
#[derive(Debug, thiserror::Error, EnumDiscriminants)]
#[strum_discriminants(
    name(ErrorCode),
    doc = "The code of an [`Error`]: its name in snake case.",
    derive(IntoStaticStr, VariantArray, PartialOrd, Ord),
    strum(serialize_all = "snake_case")
)]
pub enum Error {
    /// The session is missing or has ended.
    #[error("there is no session, or it has ended")]
    Unauthorized,
    /// The bot's token is unknown, expired or revoked.
    #[error("this token is not known, has ended or was revoked")]
    InvalidToken,
    /// The room does not exist.
    #[error("this room does not exist, or no longer")]
    NoSuchRoom,
    /// The password is wrong or missing.
    #[error("this room has another password")]
    WrongPassword,
    /// The owner has removed this person from the room.
    #[error("you were removed from this room")]
    Kicked,
    /// The owner has locked the room.
    #[error("this room is locked: nobody new can come in")]
    Locked,
    /// The room has no free seat.
    #[error("this room is full")]
    RoomFull,
    /// Only people in the room may do this.
    #[error("you are not in this room")]
    NotInRoom,
    /// The addressed person is not in the room.
    #[error("this person is not here")]
    NotHere,
    /// Only the owner may do this.
    #[error("only the owner of the room can do this")]
    NotOwner,
    /// The message does not exist, or this person may not see it.
    #[error("there is no such message")]
    NoSuchMessage,
    /// A person cannot do this to themselves.
    #[error("you cannot do this to yourself")]
    Yourself,
    /// Some fields are wrong.
    #[error("some fields are not right")]
    Invalid(Vec<FieldError>),
    /// The request cannot be parsed.
    #[error("the request is not understood")]
    Malformed,
    /// There is nothing at this address.
    #[error("there is nothing at this address")]
    NotFound,
    /// The address takes other methods only.
    #[error("this address does not take this method")]
    MethodNotAllowed,
    /// The request comes from a page of another site.
    #[error("a page of another site asked for this")]
    ForeignOrigin,
    /// The message is too long.
    #[error("a message has at most 2,000 characters")]
    TooLong,
    /// The GIF, or the body of a request, is too large.
    #[error("this is more than the server takes at once")]
    TooLarge,
    /// The file's content is not a GIF.
    #[error("the file is not a GIF")]
    NotAGif,
    /// The GIF is broken, or exceeds a limit for display.
    #[error("the GIF cannot be read: {0}")]
    BadGif(String),
    /// The space for all files is used up.
    #[error("there is no room for more GIFs now, please try again later")]
    UploadsFull,
    /// The requested byte range is outside the file.
    #[error("the file has {size} bytes, and none where they were asked for")]
    OutOfRange {
        /// Size of the whole file, in bytes.
        size: u64,
    },
    /// A rate limit is exceeded.
    #[error("too much at once, please wait")]
    SlowDown {
        /// Time until the next try is allowed.
        retry_after: Duration,
    },
    /// The connection's queue is full: it reads too slowly.
    #[error("this connection is too slow: it was cut off, and may come back")]
    TooSlow,
    /// The person has reached their limit of connections.
    #[error("you have this open too often: close another tab")]
    TooManyConnections,
    /// The session has reached its limit of tokens.
    #[error("you have as many bots as you may: revoke the token of one first")]
    TooManyTokens,
    /// The server has reached its limit of rooms.
    #[error("there are too many rooms, please try again later")]
    TooManyRooms,
    /// This server is stopping and accepts no new rooms or people.
    #[error("the server is restarting, please come back in a moment")]
    Restarting {
        /// Time until the client reconnects, random so that clients do not all return at once.
        retry_after: Duration,
    },
    /// The store is failing. The source never reaches the page.
    #[error("the chat is unavailable, please try again")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// The error code for programs and translations.
    #[must_use]
    pub fn code(&self) -> &'static str {
        ErrorCode::from(self).into()
    }

    /// The error for one client of a stopping server.
    #[must_use]
    pub fn restarting() -> Self {
        let retry_after = rand::random_range(Duration::ZERO..RECONNECT_WITHIN);
        Self::Restarting { retry_after }
    }

    /// The error for a client that does not wait for answers.
    #[must_use]
    pub fn too_many_unanswered() -> Self {
        Self::SlowDown { retry_after: Duration::from_secs(1) }
    }

    /// Time until a retry can succeed, if known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::SlowDown { retry_after } | Self::Restarting { retry_after } => Some(*retry_after),
            _ => None,
        }
    }

    /// An error with one wrong field.
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

impl From<EntryError> for Error {
    fn from(refusal: EntryError) -> Self {
        match refusal {
            EntryError::NoSuchRoom => Self::NoSuchRoom,
            EntryError::WrongPassword => Self::WrongPassword,
            EntryError::Kicked => Self::Kicked,
            EntryError::Locked => Self::Locked,
            EntryError::RoomFull => Self::RoomFull,
        }
    }
}

impl From<OwnerActionError> for Error {
    fn from(refusal: OwnerActionError) -> Self {
        match refusal {
            OwnerActionError::NoSuchRoom => Self::NoSuchRoom,
            OwnerActionError::NotOwner => Self::NotOwner,
            OwnerActionError::NotHere => Self::NotHere,
            OwnerActionError::TooFewPlaces => Self::field("max", "max_too_few"),
        }
    }
}

impl From<AppendError> for Error {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::NoSuchRoom => Self::NoSuchRoom,
            AppendError::NotInRoom => Self::NotInRoom,
            AppendError::NotHere => Self::NotHere,
        }
    }
}

/// Parses a room's id from outside. A malformed id counts as an unknown room.
///
/// # Errors
/// [`Error::NoSuchRoom`].
pub fn room_id(raw: &str) -> Result<RoomId, Error> {
    RoomId::parse(raw).map_err(|_| Error::NoSuchRoom)
}

/// Parses a person's id from outside. A malformed id counts as an absent person.
///
/// # Errors
/// [`Error::NotHere`].
pub fn person_id(raw: &str) -> Result<PersonId, Error> {
    PersonId::parse(raw).map_err(|_| Error::NotHere)
}

/// Parses a client's id for its own message, if given.
///
/// # Errors
/// [`Error::Invalid`] for the field `clientId`.
pub fn client_id(raw: Option<&str>) -> Result<Option<ClientId>, Error> {
    let parsed = raw.map(ClientId::parse).transpose();
    parsed.map_err(|_| Error::field("clientId", "client_id"))
}
