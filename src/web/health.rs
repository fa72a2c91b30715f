//! Whether this server lives, and whether it can be given work.

use axum::{extract::State, http::StatusCode};
use tracing::warn;

use super::Web;
use crate::chat::Error;

/// `GET /healthz`: the process answers.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the store answers, and new rooms and people are taken.
pub(super) async fn ready(State(web): State<Web>) -> (StatusCode, &'static str) {
    match web.chat.ready().await {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(Error::Restarting { .. }) => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
        Err(error) => {
            warn!(?error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n")
        }
    }
}
