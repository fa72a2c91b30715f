//! Refusals: the status, headers and JSON body of each error.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tracing::error;

use crate::{chat::Error, protocol::ErrorBody};

/// A request that was refused.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Error);

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// The status of each error.
fn status(error: &Error) -> StatusCode {
    match error {
        Error::Unauthorized | Error::InvalidToken => StatusCode::UNAUTHORIZED,
        Error::NoSuchRoom | Error::NotHere | Error::NoSuchMessage | Error::NotFound => {
            StatusCode::NOT_FOUND
        }
        Error::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Error::WrongPassword
        | Error::Kicked
        | Error::Locked
        | Error::NotInRoom
        | Error::NotOwner
        | Error::ForeignOrigin => StatusCode::FORBIDDEN,
        Error::RoomFull => StatusCode::CONFLICT,
        Error::Yourself | Error::Invalid(_) | Error::BadGif(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Error::Malformed => StatusCode::BAD_REQUEST,
        Error::TooLong | Error::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Error::UploadsFull => StatusCode::INSUFFICIENT_STORAGE,
        Error::OutOfRange { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
        Error::NotAGif => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::SlowDown { .. }
        | Error::TooSlow
        | Error::TooManyConnections
        | Error::TooManyTokens => StatusCode::TOO_MANY_REQUESTS,
        Error::TooManyRooms | Error::Restarting { .. } | Error::Unavailable(_) => {
            StatusCode::SERVICE_UNAVAILABLE
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
        #[derive(Serialize)]
        struct Body {
            error: ErrorBody,
        }
        if let Error::Unavailable(cause) = &self.0 {
            error!(%cause, "a request failed");
        }
        let body = Json(Body { error: ErrorBody::from(&self.0) });
        let mut response = (status(&self.0), body).into_response();
        let wait = match &self.0 {
            Error::TooManyRooms | Error::UploadsFull => Some(60),
            Error::Unavailable(_) => Some(5),
            other => other.retry_after().map(|wait| wait.as_secs() + 1),
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
