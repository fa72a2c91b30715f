//! Sessions that end while sockets are open: by a logout, by an admin, by their age, on whichever server.

use std::{collections::HashMap, time::Duration};

use socketioxide::{SocketIo, extract::SocketRef, operators::BroadcastOperators};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{complain, protocol, slow};
use crate::{
    chat::Error,
    session::{SessionKey, Sessions},
};

/// Promised is a second.
const LOOK_EVERY: Duration = Duration::from_millis(600);
/// So many are asked for together.
const AT_ONCE: usize = 500;

/// Silences the sockets whose sessions have ended, until the server stops.
pub(super) async fn watch(io: SocketIo, sessions: Sessions, stopped: CancellationToken) {
    while stopped.run_until_cancelled(sleep(LOOK_EVERY)).await.is_some() {
        let mut open: HashMap<SessionKey, Vec<SocketRef>> = HashMap::new();
        let both = [protocol::CHAT, protocol::LOBBY].map(|path| io.of(path));
        for socket in both.into_iter().flatten().flat_map(BroadcastOperators::sockets) {
            if let Some(key) = socket.extensions.get::<SessionKey>() {
                open.entry(key).or_default().push(socket);
            }
        }
        let keys: Vec<SessionKey> = open.keys().cloned().collect();
        for some in keys.chunks(AT_ONCE) {
            let ended = match sessions.ended(some.to_vec()).await {
                Ok(ended) => ended,
                Err(error) => {
                    warn!(%error, "could not find out which sessions live; will look again");
                    break;
                }
            };
            for socket in ended.iter().filter_map(|key| open.remove(key)).flatten() {
                silence(socket);
            }
        }
    }
}

fn silence(socket: SocketRef) {
    info!(socket = %socket.id, "silenced a socket whose session has ended");
    complain(&socket, &Error::Unauthorized);
    socket.leave_all();
    tokio::spawn(slow::part(socket));
}
