//! Pages and redirects in place of refusals, for browsers; and the answers where there is no route.

use axum::{
    extract::Request,
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};

use super::{
    errors::{Code, Refused},
    extract::Reader,
    pages,
};
use crate::chat::{Error, room_id};

/// Middleware: replaces a bare 500 with `unavailable`. Only the session layer responds with 500,
/// when it cannot store a session after the handler has run.
pub(super) async fn report_session_failure(
    reader: Reader,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return response;
    }
    refuse(reader, Error::Unavailable("a session could not be kept".into()))
}

/// Middleware of Socket.IO: the library refuses some requests without a word.
pub(super) async fn explain_refusals(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.headers().contains_key(header::CONTENT_TYPE) {
        return response;
    }
    match response.status() {
        StatusCode::BAD_REQUEST => Refused(Error::Malformed).into_response(),
        StatusCode::PAYLOAD_TOO_LARGE => Refused(Error::TooLarge).into_response(),
        _ => response,
    }
}

/// Handler of addresses that no route has.
pub(super) async fn not_found(reader: Reader) -> Response {
    refuse(reader, Error::NotFound)
}

/// Handler of methods that a route does not take. The router adds the header `Allow`.
pub(super) async fn method_not_allowed(reader: Reader) -> Response {
    refuse(reader, Error::MethodNotAllowed)
}

/// The response to a refused request: JSON for programs, a page for people.
pub(super) fn refuse(reader: Reader, error: Error) -> Response {
    let refused = Refused(error);
    if reader.wants_json {
        return refused.into_response();
    }
    let code = match &refused.0 {
        Error::TooLarge => Error::Malformed.code(), // Its own text is about a GIF.
        error => error.code(),
    };
    refused.around(pages::ErrorPage { frame: reader.blank(), code })
}

/// A page with a refusal's status.
fn error_page(reader: Reader, refusal: &Response, code: &'static str) -> Response {
    let page = pages::ErrorPage { frame: reader.blank(), code };
    let retry = refusal.headers().get(header::RETRY_AFTER).cloned();
    let mut page = (refusal.status(), page).into_response();
    page.headers_mut().extend(retry.map(|seconds| (header::RETRY_AFTER, seconds)));
    page
}

/// Middleware: turns refusals into redirects to the lobby, which shows the error, unless the client
/// wants JSON. When the lobby would fail too, the response is an error page.
pub(super) async fn redirect_refusals(reader: Reader, request: Request, next: Next) -> Response {
    let room = request.uri().path().strip_prefix("/room/").map(ToOwned::to_owned);
    let lobby = request.uri().path() == "/";
    let submitted = request.method() == Method::POST || request.uri().query().is_some();
    let response = next.run(request).await;
    if reader.wants_json {
        return response;
    }
    let Some(Code(code)) = response.extensions().get().copied() else { return response };
    // These errors would refuse the request for the lobby as well.
    if (lobby && code == "slow_down") || ["unavailable", "restarting"].contains(&code) {
        return error_page(reader, &response, code);
    }
    let id = room.as_deref().and_then(|path| path.split('/').next());
    let needs_password = id.and_then(|id| room_id(id).ok()).filter(|_| code == "wrong_password");
    Redirect::to(&match needs_password {
        Some(id) if submitted => format!("/?error={code}&room={id}&tried=1"),
        Some(id) => format!("/?error={code}&room={id}"),
        None => format!("/?error={code}"),
    })
    .into_response()
}
