//! Sessions that end while sockets are open: by a logout, by an admin, by their age, on whichever server.

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use socketioxide::{SocketIo, extract::SocketRef, operators::BroadcastOperators};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{complain, protocol, slow};
use crate::{
    chat::Error,
    counts::{Counted, Counts},
    session::{SessionKey, Sessions},
};

/// Promised is a second.
const LOOK_EVERY: Duration = Duration::from_millis(600);
/// So many are asked for together.
const AT_ONCE: usize = 500;

/// The sessions that sockets live by.
#[derive(Clone, Default)]
pub(super) struct Watch(Counts<SessionKey>);

/// An extension of a socket whose session is watched for as long as it is there.
#[derive(Clone)]
struct Watched(Arc<Counted<SessionKey>>);

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

impl Watch {
    /// Silences this socket when its session ends.
    pub(super) fn add(&self, socket: &SocketRef, key: SessionKey) {
        if let Some(counted) = self.0.take(key, usize::MAX) {
            socket.extensions.insert(Watched(Arc::new(counted)));
        }
    }

    /// Looks which sessions have ended, until the server stops.
    pub(super) async fn run(self, io: SocketIo, sessions: Sessions, stopped: CancellationToken) {
        while stopped.run_until_cancelled(sleep(LOOK_EVERY)).await.is_some() {
            let mut ended = HashSet::new();
            for some in self.0.keys().chunks(AT_ONCE) {
                match sessions.ended(some).await {
                    Ok(some) => ended.extend(some),
                    Err(error) => {
                        warn!(%error, "could not find out which sessions live; will look again");
                        break;
                    }
                }
            }
            if !ended.is_empty() {
                silence(&io, &ended);
            }
        }
    }
}

fn silence(io: &SocketIo, ended: &HashSet<SessionKey>) {
    let both = [protocol::CHAT, protocol::LOBBY].map(|path| io.of(path));
    for socket in both.into_iter().flatten().flat_map(BroadcastOperators::sockets) {
        let watched = socket.extensions.get::<Watched>();
        if watched.is_some_and(|Watched(counted)| ended.contains(counted.key())) {
            info!(socket = %socket.id, "silenced a socket whose session has ended");
            complain(&socket, &Error::Unauthorized);
            socket.leave_all();
            tokio::spawn(slow::part(socket));
        }
    }
}
