//! Whether this server lives, and whether it can be given work.

use axum::{extract::State, http::StatusCode};
use tracing::warn;

use super::Web;

/// `GET /healthz`: the process answers.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the store answers, and the server is not stopping.
pub(super) async fn ready(State(web): State<Web>) -> (StatusCode, &'static str) {
    if web.stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    match web.chat.ready().await {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            warn!(?error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n")
        }
    }
}
