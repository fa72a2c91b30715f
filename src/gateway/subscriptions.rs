//! Which bots are connected here, and which of them hear of which room.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::client::Client;
use crate::{
    chat::SeatGuard,
    domain::{PersonId, RoomId},
};

/// Connections, all of them and by room.
#[derive(Default)]
pub(super) struct Subscriptions(Mutex<Lists>);

#[derive(Default)]
struct Lists {
    all: Vec<Arc<Client>>,
    rooms: HashMap<RoomId, Vec<Arc<Client>>>,
}

impl Subscriptions {
    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, client: Arc<Client>) {
        self.lists().all.push(client);
    }

    /// Forgets a connection that is ending. What was its seats is let go.
    pub(super) fn remove(&self, client: &Arc<Client>) {
        let seats = client.rise_all();
        let mut lists = self.lists();
        lists.all.retain(|other| !Arc::ptr_eq(other, client));
        for seat in &seats {
            lists.drop_from(&seat.room, client);
        }
    }

    /// From here on it hears of this room, unless it has lost its seat meanwhile.
    pub(super) fn join(&self, client: &Arc<Client>, seat_guard: &Arc<SeatGuard>) {
        let mut lists = self.lists();
        let members = lists.rooms.entry(seat_guard.room.clone()).or_default();
        if client.holds(seat_guard) && !members.iter().any(|other| Arc::ptr_eq(other, client)) {
            members.push(client.clone());
        }
        if members.is_empty() {
            lists.rooms.remove(&seat_guard.room);
        }
    }

    /// From here on it hears no more of this room; what it held there.
    pub(super) fn leave(&self, client: &Arc<Client>, room: &RoomId) -> Option<Arc<SeatGuard>> {
        let seat_guard = client.rise(room);
        self.lists().drop_from(room, client);
        seat_guard
    }

    pub(super) fn all(&self) -> Vec<Arc<Client>> {
        self.lists().all.clone()
    }

    pub(super) fn of(&self, room: &RoomId) -> Vec<Arc<Client>> {
        self.lists().rooms.get(room).cloned().unwrap_or_default()
    }

    pub(super) fn count(&self, room: &RoomId) -> usize {
        self.lists().rooms.get(room).map_or(0, Vec::len)
    }

    /// The connections of one bot in one room.
    pub(super) fn of_bot(&self, room: &RoomId, bot: &PersonId) -> Vec<Arc<Client>> {
        let is_it =
            |client: &Arc<Client>| client.bot().is_some_and(|known| known.person.id == *bot);
        self.of(room).into_iter().filter(is_it).collect()
    }
}

impl Lists {
    fn drop_from(&mut self, room: &RoomId, client: &Arc<Client>) {
        let Some(members) = self.rooms.get_mut(room) else { return };
        members.retain(|other| !Arc::ptr_eq(other, client));
        if members.is_empty() {
            self.rooms.remove(room);
        }
    }
}
