//! Checks the token in forms of browsers that send neither `Origin` nor `Sec-Fetch-Site`.
//!
//! [`cross_origin`](super::cross_origin) has checked the requests that have these headers. An older
//! browser sends a form of another site's page with the visitor's cookie and without them, so the
//! forms of our own pages carry a token (`session/csrf.rs`). The check skips visitors without a
//! session, who have no rights to misuse, and programs that do not accept HTML.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::Response,
};
use url::form_urlencoded;

use super::{
    body::{is_form, whole},
    error_pages::refuse,
    extract::Reader,
};
use crate::{
    chat::Error,
    session::{Session, is_form_of},
};

/// The form field that holds the token.
const TOKEN: &str = "csrf_token";

/// Middleware: refuses a form that may be another site's. The body reaches the handler unchanged.
pub(super) async fn check_forms(reader: Reader, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let has_origin = [header::ORIGIN, HeaderName::from_static("sec-fetch-site")]
        .iter()
        .any(|name| headers.contains_key(name));
    let session = request.extensions().get::<Session>().filter(|session| session.id().is_some());
    // Without a script, a form of another site can send only a POST.
    let Some(session) = session.filter(|_| request.method() == Method::POST && !has_origin) else {
        return next.run(request).await;
    };
    let holds = |name, text| {
        headers.get(name).is_some_and(|value: &HeaderValue| {
            value.to_str().is_ok_and(|value| value.contains(text))
        })
    };
    // No form is JSON.
    let from_browser = holds(header::ACCEPT, "text/html") && !holds(header::CONTENT_TYPE, "json");
    if !is_form(headers) {
        // Our own pages upload files only by script; a form with files is another site's.
        return if from_browser {
            refuse(reader, Error::ForeignOrigin)
        } else {
            next.run(request).await
        };
    }
    let session = session.clone();
    let (head, body) = match whole(request).await {
        Ok(whole) => whole,
        Err(error) => return refuse(reader, error),
    };
    let token = form_urlencoded::parse(&body).find(|(name, _)| name == TOKEN);
    if token.map_or(!from_browser, |(_, token)| is_form_of(&session, &token)) {
        next.run(Request::from_parts(head, Body::from(body))).await
    } else {
        refuse(reader, Error::ForeignOrigin)
    }
}
