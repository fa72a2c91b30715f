//! Who asks, in which language, and whether a page or a program: what every handler extracts.

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use headers_accept::Accept;
use mediatype::{MediaType, names};

use super::{
    Web,
    errors::Refused,
    pages::Blank,
    texts::{Language, Texts},
};
use crate::{
    chat::{Error, Pass},
    domain::{PersonId, RoomId},
    session::{Session, Visitor},
};

/// A visitor. Their session begins with their first request.
pub(super) struct Me(pub(super) Visitor);

impl Me {
    pub(super) fn id(&self) -> &PersonId {
        &self.0.person.id
    }

    pub(super) async fn pass(&self, room: &RoomId) -> Result<Option<Pass>, Refused> {
        Ok(self.0.pass(room).await?)
    }
}

fn session(parts: &Parts) -> Result<Session, Refused> {
    let missing = || Error::Unavailable("the session layer is missing".into());
    Ok(parts.extensions.get::<Session>().cloned().ok_or_else(missing)?)
}

impl FromRequestParts<Web> for Me {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Refused> {
        Ok(Self(web.sessions.begin(session(parts)?).await?))
    }
}

impl OptionalFromRequestParts<Web> for Me {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Option<Self>, Refused> {
        Ok(web.sessions.resume(session(parts)?).await?.map(Self))
    }
}

/// Which language, and whether a page or JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader {
    pub(super) texts: Texts,
    pub(super) wants_json: bool,
}

impl Reader {
    /// The frame of a page that knows nobody.
    pub(super) fn blank(self) -> Blank {
        Blank { texts: self.texts }
    }

    pub(super) fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let language = Language::negotiate(text(header::ACCEPT_LANGUAGE));
        let accept: Option<Accept> = text(header::ACCEPT).and_then(|accept| accept.parse().ok());
        let html = MediaType::new(names::TEXT, names::HTML);
        let json = MediaType::new(names::APPLICATION, names::JSON);
        let offered = [html, json.clone()]; // The first one wins among equals.
        let chosen = accept.as_ref().and_then(|accept| accept.negotiate(&offered));
        Self { texts: Texts(language), wants_json: chosen == Some(&json) }
    }
}

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants_json(accept: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        Reader::of(&headers).wants_json
    }

    #[test]
    fn a_browser_gets_a_page_and_a_program_that_asks_gets_json() {
        assert!(!wants_json("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(!wants_json("*/*"));
        assert!(wants_json("application/json"));
        assert!(wants_json("text/html;q=0.5, application/json"));
        assert!(!Reader::of(&HeaderMap::new()).wants_json);
    }
}
