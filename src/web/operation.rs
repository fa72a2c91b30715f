//! What an HTTP operation is. [`operations`](super::operations) lists them.

use axum::routing::MethodFilter;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::chat::ErrorCode;

/// Generates the schema of a type.
pub(super) type Describe = fn(&mut SchemaGenerator) -> Schema;

/// The schema of a type, by reference.
pub(super) fn reference_to<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Schema {
    schemas.subschema_for::<T>()
}

/// The schema of a type itself.
pub(super) fn schema_of<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Schema {
    T::json_schema(schemas)
}

/// A method at a path.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// Name of its constant.
    pub name: &'static str,
    /// The method.
    pub method: &'static str,
    /// The method, for the router.
    pub(super) filter: MethodFilter,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// Its documentation.
    pub about: &'static str,
    /// What bounds how often it may be requested.
    pub limit: Limit,
    /// The parameters of the query: the properties of this type.
    pub(super) query: Option<Describe>,
    /// The headers that change the response.
    pub(super) headers: &'static [Header],
    /// The body of the request.
    pub(super) body: Option<Body>,
    /// The responses of the handler.
    pub(super) answers: &'static [Answer],
    /// The errors with which the handler, or a middleware before it, refuses.
    pub(super) refusals: &'static [&'static [ErrorCode]],
}

/// The rate limit that counts a request before anything is read for it. What costs more has limits
/// of its own besides, in `chat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// `RATE_REQUESTS`.
    Requests,
    /// `RATE_HANDSHAKES`, when the request opens a connection. `RATE_EVENTS` and `RATE_FRAMES`
    /// count what comes over the connection.
    Handshakes,
    /// None, for this reason.
    Unlimited(&'static str),
}

/// The body of a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body {
    /// Fields, as JSON or as a form.
    Fields(Describe),
    /// A GIF in a multipart form.
    Upload,
    /// Packets of Socket.IO's long polling.
    Packets,
}

/// A response of a handler.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) about: &'static str,
    /// The forms of the content, of which `Accept` chooses.
    pub(super) content: &'static [Content],
    /// The headers that belong to it.
    pub(super) headers: &'static [Header],
}

/// A header and its meaning.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header(pub(super) &'static str, pub(super) &'static str);

/// One form of a response's content.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content {
    /// JSON for programs.
    Json(Describe),
    /// A page for people.
    Page,
    /// Text or bytes of this media type.
    Raw(&'static str),
}
