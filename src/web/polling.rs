//! Binds a connection by long polling to the session that opened it.
//!
//! Each request of such a connection names it by `sid`, in a URL that proxies log. Without the
//! cookie of its session, the `sid` alone would let its reader receive and send as somebody else.

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use moka::sync::Cache;
use serde::Deserialize;
use tracing::warn;

use crate::session::{Session, SessionKey};

/// Longest time between two requests of a connection: more than engine.io's ping interval and
/// timeout together, 45 seconds.
const IDLE: Duration = Duration::from_secs(60);
/// Largest number of connections by long polling. Beyond it, those that were idle longest must
/// open anew.
const MAX_CONNECTIONS: u64 = 100_000;
/// Largest answer to the request that opens a connection, in bytes.
const MAX_OPEN_BYTES: usize = 4 * 1024;
/// engine.io's answer to a `sid` that it does not know. Clients then open a new connection.
const UNKNOWN_SID: &str = r#"{"code":"1","message":"Session ID unknown"}"#;

/// The sessions that opened connections by long polling, by `sid`. `None` is a client without a
/// cookie, whose connection reaches no namespace.
#[derive(Clone)]
pub(super) struct PollingSessions(Cache<String, Option<SessionKey>>);

impl Default for PollingSessions {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MAX_CONNECTIONS).time_to_idle(IDLE).build())
    }
}

/// engine.io's first packet.
#[derive(Deserialize)]
struct OpenPacket {
    sid: String,
}

/// Middleware: refuses a request with the `sid` of another session's connection, and remembers the
/// session of each connection that long polling opens.
pub(super) async fn check_session(
    State(PollingSessions(sessions)): State<PollingSessions>,
    request: Request,
    next: Next,
) -> Response {
    let session = request.extensions().get::<Session>().and_then(SessionKey::of);
    let query = request.uri().query().unwrap_or_default().to_owned();
    if ![Method::GET, Method::POST].contains(request.method()) {
        return next.run(request).await; // The route refuses it.
    }
    if let Some(sid) = find(&query, "sid=") {
        if sessions.get(sid) == Some(session) {
            return next.run(request).await;
        }
        return (
            StatusCode::BAD_REQUEST,
            [(header::CONTENT_TYPE, "application/json")],
            UNKNOWN_SID,
        )
            .into_response();
    }
    let opens = find(&query, "transport=") == Some("polling");
    let response = next.run(request).await;
    if !opens || !response.status().is_success() {
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, MAX_OPEN_BYTES).await else {
        warn!("the answer to a polling handshake could not be read");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    // The packet's type, 0, comes before its data.
    if let Some(OpenPacket { sid }) =
        body.strip_prefix(b"0").and_then(|data| serde_json::from_slice(data).ok())
    {
        sessions.insert(sid, session);
    }
    Response::from_parts(parts, Body::from(body))
}

/// The value of a query parameter, as the Socket.IO layer finds it: the first one counts.
fn find<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|part| part.strip_prefix(name))
}
