//! Minimizes a handshake's request.
//!
//! A socket keeps the request of its handshake for its lifetime. Every header and the URI of that
//! request reference the connection's 16 KiB read buffer, and so keep all of it in memory. The
//! socket therefore gets a copy with only the headers and extensions that are read later.

use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header};
use hyper::upgrade::OnUpgrade;

use crate::{domain::Network, net::BytesWritten, session::Session};

/// The headers that the Socket.IO layer reads, and the address of the page that opened the socket.
const KEPT: [HeaderName; 7] = [
    header::CONNECTION,
    header::UPGRADE,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
    header::CONTENT_TYPE,
    header::ORIGIN,
    header::REFERER,
];

/// Copies the parts of a request that a socket needs into memory of their own; `None` when the copy
/// of the URI or of a header does not parse.
pub fn minimize<Body>(request: Request<Body>, written: BytesWritten) -> Option<Request<Body>> {
    let (mut parts, body) = request.into_parts();
    let uri: Uri = parts.uri.to_string().parse().ok()?;
    let mut headers = HeaderMap::new(); // The first allocation fits most handshakes.
    for name in KEPT {
        if let Some(value) = parts.headers.get(&name) {
            headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).ok()?);
        }
    }
    let mut kept = Request::new(body);
    *kept.method_mut() = parts.method;
    *kept.uri_mut() = uri;
    *kept.headers_mut() = headers;
    let extensions = kept.extensions_mut();
    extensions.insert(written);
    if let Some(network) = parts.extensions.remove::<Network>() {
        extensions.insert(network);
    }
    if let Some(session) = parts.extensions.remove::<Session>() {
        extensions.insert(session);
    }
    if let Some(upgrade) = parts.extensions.remove::<OnUpgrade>() {
        extensions.insert(upgrade);
    }
    Some(kept)
}
