//! TCP connections: limits, socket options and write counters.

mod client_ip;
mod serve;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

pub use client_ip::{Misconfiguration, Network, Proxies};
pub use serve::{Bounds, listen, serve, within_file_limit};

/// Number of bytes written to a connection. Clones share the counter.
#[derive(Debug, Clone, Default)]
pub struct BytesWritten(Arc<AtomicU64>);

impl BytesWritten {
    /// Total since the connection was accepted, including bytes in the kernel's send buffer.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// The remote end of a connection.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Number of bytes written to it.
    pub taken: BytesWritten,
}
