//! Liveness and readiness probes.

use axum::{extract::State, http::StatusCode};
use tracing::warn;

use super::Web;
use crate::chat::Error;

/// Whether a request checks the server's health, as the machine that it runs on does.
#[must_use]
pub fn is_health_check(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

/// `GET /healthz`: the process responds.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the store responds, and the server accepts new rooms and people.
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
