//! What is left of a handshake's request.
//!
//! A socket keeps the request that it began with for as long as it lives. As it was read, each of its
//! headers, its address and its cookies hold on to the whole buffer that the connection was read
//! into: 16 KiB for every socket. So a copy goes on, of the little that is asked for later.

use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header};
use hyper::upgrade::OnUpgrade;

use crate::{connection::Taken, domain::Network, session::Session};

/// What the layer of Socket.IO reads, and the page that a socket comes from.
const KEPT: [HeaderName; 7] = [
    header::CONNECTION,
    header::UPGRADE,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
    header::CONTENT_TYPE,
    header::ORIGIN,
    header::REFERER,
];

/// The request, as far as it is needed, in memory of its own; `None` when it cannot be read again from
/// its own words.
pub fn keep_little<Body>(request: Request<Body>, taken: Taken) -> Option<Request<Body>> {
    let (mut parts, body) = request.into_parts();
    let uri: Uri = parts.uri.to_string().parse().ok()?;
    let mut headers = HeaderMap::new(); // Of its first size, which is enough for most.
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
    extensions.insert(taken);
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
