//! Visitors at different addresses of this machine, in front of a proxy.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional},
    net::TcpListener,
};
use tokio_rustls::TlsConnector;

use crate::{
    common::{Browser, socket::stream_from},
    proxy::Proxy,
};

/// Both directions of a connection, encrypted or not.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects to a proxy from this address.
pub async fn connect(
    from: Ipv4Addr,
    proxy: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
) -> io::Result<Box<dyn Stream>> {
    let stream = stream_from(from.into(), proxy).await?;
    let Some(tls) = tls else { return Ok(Box::new(stream)) };
    let name = ServerName::IpAddress(proxy.ip().into());
    Ok(Box::new(TlsConnector::from(tls).connect(name, stream).await?))
}

/// A new visitor at this address.
///
/// The clients of all tests speak plain http, so they connect to a bridge, which speaks TLS with the proxy.
pub async fn visitor_at(from: [u8; 4], proxy: &Proxy) -> Browser {
    Browser::visit(bridge(from.into(), proxy).await).await
}

async fn bridge(from: Ipv4Addr, proxy: &Proxy) -> SocketAddr {
    // At the address of the proxy, because requests name the host that the clients connect to.
    let listener = TcpListener::bind((proxy.address.ip(), 0)).await.unwrap();
    let bridge = listener.local_addr().unwrap();
    let (address, tls) = (proxy.address, proxy.tls.clone());
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let tls = tls.clone();
            tokio::spawn(async move {
                // Either side may break the connection; then both ends see it.
                if let Ok(mut far) = connect(from, address, tls).await {
                    copy_bidirectional(&mut near, &mut far).await.ok();
                }
            });
        }
    });
    bridge
}
