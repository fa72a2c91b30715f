//! Refusals: the status, headers and JSON body of each error.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use tracing::error;

use crate::{
    chat::{Error, ErrorCode},
    protocol::{ErrorBody, Refusal},
};

/// A request that was refused.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Error);

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// The status of each error.
pub(super) fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Unauthorized | ErrorCode::InvalidToken => StatusCode::UNAUTHORIZED,
        ErrorCode::NoSuchRoom
        | ErrorCode::NotHere
        | ErrorCode::NoSuchMessage
        | ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::WrongPassword
        | ErrorCode::Kicked
        | ErrorCode::Locked
        | ErrorCode::NotInRoom
        | ErrorCode::NotOwner
        | ErrorCode::ForeignOrigin => StatusCode::FORBIDDEN,
        ErrorCode::RoomFull => StatusCode::CONFLICT,
        ErrorCode::Yourself | ErrorCode::Invalid | ErrorCode::BadGif => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        ErrorCode::Malformed => StatusCode::BAD_REQUEST,
        ErrorCode::TooLong | ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::UploadsFull => StatusCode::INSUFFICIENT_STORAGE,
        ErrorCode::OutOfRange => StatusCode::RANGE_NOT_SATISFIABLE,
        ErrorCode::NotAGif => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorCode::SlowDown
        | ErrorCode::TooSlow
        | ErrorCode::TooManyConnections
        | ErrorCode::TooManyTokens => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::TooManyRooms | ErrorCode::Restarting | ErrorCode::Unavailable => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// The header `Retry-After` of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryAfter {
    /// It has none: trying again changes nothing.
    Never,
    /// These seconds.
    Seconds(u64),
    /// The time that the error itself states.
    Stated,
}

impl RetryAfter {
    /// The header of each error.
    pub(super) fn of(code: ErrorCode) -> Self {
        match code {
            ErrorCode::TooManyRooms | ErrorCode::UploadsFull => Self::Seconds(60),
            ErrorCode::Unavailable => Self::Seconds(5),
            ErrorCode::SlowDown | ErrorCode::Restarting => Self::Stated,
            ErrorCode::Unauthorized
            | ErrorCode::InvalidToken
            | ErrorCode::NoSuchRoom
            | ErrorCode::NotHere
            | ErrorCode::NoSuchMessage
            | ErrorCode::NotFound
            | ErrorCode::MethodNotAllowed
            | ErrorCode::WrongPassword
            | ErrorCode::Kicked
            | ErrorCode::Locked
            | ErrorCode::NotInRoom
            | ErrorCode::NotOwner
            | ErrorCode::ForeignOrigin
            | ErrorCode::RoomFull
            | ErrorCode::Yourself
            | ErrorCode::Invalid
            | ErrorCode::BadGif
            | ErrorCode::Malformed
            | ErrorCode::TooLong
            | ErrorCode::TooLarge
            | ErrorCode::OutOfRange
            | ErrorCode::NotAGif
            | ErrorCode::TooSlow
            | ErrorCode::TooManyConnections
            | ErrorCode::TooManyTokens => Self::Never,
        }
    }
}

/// The code, if pages may show it. `code` comes from an address that anybody can write.
pub(super) fn known_code(code: &str) -> Option<&'static str> {
    const SHOWN: [&str; 12] = [
        "no_such_room",
        "wrong_password",
        "kicked",
        "locked",
        "room_full",
        "not_in_room",
        "slow_down",
        "too_many_rooms",
        "restarting",
        "unavailable",
        "unauthorized",
        "malformed",
    ];
    SHOWN.into_iter().find(|shown| *shown == code)
}

/// A response's extension: the error's code, for [`error_pages`](super::error_pages).
#[derive(Clone, Copy)]
pub(super) struct Code(pub(super) &'static str);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        if let Error::Unavailable(cause) = &self.0 {
            error!(%cause, "a request failed");
        }
        let body = Json(Refusal { error: ErrorBody::from(&self.0) });
        let code = ErrorCode::from(&self.0);
        let mut response = (status(code), body).into_response();
        let wait = match RetryAfter::of(code) {
            RetryAfter::Never => None,
            RetryAfter::Seconds(seconds) => Some(seconds),
            RetryAfter::Stated => self.0.retry_after().map(|wait| wait.as_secs() + 1),
        };
        if let Some(seconds) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Error::OutOfRange { size } = &self.0
            && let Ok(whole) = HeaderValue::try_from(format!("bytes */{size}"))
        {
            response.headers_mut().insert(header::CONTENT_RANGE, whole);
        }
        response.extensions_mut().insert(Code(self.0.code()));
        response
    }
}

impl Refused {
    /// A page with the status and headers of the JSON response.
    pub(super) fn around(self, page: impl IntoResponse) -> Response {
        let (mut parts, _) = self.into_response().into_parts();
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        (parts.status, parts.headers, page).into_response()
    }
}
