//! The rate of requests.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

use super::{error_pages::refuse, extract::Reader};
use crate::{chat::ChatService, domain::Network};

/// Middleware: counts a request before anything is read for it.
pub(super) async fn check(
    State(chat): State<Arc<ChatService>>,
    reader: Reader,
    request: Request,
    next: Next,
) -> Response {
    let network = request.extensions().get::<Network>().cloned().unwrap_or(Network::Unknown);
    match chat.may_request(&network) {
        Ok(()) => next.run(request).await,
        Err(error) => refuse(reader, error),
    }
}
