//! Extractors that most handlers use: the visitor, the language and theme, HTML or JSON, and the
//! parts of an address.

use std::convert::Infallible;

use axum::{
    extract::{self, FromRequestParts, OptionalFromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
    middleware::Next,
    response::Response,
};
use headers_accept::Accept;
use mediatype::{MediaType, names};
use serde::de::DeserializeOwned;

use super::{
    Web,
    error_pages::refuse,
    errors::Refused,
    i18n::{Texts, negotiate},
    pages::Blank,
};
use crate::{
    chat::{Error, Requester, RoomPass},
    domain::{Network, PersonId, Preferences, RoomId, Theme},
    session::{self, Session, Visitor},
};

/// Extractor of the visitor. Their session begins with their first request.
pub(super) struct Me {
    pub(super) visitor: Visitor,
    network: Option<Network>,
}

impl Me {
    fn new(visitor: Visitor, parts: &Parts) -> Self {
        Self { visitor, network: parts.extensions.get().cloned() }
    }

    pub(super) fn id(&self) -> &PersonId {
        &self.visitor.person.id
    }

    pub(super) async fn pass(&self, room: &RoomId) -> Result<Option<RoomPass>, Refused> {
        Ok(self.visitor.pass(room).await?)
    }

    /// The visitor, as the chat checks requests.
    pub(super) fn requester(&self) -> Requester<'_> {
        self.with(None)
    }

    /// The same, with the visitor's pass for a room, if they have one.
    pub(super) fn with<'a>(&'a self, pass: Option<&'a RoomPass>) -> Requester<'a> {
        Requester { id: self.id(), pass, network: self.network.as_ref() }
    }
}

fn session(parts: &Parts) -> Result<Session, Refused> {
    let missing = || Error::Unavailable("the session layer is missing".into());
    Ok(parts.extensions.get::<Session>().cloned().ok_or_else(missing)?)
}

impl FromRequestParts<Web> for Me {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Refused> {
        let session = session(parts)?;
        if let Some(visitor) = web.sessions.resume(session.clone()).await? {
            return Ok(Self::new(visitor, parts));
        }
        // The store keeps each new session for a week, so a network's rate is limited.
        if let Some(network) = parts.extensions.get() {
            web.chat.may_begin(network)?;
        }
        Ok(Self::new(web.sessions.begin(session).await?, parts))
    }
}

impl OptionalFromRequestParts<Web> for Me {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Option<Self>, Refused> {
        let visitor = web.sessions.resume(session(parts)?).await?;
        Ok(visitor.map(|visitor| Self::new(visitor, parts)))
    }
}

/// Extractor of the reader: language, theme, and whether the client wants JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader {
    pub(super) texts: Texts,
    pub(super) theme: Option<Theme>,
    pub(super) wants_json: bool,
}

/// Middleware: loads the reader's preferences. It refuses the request when the session cannot be
/// read, because the visitor has waited for the store's deadline already.
pub(super) async fn load_preferences(reader: Reader, mut request: Request, next: Next) -> Response {
    if let Some(session) = request.extensions().get::<Session>().cloned() {
        match session::preferences(&session).await {
            Ok(preferences) => request.extensions_mut().insert(preferences),
            Err(error) => return refuse(reader, error.into()),
        };
    }
    next.run(request).await
}

#[expect(clippy::disallowed_types, reason = "this is the one that refuses with an error of ours")]
type AnyPath<T> = extract::Path<T>;
#[expect(clippy::disallowed_types, reason = "this is the one that refuses with an error of ours")]
type AnyQuery<T> = extract::Query<T>;

/// Extractor of the parts of the path that a route names. One that is not text is `malformed`.
pub(super) struct Path<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let path = <AnyPath<T> as FromRequestParts<S>>::from_request_parts(parts, state).await;
        Ok(Self(path.map_err(|_| Error::Malformed)?.0))
    }
}

/// Extractor of the query. One that does not fit is `malformed`.
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let query = AnyQuery::from_request_parts(parts, state).await;
        Ok(Self(query.map_err(|_| Error::Malformed)?.0))
    }
}

impl Reader {
    /// The frame of a page without a visitor.
    pub(super) fn blank(self) -> Blank {
        Blank { texts: self.texts, theme: self.theme }
    }

    fn of(headers: &HeaderMap, preferences: Preferences) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let language =
            preferences.language.unwrap_or_else(|| negotiate(text(header::ACCEPT_LANGUAGE)));
        let accept: Option<Accept> = text(header::ACCEPT).and_then(|accept| accept.parse().ok());
        let html = MediaType::new(names::TEXT, names::HTML);
        let json = MediaType::new(names::APPLICATION, names::JSON);
        let offered = [html, json.clone()]; // The first one wins among equals.
        let chosen = accept.as_ref().and_then(|accept| accept.negotiate(&offered));
        let wants_json = chosen == Some(&json);
        Self { texts: Texts(language), theme: preferences.theme, wants_json }
    }
}

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let preferences = parts.extensions.get::<Preferences>().copied().unwrap_or_default();
        Ok(Self::of(&parts.headers, preferences))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants_json(accept: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        Reader::of(&headers, Preferences::default()).wants_json
    }

    #[test]
    fn a_browser_gets_a_page_and_a_program_that_asks_gets_json() {
        assert!(!wants_json("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(!wants_json("*/*"));
        assert!(wants_json("application/json"));
        assert!(wants_json("text/html;q=0.5, application/json"));
        assert!(!Reader::of(&HeaderMap::new(), Preferences::default()).wants_json);
    }
}
