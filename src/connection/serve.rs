//! Accepts connections, and serves each.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::{Pin, pin},
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
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;
use tracing::{debug, warn};

use super::{
    Network, Peer, Proxies, Taken,
    stream::Fair,
    turns::{Queue, Turns},
};
use crate::counts::{Counted, Counts};

/// How many connections there may be at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// In all.
    pub in_all: usize,
    /// From one network; those of a trusted proxy are many people's.
    pub of_one_network: usize,
}

/// What a connection counts as, for as long as it is there.
type Place = (OwnedSemaphorePermit, Option<Counted<Network>>);

/// A connection that takes nothing for so long is cut off by the kernel, and its seat freed; else
/// it would keep both until its peer closes it, which may be never.
const STUCK_AFTER: Duration = Duration::from_secs(5);

/// The system holds no more that is not yet on its way. Without this it takes megabytes for each connection, also of
/// those who ask for much and read nothing.
const UNSENT_BYTES: u32 = 128 * 1024;

/// The first line of a request and its headers take no longer, counted from when they could have begun; so
/// long, too, a connection waits for its next request.
const HEADERS_WITHIN: Duration = Duration::from_secs(15);
/// As many bytes of them are read at most.
const MAX_HEADERS_BYTES: usize = 16 * 1024;
/// As many headers at most.
const MAX_HEADERS: usize = 64;
/// The rest of a request takes no longer: an upload of five megabytes over a slow line.
const BODY_WITHIN: Duration = Duration::from_secs(120);

/// So many connections may wait to be accepted, if the system allows as many. Whoever finds no place there is not
/// told so: their system tries again after a second, and then after two.
const WAITING: u32 = 4_096;

/// Listens at an address.
///
/// # Errors
/// When it is not this machine's, or is taken.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?; // Connections of a program that has ended may still linger there.
    socket.bind(address)?;
    socket.listen(WAITING)
}

/// Serves until `stop`, and then until what was asked by then is answered. Of HTTP it speaks version 1.1, as
/// proxies do to those behind them.
pub async fn serve(
    mut listener: TcpListener,
    router: Router,
    bounds: Bounds,
    proxies: Proxies,
    stop: CancellationToken,
) {
    let in_all = Arc::new(Semaphore::new(bounds.in_all.min(Semaphore::MAX_PERMITS)));
    let by_network = Counts::default();
    let turns = Turns::default();
    let place = |address: IpAddr| -> Option<Place> {
        let one = in_all.clone().try_acquire_owned().ok()?;
        if proxies.trust(address) {
            return Some((one, None));
        }
        let theirs = by_network.take(Network::of(address), bounds.of_one_network)?;
        Some((one, Some(theirs)))
    };
    let connections = TaskTracker::new();
    loop {
        // Goes on after what one connection did, and waits when the system is out of files or memory.
        let (stream, address) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = stop.cancelled() => break,
        };
        if let Some(place) = place(address.ip().to_canonical()) {
            let queue = place.1.as_ref().map(|theirs| turns.of(theirs.key()));
            let served = serve_one(stream, address, place, queue, router.clone(), stop.clone());
            connections.spawn(served);
        } else {
            debug!("turned a connection away: there are too many");
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Serves a connection until its end, or until it is upgraded: then it lives on with whoever asked for that.
async fn serve_one(
    stream: TcpStream,
    address: SocketAddr,
    place: Place,
    queue: Option<Queue>,
    router: Router,
    stop: CancellationToken,
) {
    let socket = socket2::SockRef::from(&stream);
    let set = socket
        .set_tcp_user_timeout(Some(STUCK_AFTER))
        .and_then(|()| socket.set_tcp_notsent_lowat(UNSENT_BYTES))
        .and_then(|()| socket.set_tcp_nodelay(true));
    if let Err(error) = set {
        warn!(%error, "could not set the options of a connection");
    }
    let taken = Taken::default();
    let stream = Fair::new(stream, taken.clone(), place);
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
        ended = in_turns(queue.as_ref(), connection.as_mut()) => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            in_turns(queue.as_ref(), connection).await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "a connection ended");
    }
}

/// Those of a trusted proxy are many people's, and take no turns.
async fn in_turns<F: Future>(queue: Option<&Queue>, future: Pin<&mut F>) -> F::Output {
    match queue {
        Some(queue) => queue.run(future).await,
        None => future.await,
    }
}

/// A body that fails when it is not read whole in time.
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
