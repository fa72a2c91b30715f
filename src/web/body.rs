//! Extracts request bodies: forms of pages and JSON of programs, with the same fields.

use axum::{
    Form, Json,
    body::{Body, Bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
    middleware::Next,
    response::Response,
};
use serde::de::DeserializeOwned;

use super::{error_pages::refuse, errors::Refused, extract::Reader};
use crate::{chat::Error, protocol::Object};

/// Extractor of fields, from a form or from JSON by the request's content type.
pub(super) struct Fields<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Fields<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let (head, body) = whole(request).await?;
        if body.is_empty() && head.headers.get(header::CONTENT_TYPE).is_none() {
            // A request whose fields are all optional needs no body.
            return Ok(Self(serde_json::from_str("{}").map_err(|_| Error::Malformed)?));
        }
        let form = is_form(&head.headers);
        let request = Request::from_parts(head, Body::from(body));
        let fields = if form {
            Form::from_request(request, state).await.map(|Form(fields)| fields).ok()
        } else {
            Json::from_request(request, state).await.map(|Json(Object(fields))| fields).ok()
        };
        Ok(Self(fields.ok_or(Error::Malformed)?))
    }
}

/// Middleware: waits for the whole body before anything looks at the session. Otherwise a request
/// whose last bytes are held back acts for a session that has ended meanwhile. Uploads are read by
/// their handler, which checks the session again.
pub(super) async fn arrive_first(reader: Reader, request: Request, next: Next) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/")) {
        return next.run(request).await;
    }
    match whole(request).await {
        Ok((head, body)) => next.run(Request::from_parts(head, Body::from(body))).await,
        Err(error) => refuse(reader, error),
    }
}

/// Reads the body of a request, within the router's limit.
pub(super) async fn whole(request: Request) -> Result<(Parts, Bytes), Error> {
    let (head, body) = request.into_parts();
    let mut limited = Request::new(body);
    *limited.extensions_mut() = head.extensions.clone(); // They carry the limit.
    let body = Bytes::from_request(limited, &()).await.map_err(|rejection| {
        let too_large = rejection.status() == StatusCode::PAYLOAD_TOO_LARGE;
        if too_large { Error::TooLarge } else { Error::Malformed }
    })?;
    Ok((head, body))
}

/// Whether a body is a form without files.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"))
}
