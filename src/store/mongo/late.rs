//! Messages that may be stored later than anybody knows.
//!
//! An insertion that failed may still be carried out: its answer was lost, or the server was slow. A
//! message that appeared behind others that were told already would be one that nobody hears of. So before
//! anything else is said in its room, whatever failed is settled: a void message takes its number.
//! Either the message is there by then, before all that follow, or it never will be.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use mongodb::Collection;

use super::{chat_document::ChatDocument, messages::doubled};
use crate::{
    domain::{RoomId, Seq},
    store::Result,
};

/// The void messages that have yet to be stored, by room.
#[derive(Debug, Default)]
pub(super) struct Late(Mutex<HashMap<RoomId, Vec<ChatDocument>>>);

/// An insertion under way. Unless it is known to have ended, what it inserts may come late.
pub(super) struct UnderWay<'a> {
    late: &'a Late,
    room: &'a RoomId,
    voids: Vec<ChatDocument>,
}

impl UnderWay<'_> {
    /// It has ended, and will do nothing any more.
    pub(super) fn ended(mut self) {
        self.voids.clear();
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if !self.voids.is_empty() {
            let voids = std::mem::take(&mut self.voids);
            self.late.all().entry(self.room.clone()).or_default().extend(voids);
        }
    }
}

impl Late {
    fn all(&self) -> MutexGuard<'_, HashMap<RoomId, Vec<ChatDocument>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what is about to be inserted, until that has ended.
    pub(super) fn begin<'a>(
        &'a self,
        room: &'a RoomId,
        documents: &[ChatDocument],
    ) -> UnderWay<'a> {
        let voids = documents.iter().map(ChatDocument::void).collect();
        UnderWay { late: self, room, voids }
    }

    /// Takes the numbers of all that failed in a room, as far as they are not taken.
    pub(super) async fn settle(
        &self,
        chats: &Collection<ChatDocument>,
        room: &RoomId,
    ) -> Result<()> {
        let Some(voids) = self.all().get(room).cloned() else { return Ok(()) };
        let settled: Vec<Seq> = voids.iter().map(ChatDocument::seq).collect();
        if let Err(cause) = chats.insert_many(voids).ordered(false).await {
            doubled(&cause).ok_or(cause)?; // Those that are taken are there.
        }
        let mut all = self.all();
        if let Some(waiting) = all.get_mut(room) {
            waiting.retain(|void| !settled.contains(&void.seq()));
            if waiting.is_empty() {
                all.remove(room);
            }
        }
        Ok(())
    }

    /// A room is gone: nobody reads what may come there yet.
    pub(super) fn forget(&self, room: &RoomId) {
        self.all().remove(room);
    }
}
