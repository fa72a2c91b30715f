//! Which bots are connected here, and which of them hear of which room.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::link::Link;
use crate::{
    chat::Presence,
    domain::{PersonId, RoomId},
};

/// Connections, all of them and by room.
#[derive(Default)]
pub(super) struct Members(Mutex<Lists>);

#[derive(Default)]
struct Lists {
    all: Vec<Arc<Link>>,
    rooms: HashMap<RoomId, Vec<Arc<Link>>>,
}

impl Members {
    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, link: Arc<Link>) {
        self.lists().all.push(link);
    }

    /// Forgets a connection that is ending. What was its seats is let go.
    pub(super) fn remove(&self, link: &Arc<Link>) {
        let seats = link.rise_all();
        let mut lists = self.lists();
        lists.all.retain(|other| !Arc::ptr_eq(other, link));
        for seat in &seats {
            lists.drop_from(&seat.room, link);
        }
    }

    /// From here on it hears of this room, unless it has lost its seat meanwhile.
    pub(super) fn join(&self, link: &Arc<Link>, presence: &Arc<Presence>) {
        let mut lists = self.lists();
        let members = lists.rooms.entry(presence.room.clone()).or_default();
        if link.holds(presence) && !members.iter().any(|other| Arc::ptr_eq(other, link)) {
            members.push(link.clone());
        }
        if members.is_empty() {
            lists.rooms.remove(&presence.room);
        }
    }

    /// From here on it hears no more of this room; what it held there.
    pub(super) fn leave(&self, link: &Arc<Link>, room: &RoomId) -> Option<Arc<Presence>> {
        let presence = link.rise(room);
        self.lists().drop_from(room, link);
        presence
    }

    pub(super) fn all(&self) -> Vec<Arc<Link>> {
        self.lists().all.clone()
    }

    pub(super) fn of(&self, room: &RoomId) -> Vec<Arc<Link>> {
        self.lists().rooms.get(room).cloned().unwrap_or_default()
    }

    pub(super) fn count(&self, room: &RoomId) -> usize {
        self.lists().rooms.get(room).map_or(0, Vec::len)
    }

    /// The connections of one bot in one room.
    pub(super) fn of_bot(&self, room: &RoomId, bot: &PersonId) -> Vec<Arc<Link>> {
        let is_it = |link: &Arc<Link>| link.bot().is_some_and(|known| known.person.id == *bot);
        self.of(room).into_iter().filter(is_it).collect()
    }
}

impl Lists {
    fn drop_from(&mut self, room: &RoomId, link: &Arc<Link>) {
        let Some(members) = self.rooms.get_mut(room) else { return };
        members.retain(|other| !Arc::ptr_eq(other, link));
        if members.is_empty() {
            self.rooms.remove(room);
        }
    }
}
