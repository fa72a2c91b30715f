//! Sessions that end while sockets are open: by a logout, by an admin, by their age, on whichever server.

use std::{collections::HashSet, fmt, ops::RangeInclusive, sync::Arc, time::Duration};

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

/// All of them are looked for within this time. Promised is a second.
const ALL_WITHIN: Duration = Duration::from_millis(600);
/// In so many parts, so that what people say does not wait for all at once.
const PARTS: usize = 10;
/// So many are asked for together, at least and at most.
const AT_ONCE: RangeInclusive<usize> = 50..=500;

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
        let looking = async {
            loop {
                let keys = self.0.keys();
                let at_once = (keys.len() / PARTS).clamp(*AT_ONCE.start(), *AT_ONCE.end());
                let parts = keys.chunks(at_once);
                let pause =
                    u32::try_from(parts.len().max(1)).map_or(ALL_WITHIN, |n| ALL_WITHIN / n);
                if keys.is_empty() {
                    sleep(pause).await;
                }
                for some in parts {
                    sleep(pause).await;
                    match sessions.ended(some).await {
                        Ok(ended) if ended.is_empty() => {}
                        Ok(ended) => silence(&io, &ended.into_iter().collect()),
                        Err(error) => {
                            warn!(%error, "could not find out which sessions live; will look again");
                            sleep(ALL_WITHIN).await;
                            break;
                        }
                    }
                }
            }
        };
        stopped.run_until_cancelled(looking).await;
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
