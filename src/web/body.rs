//! Extracts request bodies: forms of pages and JSON of programs, with the same fields.

use axum::{
    Form, Json,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use serde::de::DeserializeOwned;

use super::errors::Refused;
use crate::chat::Error;

/// Extractor of fields, from a form or from JSON by the request's content type.
pub(super) struct Fields<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Fields<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let fields = if is_form(request.headers()) {
            Form::from_request(request, state).await.map(|Form(fields)| fields).ok()
        } else {
            Json::from_request(request, state).await.map(|Json(fields)| fields).ok()
        };
        Ok(Self(fields.ok_or(Error::Malformed)?))
    }
}

/// Whether a body is a form without files.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"))
}
