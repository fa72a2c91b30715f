//! Connections as they are accepted: what is asked of the kernel for each, and how much its other end has
//! taken.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::io::InspectWriter;
use tracing::warn;

/// A connection that takes nothing for so long is cut off by the kernel, and its seat freed; else
/// it would keep both until its peer closes it, which may be never.
const STUCK_AFTER: Duration = Duration::from_secs(5);

/// How many bytes a connection has taken. Clones are of the same connection.
#[derive(Debug, Clone, Default)]
pub struct Taken(Arc<AtomicU64>);

impl Taken {
    /// In all, since it was accepted; what the kernel holds counts as taken.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// The other end of a connection.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Where it is.
    pub address: SocketAddr,
    /// How much it has taken.
    pub taken: Taken,
}

/// Accepts connections, and counts what they take.
pub struct Counting(pub TcpListener);

type Counter = Box<dyn FnMut(&[u8]) + Send>;

impl Listener for Counting {
    type Io = InspectWriter<TcpStream, Counter>;
    type Addr = Peer;

    async fn accept(&mut self) -> (Self::Io, Peer) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        let socket = socket2::SockRef::from(&stream);
        let set = socket
            .set_tcp_user_timeout(Some(STUCK_AFTER))
            .and_then(|()| socket.set_tcp_nodelay(true));
        if let Err(error) = set {
            warn!(%error, "could not set the options of a connection");
        }
        let taken = Taken::default();
        let counter: Counter = Box::new({
            let taken = taken.clone();
            move |written| taken.add(written.len())
        });
        (InspectWriter::new(stream, counter), Peer { address, taken })
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer { address: self.0.local_addr()?, taken: Taken::default() })
    }
}

impl Connected<IncomingStream<'_, Counting>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Counting>) -> Self {
        stream.remote_addr().clone()
    }
}
