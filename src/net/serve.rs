//! Accepts and serves connections.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::{Body, HttpBody as _},
    extract::{ConnectInfo, Request},
    serve::Listener,
};
use futures_util::{StreamExt as _, stream};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};
use tokio_util::{io::InspectWriter, sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;
use tracing::{debug, warn};

use super::{BytesWritten, Network, Peer, Proxies};
use crate::keyed_limit::{KeyedLimit, KeyedPermit};

/// Limits of concurrent connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// In total.
    pub in_all: usize,
    /// From one network; exempt are trusted proxies and, while none is named, this machine, as they
    /// carry many visitors.
    pub of_one_network: usize,
}

/// The permits that a connection holds while it is open.
type Permits = (OwnedSemaphorePermit, Option<KeyedPermit<Network>>);

/// TCP user timeout: the kernel closes a connection whose peer acknowledges nothing for this long.
/// Otherwise the connection and its seat could stay forever.
const USER_TIMEOUT: Duration = Duration::from_secs(5);

/// Largest number of unsent bytes in the kernel's buffer of a connection. The default is megabytes,
/// also for clients that request much and read nothing.
const UNSENT_BYTES: u32 = 128 * 1024;

/// Deadline for a request's line and headers. An idle connection is closed after the same time.
const HEADERS_WITHIN: Duration = Duration::from_secs(15);
/// Largest size of a request's line and headers, in bytes.
const MAX_HEADERS_BYTES: usize = 16 * 1024;
/// Largest number of headers in a request.
const MAX_HEADERS: usize = 64;
/// Deadline for a request's body: enough for a 5 MB upload over a slow link.
const BODY_WITHIN: Duration = Duration::from_secs(120);

/// Length of the accept backlog, if the system allows it. Beyond it the client's system retries the
/// connection after one second, then after two.
const BACKLOG: u32 = 4_096;

/// Open files that are not connections: the database, GIFs, and what the libraries keep open.
const OTHER_FILES: u64 = 128;

/// The number of connections that the limit of open files allows, at most `wanted`. Raises the
/// limit as far as the system permits, and logs when it is too low.
#[must_use]
pub fn within_file_limit(wanted: usize) -> usize {
    let limit = match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => limit,
        Err(error) => {
            warn!(%error, "could not raise the limit of open files");
            return wanted;
        }
    };
    let possible = usize::try_from(limit.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX).max(1);
    if possible < wanted {
        warn!(
            "MAX_CONNECTIONS={wanted} is more than the limit of {limit} open files allows; \
             serving {possible} connections at most: raise the limit (ulimit -n)"
        );
    }
    wanted.min(possible)
}

/// Listens on an address.
///
/// # Errors
/// When it is not an address of this machine, or is in use.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?; // Connections of an ended process may linger there.
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `stop`, then finishes the requests that have arrived. Speaks HTTP/1.1, as proxies
/// do to their upstreams.
pub async fn serve(
    mut listener: TcpListener,
    router: Router,
    bounds: Bounds,
    proxies: Proxies,
    stop: CancellationToken,
) {
    let in_all = Arc::new(Semaphore::new(bounds.in_all.min(Semaphore::MAX_PERMITS)));
    let by_network = KeyedLimit::default();
    let acquire = |address: IpAddr| -> Option<Permits> {
        let one = in_all.clone().try_acquire_owned().ok()?;
        if proxies.is_shared(address) {
            return Some((one, None));
        }
        let theirs = by_network.take(Network::of(address), bounds.of_one_network)?;
        Some((one, Some(theirs)))
    };
    let connections = TaskTracker::new();
    loop {
        // Retries after errors of one connection, and pauses when files or memory run out.
        let (stream, address) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = stop.cancelled() => break,
        };
        if let Some(permits) = acquire(address.ip().to_canonical()) {
            connections.spawn(serve_one(stream, address, permits, router.clone(), stop.clone()));
        } else {
            debug!("turned a connection away: there are too many");
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Serves a connection until it ends or is upgraded; the upgrade's handler then owns it.
async fn serve_one(
    stream: TcpStream,
    address: SocketAddr,
    permits: Permits,
    router: Router,
    stop: CancellationToken,
) {
    let socket = socket2::SockRef::from(&stream);
    let set = socket
        .set_tcp_user_timeout(Some(USER_TIMEOUT))
        .and_then(|()| socket.set_tcp_notsent_lowat(UNSENT_BYTES))
        .and_then(|()| socket.set_tcp_nodelay(true));
    if let Err(error) = set {
        warn!(%error, "could not set the options of a connection");
    }
    let taken = BytesWritten::default();
    let counter = taken.clone();
    // The stream holds the permits, because an upgrade outlives this function.
    let stream = InspectWriter::new(stream, move |written| {
        let _held = &permits;
        counter.add(written.len());
    });
    let peer = Peer { address, taken };
    let service = router.map_request(move |request: Request<Incoming>| {
        let mut request = request.map(|body| within(BODY_WITHIN, Body::new(body)));
        request.extensions_mut().insert(ConnectInfo(peer.clone()));
        request
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEADERS_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "a connection ended");
    }
}

/// A body that fails if it is not read completely within `time`.
fn within(time: Duration, body: Body) -> Body {
    if body.is_end_stream() {
        return body;
    }
    let until = Instant::now() + time;
    let chunks = stream::try_unfold(body.into_data_stream(), move |mut rest| async move {
        match timeout_at(until, rest.next()).await {
            Ok(Some(chunk)) => Ok(Some((chunk?, rest))),
            Ok(None) => Ok(None),
            Err(late) => Err(axum::Error::new(late)),
        }
    });
    Body::from_stream(chunks)
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use bytes::Bytes;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_fails_in_time() {
        let begun = Instant::now();
        let drops = stream::iter([Ok::<_, axum::Error>(Bytes::from_static(b"title="))]);
        let body = Body::from_stream(drops.chain(stream::pending()));
        assert!(to_bytes(within(BODY_WITHIN, body), 1_000).await.is_err());
        assert_eq!(begun.elapsed().as_secs(), BODY_WITHIN.as_secs());

        let whole = Body::from("title=tea");
        assert_eq!(to_bytes(within(BODY_WITHIN, whole), 1_000).await.unwrap(), "title=tea");
    }
}
