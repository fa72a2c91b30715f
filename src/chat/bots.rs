//! Who made the bots that have seats: a kick takes the bots of the removed person along.
//!
//! The seats in the store do not name a bot's maker. After a restart a bot is known again once it has
//! entered; until then its maker's ban keeps it out, and its seat ends with the grace.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::domain::{Person, PersonId, RoomId};

struct Bot {
    person: Person,
    maker: PersonId,
}

/// The bots by room.
#[derive(Default)]
pub(super) struct Bots(Mutex<HashMap<RoomId, Vec<Bot>>>);

impl Bots {
    /// Adds a bot that is about to enter; false if it was there. Called before it has a seat, so
    /// that a kick does not miss it: the store refuses a bot that enters after the kick. Such a bot
    /// stays listed, because the kick may be about to look for it.
    pub(super) fn add(&self, room: &RoomId, bot: &Person, maker: &PersonId) -> bool {
        let mut rooms = self.0.lock();
        let bots = rooms.entry(room.clone()).or_default();
        let is_new = bots.iter().all(|known| known.person.id != bot.id);
        if is_new {
            bots.push(Bot { person: bot.clone(), maker: maker.clone() });
        }
        is_new
    }

    /// The bots of a person.
    pub(super) fn of(&self, room: &RoomId, maker: &PersonId) -> Vec<Person> {
        let rooms = self.0.lock();
        let bots = rooms.get(room).into_iter().flatten();
        bots.filter(|bot| bot.maker == *maker).map(|bot| bot.person.clone()).collect()
    }

    /// Forgets a bot, or anybody else, without a seat.
    pub(super) fn forget(&self, room: &RoomId, bot: &PersonId) {
        let mut rooms = self.0.lock();
        if let Some(bots) = rooms.get_mut(room) {
            bots.retain(|known| known.person.id != *bot);
            if bots.is_empty() {
                rooms.remove(room);
            }
        }
    }

    /// Forgets the bots of a closed room.
    pub(super) fn forget_room(&self, room: &RoomId) {
        self.0.lock().remove(room);
    }
}
