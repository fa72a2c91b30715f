//! Disconnects sockets whose session has ended: by a logout, by the operator or by its age, on any
//! server.

use std::{collections::HashSet, fmt, ops::RangeInclusive, sync::Arc, time::Duration};

use socketioxide::{SocketIo, extract::SocketRef, operators::BroadcastOperators};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{backpressure, emit_error, room};
use crate::{
    chat::Error,
    keyed_limit::{KeyedLimit, KeyedPermit},
    protocol,
    session::{SessionKey, Sessions},
};

/// Time in which the task checks every session once. The contract promises one second.
const CYCLE: Duration = Duration::from_millis(600);
/// Store queries in one cycle, so that messages do not wait behind one large query.
const CHUNKS: usize = 10;
/// Smallest and largest number of sessions in one query.
const CHUNK_SIZE: RangeInclusive<usize> = 50..=500;

/// The sessions of all open sockets.
#[derive(Clone, Default)]
pub(super) struct SessionWatch(KeyedLimit<SessionKey>);

/// A socket's extension: the watch checks the session for as long as this exists.
#[derive(Clone)]
struct Watched(Arc<KeyedPermit<SessionKey>>);

impl fmt::Debug for SessionWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionWatch")
    }
}

impl SessionWatch {
    /// Watches a session, and disconnects the socket when the session ends.
    pub(super) fn add(&self, socket: &SocketRef, key: SessionKey) {
        if let Some(permit) = self.0.take(key, usize::MAX) {
            socket.extensions.insert(Watched(Arc::new(permit)));
        }
    }

    /// Checks the watched sessions, until the server stops.
    pub(super) async fn run(self, io: SocketIo, sessions: Sessions, stopped: CancellationToken) {
        let cycles = async {
            loop {
                let keys = self.0.keys();
                let size = (keys.len() / CHUNKS).clamp(*CHUNK_SIZE.start(), *CHUNK_SIZE.end());
                let chunks = keys.chunks(size);
                let pause = u32::try_from(chunks.len().max(1)).map_or(CYCLE, |n| CYCLE / n);
                if keys.is_empty() {
                    sleep(pause).await;
                }
                for chunk in chunks {
                    sleep(pause).await;
                    match sessions.ended(chunk).await {
                        Ok(ended) if ended.is_empty() => {}
                        Ok(ended) => disconnect(&io, &ended.into_iter().collect()),
                        Err(error) => {
                            warn!(%error, "could not check sessions; will retry");
                            sleep(CYCLE).await;
                            break;
                        }
                    }
                }
            }
        };
        stopped.run_until_cancelled(cycles).await;
    }
}

fn disconnect(io: &SocketIo, ended: &HashSet<SessionKey>) {
    let namespaces = [protocol::CHAT, protocol::LOBBY].map(|path| io.of(path));
    for socket in namespaces.into_iter().flatten().flat_map(BroadcastOperators::sockets) {
        let watched = socket.extensions.get::<Watched>();
        if watched.is_some_and(|Watched(permit)| ended.contains(permit.key())) {
            info!(socket = %socket.id, "disconnecting a socket whose session has ended");
            emit_error(&socket, &Error::Unauthorized);
            room::let_go(&socket);
            tokio::spawn(backpressure::disconnect_when_writable(socket));
        }
    }
}
