//! Room passes: the rooms whose passwords a visitor has shown.
//!
//! The store adds each pass in a step of its own, so that several rooms can be unlocked at once, and
//! removes it with its room.

use serde_json::{Map, Value, json};

use super::{BotKey, Error, SessionKey, Sessions, Visitor};
use crate::{
    chat::RoomPass,
    domain::{RoomId, Timestamp},
    store,
};

/// Largest number of room passes of a session; more than anybody has open.
const MAX_PASSES: usize = 50;

/// The name of the passes among the values of a session that was read.
const PASSES: &str = "passes";

/// The values of a session, with its passes among them.
pub(super) fn with_passes(
    mut data: Map<String, Value>,
    passes: &[(RoomId, String)],
) -> Map<String, Value> {
    let passes = passes.iter().map(|(room, pass)| json!([room.as_str(), pass]));
    data.insert(PASSES.to_owned(), passes.collect());
    data
}

impl Visitor {
    /// The visitor's pass for a room, if they have entered its password.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn pass(&self, room: &RoomId) -> Result<Option<RoomPass>, Error> {
        let passes: Vec<(String, String)> = self.session.get(PASSES).await?.unwrap_or_default();
        let kept = passes.into_iter().find(|(id, _)| id == room.as_str());
        Ok(kept.map(|(_, pass)| RoomPass::new(pass)))
    }

    /// Stores a pass; drops the oldest when there are too many. Later requests have it, this one does
    /// not.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn keep_pass(&self, room: &RoomId, pass: &RoomPass) -> Result<(), Error> {
        let SessionKey(key) = self.key()?;
        let sessions = &self.sessions;
        sessions.kept.forget(&key);
        let added = sessions.store.add_pass(&key, room, pass.as_str(), MAX_PASSES).await;
        sessions.kept.forget(&key);
        Ok(added?)
    }
}

impl Sessions {
    /// The pass for a room of the bot's creator, if they have entered its password.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn pass_of_maker(
        &self,
        bot: &BotKey,
        room: &RoomId,
    ) -> Result<Option<RoomPass>, store::Error> {
        let session = self.store.session(bot.session(), Timestamp::now()).await?;
        let passes = session.map(|session| session.passes).unwrap_or_default();
        let kept = passes.into_iter().find(|(id, _)| id == room);
        Ok(kept.map(|(_, pass)| RoomPass::new(pass)))
    }
}
