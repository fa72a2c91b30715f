//! The connections of this server's bots, and the rooms whose events each receives.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use super::client::Client;
use crate::{
    chat::SeatGuard,
    domain::{Connection, PersonId, RoomId},
};

/// All connections, and the connections of each room.
#[derive(Default)]
pub(super) struct Subscriptions(Mutex<Lists>);

#[derive(Default)]
struct Lists {
    all: Vec<Arc<Client>>,
    rooms: HashMap<RoomId, Vec<Arc<Client>>>,
}

impl Subscriptions {
    pub(super) fn add(&self, client: Arc<Client>) {
        self.0.lock().all.push(client);
    }

    /// Removes a connection that is ending, and releases its seats.
    pub(super) fn remove(&self, client: &Arc<Client>) {
        let seats = client.release_all();
        let mut lists = self.0.lock();
        lists.all.retain(|other| !Arc::ptr_eq(other, client));
        for seat in &seats {
            lists.unsubscribe(&seat.room, client);
        }
    }

    /// Subscribes a connection to a room, unless it has lost its seat there.
    pub(super) fn join(&self, client: &Arc<Client>, seat_guard: &Arc<SeatGuard>) {
        let mut lists = self.0.lock();
        let subscribers = lists.rooms.entry(seat_guard.room.clone()).or_default();
        if client.holds(seat_guard) && !subscribers.iter().any(|other| Arc::ptr_eq(other, client)) {
            subscribers.push(client.clone());
        }
        if subscribers.is_empty() {
            lists.rooms.remove(&seat_guard.room);
        }
    }

    /// Unsubscribes a connection from a room, and returns the guard of its seat.
    pub(super) fn leave(&self, client: &Arc<Client>, room: &RoomId) -> Option<Arc<SeatGuard>> {
        let seat_guard = client.release_seat(room);
        self.0.lock().unsubscribe(room, client);
        seat_guard
    }

    /// Unsubscribes a connection from a room. It keeps its seat.
    pub(super) fn unsubscribe(&self, client: &Arc<Client>, room: &RoomId) {
        self.0.lock().unsubscribe(room, client);
    }

    pub(super) fn all(&self) -> Vec<Arc<Client>> {
        self.0.lock().all.clone()
    }

    pub(super) fn of(&self, room: &RoomId) -> Vec<Arc<Client>> {
        self.0.lock().rooms.get(room).cloned().unwrap_or_default()
    }

    /// The connections that are subscribed to a room.
    pub(super) fn connections(&self) -> Vec<Connection> {
        let lists = self.0.lock();
        let subscribed = lists.rooms.iter().flat_map(|(room, clients)| {
            clients.iter().filter_map(|client| Some(client.seat(room)?.connection()))
        });
        subscribed.collect()
    }

    pub(super) fn count(&self, room: &RoomId) -> usize {
        self.0.lock().rooms.get(room).map_or(0, Vec::len)
    }

    /// The connections of one bot in one room.
    pub(super) fn of_bot(&self, room: &RoomId, bot: &PersonId) -> Vec<Arc<Client>> {
        let is_of_bot =
            |client: &Arc<Client>| client.bot().is_some_and(|known| known.person.id == *bot);
        self.of(room).into_iter().filter(is_of_bot).collect()
    }
}

impl Lists {
    fn unsubscribe(&mut self, room: &RoomId, client: &Arc<Client>) {
        let Some(subscribers) = self.rooms.get_mut(room) else { return };
        subscribers.retain(|other| !Arc::ptr_eq(other, client));
        if subscribers.is_empty() {
            self.rooms.remove(room);
        }
    }
}
