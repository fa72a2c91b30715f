//! Connections as they are accepted: how many there may be, what is asked of the kernel for each, and how much
//! its other end has taken.

mod proxies;
mod serve;
mod stream;
mod turns;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

pub use proxies::{Network, Proxies};
pub use serve::{Bounds, listen, serve};

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
