//! Disconnects bots whose token has ended: revoked, expired, or deleted with its maker's session,
//! on any server.

use std::{collections::HashMap, sync::Arc};

use tokio::time::Instant;
use tracing::{info, warn};

use super::{
    Shared,
    client::{Client, Close},
};
use crate::{
    chat::Error,
    session::{BotKey, CHECKED_EVERY},
};

/// Tokens in one query of the store.
const CHUNK_SIZE: usize = 500;

/// Checks the tokens of connected bots, until the server stops.
pub(super) async fn watch(shared: Arc<Shared>) {
    let mut ends = shared.sessions.ends();
    let checks = async {
        loop {
            let next = Instant::now() + CHECKED_EVERY;
            check(&shared, |_| true).await;
            while let Some(session) = ends.before(next).await {
                check(&shared, |bot| bot.is_of(&session)).await;
            }
        }
    };
    shared.stopped.run_until_cancelled(checks).await;
}

/// Disconnects those of the chosen bots whose token has ended.
async fn check(shared: &Arc<Shared>, chosen: impl Fn(&BotKey) -> bool) {
    let mut open: HashMap<BotKey, Vec<Arc<Client>>> = HashMap::new();
    for client in shared.subscriptions.all() {
        if let Some(key) = client.bot().map(|bot| bot.key.clone()).filter(&chosen) {
            open.entry(key).or_default().push(client);
        }
    }
    let keys: Vec<BotKey> = open.keys().cloned().collect();
    for chunk in keys.chunks(CHUNK_SIZE) {
        let ended = match shared.sessions.ended_bots(chunk.to_vec()).await {
            Ok(ended) => ended,
            Err(error) => {
                warn!(%error, "could not check tokens; will retry");
                return;
            }
        };
        for client in ended.iter().filter_map(|key| open.remove(key)).flatten() {
            disconnect(shared, &client);
        }
    }
}

/// Closes a connection and leaves its rooms without the grace, because the bot cannot reconnect.
fn disconnect(shared: &Arc<Shared>, client: &Arc<Client>) {
    let Some(bot) = client.bot() else { return };
    info!(bot = %bot.person.id, "disconnecting a bot whose token has ended");
    client.end_with(Close::Token, &Error::InvalidToken);
    let (chat, person, seats) = (shared.chat.clone(), bot.person.clone(), client.release_all());
    shared.subscriptions.remove(client);
    shared.tasks.spawn(async move {
        let rooms: Vec<_> = seats.iter().map(|seat| seat.room.clone()).collect();
        chat.exit_all(&person, rooms).await;
        drop(seats); // After leaving: dropped before, the bot would show as away first.
    });
}
