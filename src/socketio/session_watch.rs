//! Disconnects sockets whose session has ended: by a logout, by the operator or by its age, on any
//! server.

use std::{collections::HashSet, fmt, ops::RangeInclusive, sync::Arc};

use socketioxide::{SocketIo, extract::SocketRef, operators::BroadcastOperators};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{backpressure, emit_error, room};
use crate::{
    chat::Error,
    keyed_limit::{KeyedLimit, KeyedPermit},
    protocol,
    session::{CHECKED_EVERY, Ends, SessionKey, Sessions},
};

/// Store queries in one check of all sessions, so that messages do not wait behind one large query.
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
        let mut ends = sessions.ends();
        let checks = async {
            loop {
                self.check_all(&io, &sessions, &mut ends).await;
            }
        };
        stopped.run_until_cancelled(checks).await;
    }

    /// Checks every session once, in chunks, and in between those that end on this server.
    async fn check_all(&self, io: &SocketIo, sessions: &Sessions, ends: &mut Ends) {
        let keys = self.0.keys();
        let size = (keys.len() / CHUNKS).clamp(*CHUNK_SIZE.start(), *CHUNK_SIZE.end());
        let mut chunks = keys.chunks(size);
        let count = chunks.len().max(1);
        let pause = u32::try_from(count).map_or(CHECKED_EVERY, |count| CHECKED_EVERY / count);
        let mut next = Instant::now();
        for _ in 0..count {
            check(io, sessions, chunks.next().unwrap_or_default()).await;
            next += pause;
            while let Some(key) = ends.before(next).await {
                if self.0.holds(&key) {
                    check(io, sessions, &[key]).await;
                }
            }
        }
    }
}

/// Disconnects the sockets of those sessions that have ended.
async fn check(io: &SocketIo, sessions: &Sessions, keys: &[SessionKey]) {
    if keys.is_empty() {
        return;
    }
    match sessions.ended(keys).await {
        Ok(ended) if ended.is_empty() => {}
        Ok(ended) => disconnect(io, &ended.into_iter().collect()),
        Err(error) => warn!(%error, "could not check sessions; will retry"),
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
