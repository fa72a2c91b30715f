//! What keeps other sites out: headers that tell a browser what may be done with what is served here, and the check
//! of who asks.
//!
//! Whether a request comes from a page of this server is found as Go 1.25 does it (Filippo Valsorda, "Cross-Site Request
//! Forgery", 2025): by `Sec-Fetch-Site`, which no script can set, or else by `Origin` and `Host`. What is no browser
//! sends neither, and carries nobody else's cookies. Of browsers that are too old to send either, [`forms`](super::forms) asks more.

use std::convert::Infallible;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_http::{
    csrf::{ConfigError, CsrfLayer, ProtectionError},
    set_header::SetResponseHeaderLayer,
};

use super::errors::{Refused, error_page};
use super::extract::Reader;
use crate::{
    chat::{ChatService, Error},
    domain::Network,
};

/// Everything comes from this server and nothing is inline. `blob:` is the preview of a GIF that
/// is about to be sent.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' blob:; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/// Nothing here asks for any of these, and nothing that gets in by mistake shall.
const PERMISSIONS_POLICY: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), \
    serial=(), usb=()";

/// Browsers ask for nothing but https for a year.
const STRICT_TRANSPORT_SECURITY: &str = "max-age=31536000";

/// The headers of everything that is served.
pub(super) const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // What the policy says of frames, for browsers that are older than it.
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The header of everything that is served over https.
pub(super) const HEADER_OF_HTTPS: (HeaderName, &str) =
    (header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT_SECURITY);

/// Sets a header, unless a handler has set a stricter one.
pub(super) fn always(
    (name, value): (HeaderName, &'static str),
) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

/// Knows the sites whose pages may ask for what this server does.
#[derive(Clone)]
pub(super) struct Guard(CsrfLayer);

impl Guard {
    /// This server's own pages may, and those of `origins`, such as `https://chat.example`.
    pub(super) fn new(origins: &[String]) -> Result<Self, ConfigError> {
        let layer = origins.iter().try_fold(CsrfLayer::new(), CsrfLayer::add_trusted_origin)?;
        Ok(Self(layer))
    }

    /// Whether a request may change something, as far as the site goes that it comes from.
    fn lets_in(&self, request: &Request) -> impl Future<Output = bool> + Send + use<> {
        // A handshake changes much and is a GET, which the layer lets pass: it judges a copy.
        let mut copy = Request::new(Body::empty());
        *copy.method_mut() = Method::POST;
        *copy.uri_mut() = request.uri().clone();
        for name in [header::HOST, header::ORIGIN, HeaderName::from_static("sec-fetch-site")] {
            if let Some(value) = request.headers().get(&name) {
                copy.headers_mut().insert(name, value.clone());
            }
        }
        let judge = self.0.layer(service_fn(passed));
        async move {
            let Ok(answer) = judge.oneshot(copy).await;
            answer.extensions().get::<ProtectionError>().is_none()
        }
    }
}

async fn passed(_: Request) -> Result<Response, Infallible> {
    Ok(Response::new(Body::empty()))
}

/// Refuses what another site's page asks for, unless it only reads.
pub(super) async fn of_changes(
    State(guard): State<Guard>,
    reader: Reader,
    request: Request,
    next: Next,
) -> Response {
    if request.method().is_safe() || guard.lets_in(&request).await {
        return next.run(request).await;
    }
    foreign(reader)
}

/// What is answered to another site's page.
pub(super) fn foreign(reader: Reader) -> Response {
    let response = Refused(Error::ForeignOrigin).into_response();
    if reader.wants_json {
        response
    } else {
        error_page(reader, &response, Error::ForeignOrigin.code())
    }
}

/// Refuses every request of another site's page, and connections that are opened too often.
pub(super) async fn of_handshakes(
    State((guard, chat)): State<(Guard, ChatService)>,
    request: Request,
    next: Next,
) -> Result<Response, Refused> {
    // As the layer of Socket.IO reads it: what names no connection opens one.
    let mut query = request.uri().query().unwrap_or_default().split('&');
    let opens = !query.any(|part| part.starts_with("sid="));
    may_shake_hands(&guard, &chat, &request, opens).await.map_err(Refused)?;
    Ok(next.run(request).await)
}

/// The same, where every request opens a connection.
pub(super) async fn of_bots(
    State((guard, chat)): State<(Guard, ChatService)>,
    request: Request,
    next: Next,
) -> Result<Response, Refused> {
    may_shake_hands(&guard, &chat, &request, true).await.map_err(Refused)?;
    Ok(next.run(request).await)
}

fn may_shake_hands(
    guard: &Guard,
    chat: &ChatService,
    request: &Request,
    opens: bool,
) -> impl Future<Output = Result<(), Error>> + Send + use<> {
    let lets_in = guard.lets_in(request);
    let network = request.extensions().get::<Network>().filter(|_| opens).cloned();
    let chat = chat.clone();
    async move {
        if !lets_in.await {
            return Err(Error::ForeignOrigin);
        }
        network.map_or(Ok(()), |network| chat.may_connect(&network))
    }
}
