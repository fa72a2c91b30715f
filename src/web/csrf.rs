//! Forms of browsers that do not say from where they are sent.
//!
//! Today's say it, and [`guard`](super::guard) has judged that. An older one sends a form of another site's page with the visitor's
//! cookie and with nothing to tell it by, so that a form of our own has to carry a token (`session/forms.rs`). Whoever has no session
//! has nothing that could be misused, and a program that wants no page is nobody's browser: both are asked for none.

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest as _, Request},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use url::form_urlencoded;

use super::{body::is_form, errors::Refused, extract::Reader, guard};
use crate::{
    chat::Error,
    session::{Session, is_form_of},
};

/// The field that every form of a page has.
const TOKEN: &str = "csrf_token";

/// Refuses a form that may be another site's. What it carries is left as it is.
pub(super) async fn of_own_pages(reader: Reader, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let says_from_where = [header::ORIGIN, HeaderName::from_static("sec-fetch-site")]
        .iter()
        .any(|name| headers.contains_key(name));
    let session = request.extensions().get::<Session>().filter(|session| session.id().is_some());
    // All that a form can do without a script is a POST.
    let Some(session) = session.filter(|_| request.method() == Method::POST && !says_from_where)
    else {
        return next.run(request).await;
    };
    let holds = |name, text| {
        headers.get(name).is_some_and(|value: &HeaderValue| {
            value.to_str().is_ok_and(|value| value.contains(text))
        })
    };
    let is_asked = holds(header::ACCEPT, "text/html") && !holds(header::CONTENT_TYPE, "json"); // No form is JSON.
    if !is_form(headers) {
        // Our own pages send their files by script.
        return if is_asked { guard::foreign(reader) } else { next.run(request).await };
    }
    let session = session.clone();
    let (parts, body) = request.into_parts();
    // Within the same bound as where it is read for good.
    let mut whole = Request::new(body);
    *whole.extensions_mut() = parts.extensions.clone();
    let Ok(body) = Bytes::from_request(whole, &()).await else {
        return Refused(Error::Malformed).into_response();
    };
    let token = form_urlencoded::parse(&body).find(|(name, _)| name == TOKEN);
    if token.map_or(!is_asked, |(_, token)| is_form_of(&session, &token)) {
        next.run(Request::from_parts(parts, Body::from(body))).await
    } else {
        guard::foreign(reader)
    }
}
