//! Refuses requests of other sites' pages.
//!
//! The check follows Go 1.25 (Filippo Valsorda, "Cross-Site Request Forgery", 2025). It reads
//! `Sec-Fetch-Site`, which no script can set, or else compares `Origin` with `Host`. A program
//! sends none of these and carries no visitor's cookies. [`csrf`](super::csrf) checks the forms of
//! browsers that are too old to send them.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderName, Method, header},
    middleware::Next,
    response::Response,
};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_http::csrf::{ConfigError, CsrfLayer, ProtectionError};
use tracing::warn;

use super::{error_pages::refuse, errors::Refused, extract::Reader};
use crate::{
    chat::{ChatService, Error},
    domain::Network,
};

/// The check of a request's origin.
#[derive(Clone)]
pub(super) struct Guard(CsrfLayer);

impl Guard {
    /// Trusts this server's own pages and those of `origins`, such as `https://chat.example`.
    pub(super) fn new(origins: &[String]) -> Result<Self, ConfigError> {
        let layer = origins.iter().try_fold(CsrfLayer::new(), CsrfLayer::add_trusted_origin)?;
        Ok(Self(layer))
    }

    /// Whether a request comes from a trusted page or from a program.
    fn allows(&self, request: &Request) -> impl Future<Output = bool> + Send + use<> {
        // The layer lets every GET pass, and a handshake is a GET: the layer checks a copy with
        // POST.
        let mut copy = Request::new(Body::empty());
        *copy.method_mut() = Method::POST;
        *copy.uri_mut() = request.uri().clone();
        for name in [header::HOST, header::ORIGIN, HeaderName::from_static("sec-fetch-site")] {
            if let Some(value) = request.headers().get(&name) {
                copy.headers_mut().insert(name, value.clone());
            }
        }
        let check = self.0.layer(service_fn(passed));
        let headers = copy.headers().clone();
        async move {
            let Ok(response) = check.oneshot(copy).await;
            let allowed = response.extensions().get::<ProtectionError>().is_none();
            if !allowed {
                warn!(
                    host = ?headers.get(header::HOST),
                    origin = ?headers.get(header::ORIGIN),
                    "refused a request of another site's page; if it is this site's own, let the \
                     proxy pass on the header Host, or name the site in PUBLIC_URL or ALLOWED_ORIGINS"
                );
            }
            allowed
        }
    }
}

async fn passed(_: Request) -> Result<Response, Infallible> {
    Ok(Response::new(Body::empty()))
}

/// Whether a browser fetches something for a page, such as an image or a frame, instead of opening
/// it as a page.
fn is_embedded(request: &Request) -> bool {
    let kind = request.headers().get(HeaderName::from_static("sec-fetch-dest"));
    kind.is_some_and(|kind| kind != "document")
}

/// Middleware: refuses requests of other sites' pages. A link to this server may be followed with a
/// safe method, but nothing of it is shown or counted inside another site's page: an image there
/// could try passwords in a visitor's name, or begin sessions.
pub(super) async fn check_changes(
    State(guard): State<Guard>,
    reader: Reader,
    request: Request,
    next: Next,
) -> Response {
    let follows_link = request.method().is_safe() && !is_embedded(&request);
    if follows_link || guard.allows(&request).await {
        return next.run(request).await;
    }
    refuse(reader, Error::ForeignOrigin)
}

/// Middleware of Socket.IO: refuses other sites' pages with any method, and networks that open
/// connections too often.
pub(super) async fn check_handshakes(
    State((guard, chat)): State<(Guard, Arc<ChatService>)>,
    request: Request,
    next: Next,
) -> Result<Response, Refused> {
    // A request without `sid` opens a connection, as the Socket.IO layer reads it.
    let mut query = request.uri().query().unwrap_or_default().split('&');
    let opens = !query.any(|part| part.starts_with("sid="));
    check_handshake(&guard, &chat, &request, opens).await.map_err(Refused)?;
    Ok(next.run(request).await)
}

/// The same for the gateway, where every request opens a connection.
pub(super) async fn check_gateway(
    State((guard, chat)): State<(Guard, Arc<ChatService>)>,
    request: Request,
    next: Next,
) -> Result<Response, Refused> {
    check_handshake(&guard, &chat, &request, true).await.map_err(Refused)?;
    Ok(next.run(request).await)
}

fn check_handshake(
    guard: &Guard,
    chat: &Arc<ChatService>,
    request: &Request,
    opens: bool,
) -> impl Future<Output = Result<(), Error>> + Send + use<> {
    let allowed = guard.allows(request);
    let network = request.extensions().get::<Network>().filter(|_| opens).cloned();
    let chat = chat.clone();
    async move {
        if !allowed.await {
            return Err(Error::ForeignOrigin);
        }
        network.map_or(Ok(()), |network| chat.may_connect(&network))
    }
}
