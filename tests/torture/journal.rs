//! What everybody was told, for the checker.

use std::{
    collections::HashMap,
    sync::{Mutex, atomic::AtomicBool},
};

use serde_json::Value;
use tokio::{sync::watch, time::Instant};

use crate::checker::{Record, Said, View};

/// What everybody was told.
#[derive(Default)]
pub struct Journal {
    rooms: Mutex<HashMap<String, Record>>,
    /// How much was said, how much of it was acknowledged, and when last.
    pub talk: watch::Sender<Talk>,
    /// Whether everybody says as much as they can.
    pub hurry: AtomicBool,
    /// Refusals that nothing explains.
    pub unexpected: Mutex<Vec<String>>,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Talk {
    pub posts: usize,
    pub acknowledged: usize,
    pub last: Option<Instant>,
}

impl Journal {
    pub fn acknowledged(&self, room: &str, person: &str, chat: &Value) {
        let mut rooms = self.rooms.lock().unwrap();
        let record = rooms.entry(room.to_owned()).or_default();
        record.acknowledged.entry(person.to_owned()).or_default().push(Said::of(chat));
        self.talk.send_modify(|talk| {
            talk.acknowledged += 1;
            talk.last = Some(Instant::now());
        });
    }

    pub fn viewed(&self, room: &str, view: View) {
        self.rooms.lock().unwrap().entry(room.to_owned()).or_default().views.push(view);
    }

    pub fn take(&self) -> HashMap<String, Record> {
        std::mem::take(&mut self.rooms.lock().unwrap())
    }
}
