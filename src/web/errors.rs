//! Refusals: a status and JSON for programs, words on a page for people.

use axum::{
    Json,
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use serde::Serialize;
use tracing::error;

use super::{extract::Reader, pages};
use crate::{
    chat::{Error, room_id},
    protocol::ErrorBody,
};

/// A request that was refused.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Error);

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// The status of each refusal.
fn status(error: &Error) -> StatusCode {
    match error {
        Error::Unauthorized | Error::InvalidToken => StatusCode::UNAUTHORIZED,
        Error::NoSuchRoom | Error::NotHere | Error::NoSuchMessage => StatusCode::NOT_FOUND,
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

/// Every code that a page may be asked to show, so that it never shows what an address made up.
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

/// A refusal's code, for the layer that makes pages of refusals.
#[derive(Clone, Copy)]
struct Code(&'static str);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            error: ErrorBody,
        }
        if let Error::Unavailable(cause) = &self.0 {
            error!(%cause, "could not answer a request");
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
    /// The same status and headers as a program gets, around a page.
    pub(super) fn around(self, page: impl IntoResponse) -> Response {
        let (mut parts, _) = self.into_response().into_parts();
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        (parts.status, parts.headers, page).into_response()
    }
}

/// Says that the store is in trouble when a session could not be kept after all else was done: the
/// layer of the sessions has no more than a bare 500 for that, and nobody else answers one.
pub(super) async fn report_session_failure(
    reader: Reader,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return response;
    }
    let error = Error::Unavailable("a session could not be kept".into());
    let code = error.code();
    let response = Refused(error).into_response();
    if reader.wants_json { response } else { error_page(reader, &response, code) }
}

/// A page in place of a refusal.
pub(super) fn error_page(reader: Reader, refusal: &Response, code: &'static str) -> Response {
    let page = pages::ErrorPage { frame: reader.blank(), code };
    let retry = refusal.headers().get(header::RETRY_AFTER).cloned();
    let mut page = (refusal.status(), page).into_response();
    page.headers_mut().extend(retry.map(|seconds| (header::RETRY_AFTER, seconds)));
    page
}

/// Turns refusals of pages into what a person can read, unless a program asked: back to the lobby, which
/// says what happened, or, when the lobby would fail too, a page of its own.
pub(super) async fn redirect_refusals(reader: Reader, request: Request, next: Next) -> Response {
    let room = request.uri().path().strip_prefix("/room/").map(ToOwned::to_owned);
    let lobby = request.uri().path() == "/";
    let tried = request.method() == Method::POST || request.uri().query().is_some();
    let response = next.run(request).await;
    if reader.wants_json {
        return response;
    }
    let Some(Code(code)) = response.extensions().get().copied() else { return response };
    // The lobby says what happened elsewhere; whoever may not see that is told at once.
    if (lobby && code == "slow_down") || ["unavailable", "restarting"].contains(&code) {
        return error_page(reader, &response, code);
    }
    let id = room.as_deref().and_then(|path| path.split('/').next());
    let unlocking = id.and_then(|id| room_id(id).ok()).filter(|_| code == "wrong_password");
    Redirect::to(&match unlocking {
        Some(id) if tried => format!("/?error={code}&room={id}&tried=1"),
        Some(id) => format!("/?error={code}&room={id}"),
        None => format!("/?error={code}"),
    })
    .into_response()
}
