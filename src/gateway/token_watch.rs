//! Tokens that end while their bots are connected: revoked, too old, or gone with the session that made them, on
//! whichever server.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::sleep;
use tracing::{info, warn};

use super::{
    Shared,
    client::{Client, Close},
};
use crate::{chat::Error, session::BotKey};

/// Promised is a second.
const LOOK_EVERY: Duration = Duration::from_millis(600);
/// So many are asked for together.
const AT_ONCE: usize = 500;

/// Silences the bots whose tokens have ended, until the server stops.
pub(super) async fn watch(shared: Arc<Shared>) {
    while shared.stopped.run_until_cancelled(sleep(LOOK_EVERY)).await.is_some() {
        let mut open: HashMap<BotKey, Vec<Arc<Client>>> = HashMap::new();
        for client in shared.subscriptions.all() {
            if let Some(key) = client.bot().map(|bot| bot.key.clone()) {
                open.entry(key).or_default().push(client);
            }
        }
        let keys: Vec<BotKey> = open.keys().cloned().collect();
        for some in keys.chunks(AT_ONCE) {
            let ended = match shared.sessions.ended_bots(some.to_vec()).await {
                Ok(ended) => ended,
                Err(error) => {
                    warn!(%error, "could not find out which tokens live; will look again");
                    break;
                }
            };
            for client in ended.iter().filter_map(|key| open.remove(key)).flatten() {
                silence(&shared, &client);
            }
        }
    }
}

/// A bot whose token has ended leaves at once: nobody is to come back within the grace.
fn silence(shared: &Arc<Shared>, client: &Arc<Client>) {
    let Some(bot) = client.bot() else { return };
    info!(bot = %bot.person.id, "silenced a bot whose token has ended");
    client.end_with(Close::Token, &Error::InvalidToken);
    let (chat, person, seats) = (shared.chat.clone(), bot.person.clone(), client.rise_all());
    shared.subscriptions.remove(client);
    shared.tasks.spawn(async move {
        let rooms: Vec<_> = seats.iter().map(|seat| seat.room.clone()).collect();
        chat.exit_all(&person, rooms).await;
        drop(seats); // Not before: nobody is to see the bot away and then gone.
    });
}
