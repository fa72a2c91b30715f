//! Response headers that limit what browsers do with the content of this server.

use axum::http::{HeaderName, HeaderValue, header};
use tower_http::set_header::SetResponseHeaderLayer;

/// Allows only content of this server, and nothing inline. `blob:` allows the preview of a GIF
/// before its upload.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' blob:; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/// Denies browser features that no page uses, to injected scripts as well.
const PERMISSIONS_POLICY: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), \
    serial=(), usb=()";

/// Browsers use only https for this host, for a year.
const STRICT_TRANSPORT_SECURITY: &str = "max-age=31536000";

/// The headers of every response.
pub(super) const HEADERS: [(HeaderName, &str); 8] = [
    // No cache keeps what was said, nor the address or the title of a room: redirects, refusals and
    // polls of Socket.IO name them, too. Assets say how long they may be kept.
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // For browsers that do not know `frame-ancestors`.
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The header of a room's pages, messages and files: no search engine may list them.
pub(super) const HEADER_OF_ROOMS: (HeaderName, &str) =
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow");

/// The header of routes that serve pages and JSON at one address, each for one visitor.
pub(super) const VARY: (HeaderName, &str) = (header::VARY, "accept, cookie");

/// The additional header of responses over https.
pub(super) const HEADER_OF_HTTPS: (HeaderName, &str) =
    (header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT_SECURITY);

/// A layer that sets a header, unless the handler has set a stricter value.
pub(super) fn always(
    (name, value): (HeaderName, &'static str),
) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}
