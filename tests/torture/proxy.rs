//! A network that fails: carries bytes between clients and a server that may move, and delays, freezes,
//! half-closes and cuts connections when it is told to.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use rand::{RngExt as _, rngs::StdRng};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    time::sleep,
};

/// How a connection fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// As it should.
    Through,
    /// Each piece comes late.
    Late(Duration),
    /// Its client reads nothing.
    Frozen,
    /// Nothing gets anywhere, and nobody is told.
    Nowhere,
    /// The server is told that its client is done, the client is not.
    HalfClosed,
    /// It ends.
    Cut,
}

/// The network.
#[derive(Clone)]
pub struct Proxy {
    pub address: SocketAddr,
    server: watch::Sender<SocketAddr>,
    connections: Arc<Mutex<Vec<watch::Sender<Way>>>>,
}

impl Proxy {
    pub async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            server: watch::Sender::new(server),
            connections: Arc::default(),
        };
        tokio::spawn(proxy.clone().accept(listener));
        proxy
    }

    /// The server is somewhere else from now on.
    pub fn server_moved(&self, to: SocketAddr) {
        self.server.send_replace(to);
    }

    /// Changes how connections fare: each with this probability.
    pub fn let_fare(&self, way: Way, probability: f64, random: &mut StdRng) {
        let mut connections = self.connections.lock().unwrap();
        connections.retain(|connection| !connection.is_closed());
        for connection in connections.iter() {
            if random.random_bool(probability) {
                connection.send_replace(way);
            }
        }
    }

    /// Whatever was late, frozen or gone nowhere goes through again.
    pub fn heal(&self) {
        for connection in self.connections.lock().unwrap().iter() {
            connection.send_if_modified(|way| {
                let ill = matches!(way, Way::Late(_) | Way::Frozen | Way::Nowhere);
                if ill {
                    *way = Way::Through;
                }
                ill
            });
        }
    }

    async fn accept(self, listener: TcpListener) {
        loop {
            let Ok((client, _)) = listener.accept().await else { continue };
            let way = watch::Sender::new(Way::Through);
            let watched = way.subscribe();
            self.connections.lock().unwrap().push(way);
            let server = *self.server.borrow();
            tokio::spawn(async move {
                // A server that is away refuses, and so does whoever stands for it.
                if let Ok(server) = TcpStream::connect(server).await {
                    carry(client, server, watched).await;
                }
            });
        }
    }
}

async fn carry(client: TcpStream, server: TcpStream, mut way: watch::Receiver<Way>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let up = pump(from_client, to_server, way.clone(), Direction::Up);
    let down = pump(from_server, to_client, way.clone(), Direction::Down);
    tokio::select! {
        _ = async { tokio::join!(up, down) } => {}
        _ = way.wait_for(|way| *way == Way::Cut) => {}
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

impl Direction {
    fn is_open(self, way: Way) -> bool {
        match way {
            Way::Through | Way::Late(_) | Way::Cut | Way::HalfClosed => true,
            Way::Frozen => self == Self::Up,
            Way::Nowhere => false,
        }
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut way: watch::Receiver<Way>,
    direction: Direction,
) {
    let mut piece = vec![0; 16 * 1024];
    loop {
        let Ok(now) = way.wait_for(|way| direction.is_open(*way)).await.map(|way| *way) else {
            return;
        };
        if now == Way::HalfClosed && direction == Direction::Up {
            break;
        }
        let size = tokio::select! {
            read = from.read(&mut piece) => match read {
                Ok(0) | Err(_) => break,
                Ok(size) => size,
            },
            _ = way.changed() => continue,
        };
        if let Way::Late(by) = now {
            sleep(by).await;
        }
        if to.write_all(&piece[..size]).await.is_err() {
            break;
        }
    }
    to.shutdown().await.ok(); // The other end has gone.
}
