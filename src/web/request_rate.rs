//! The rate of requests.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{error_pages::error_page, errors::Refused, extract::Reader};
use crate::{chat::ChatService, domain::Network};

/// Middleware: counts a request before anything is read for it.
pub(super) async fn check(
    State(chat): State<Arc<ChatService>>,
    reader: Reader,
    request: Request,
    next: Next,
) -> Response {
    let network = request.extensions().get::<Network>().cloned().unwrap_or(Network::Unknown);
    let Err(error) = chat.may_request(&network) else { return next.run(request).await };
    let code = error.code();
    let refusal = Refused(error).into_response();
    if reader.wants_json { refusal } else { error_page(reader, &refusal, code) }
}
