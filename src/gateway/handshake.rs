//! Answers a bot's handshake (RFC 6455, section 4.2) and starts its connection.

use std::sync::Arc;

use axum::{
    Json,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::server::create_response,
        protocol::{Role, WebSocketConfig},
    },
};
use tracing::debug;

use super::{Shared, connection};
use crate::{
    chat::Error,
    domain::Network,
    protocol::{ErrorBody, Refusal},
};

/// Largest frame of a bot, in bytes: a message of 2,000 characters fits in any encoding.
const MAX_FRAME_BYTES: usize = 16 * 1024;
/// Read buffer of one connection, in bytes: small, because bots send short frames and each
/// connection holds a buffer for its lifetime.
const READ_BUFFER: usize = 1024;
/// Write buffer of one connection, in bytes; longer data takes several writes.
const WRITE_BUFFER: usize = 4 * 1024;

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(MAX_FRAME_BYTES))
        .max_frame_size(Some(MAX_FRAME_BYTES))
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
}

/// Answers a handshake. The connection starts after hyper has written the response.
pub(super) fn open(shared: &Arc<Shared>, mut request: Request) -> Response {
    let upgrade = hyper::upgrade::on(&mut request);
    let (parts, _) = request.into_parts();
    let network = parts.extensions.get::<Network>().cloned();
    let response = match create_response(&Request::from_parts(parts, ())) {
        Ok(response) => response,
        Err(error) => return refused(&error),
    };
    let (shared, tasks) = (shared.clone(), shared.tasks.clone());
    tasks.spawn(async move {
        match upgrade.await {
            Ok(stream) => {
                let stream = TokioIo::new(stream);
                let stream =
                    WebSocketStream::from_raw_socket(stream, Role::Server, Some(config())).await;
                connection::run(shared, stream, network).await;
            }
            Err(error) => debug!(%error, "a bot disconnected during its handshake"),
        }
    });
    response.map(|()| axum::body::Body::empty())
}

/// The response to a request that is not a WebSocket handshake.
fn refused(error: &tokio_tungstenite::tungstenite::Error) -> Response {
    let message = format!("this is for WebSocket clients: {error}");
    let error = ErrorBody { message, ..ErrorBody::from(&Error::Malformed) };
    let upgrade = [(header::UPGRADE, HeaderValue::from_static("websocket"))];
    (StatusCode::UPGRADE_REQUIRED, upgrade, Json(Refusal { error })).into_response()
}
