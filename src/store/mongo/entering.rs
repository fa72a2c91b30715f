//! Seats: taken.
//!
//! Whoever comes into a room while others are being let in waits for them, with all who come meanwhile;
//! the next step lets all of those in together. So thousands who come at once take as many steps as
//! there are rooms, and not as there are people.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt as _, future::join_all};
use moka::sync::Cache;
use mongodb::{
    Collection,
    bson::{doc, serialize_to_bson},
    options::ReturnDocument,
};
use tokio::{sync::oneshot, task::yield_now};

use super::{
    connection::in_time,
    gathered::Gathered,
    room_document::{RoomDocument, SeatDocument, SocketDocument},
    rooms,
    seats::{Attempt, settled},
};
use crate::{
    domain::{Knock, NetworkHash, PasswordHash, Person, Refusal, Room, RoomId, Seat, SeatSocket},
    store::{Entering, Entry, Error, Result},
};

/// Rooms that are remembered, and for how long after somebody entered.
const MAX_SEEN: u64 = 1_024;
const SEEN_FOR: Duration = Duration::from_secs(10);

/// So many are let into a room in one step.
const MAX_TOGETHER: usize = 100;

/// The way into rooms.
#[derive(Debug, Clone)]
pub(super) struct Doors {
    rooms: Collection<RoomDocument>,
    looking: Gathered<RoomId, Option<RoomDocument>>,
    /// Rooms as they were when somebody last entered them here. To let a newcomer in, an old view will
    /// do: the update that does it asks for all that it was decided on. To refuse somebody, it will not.
    seen: Cache<RoomId, Arc<Room>>,
    /// Who waits, by the rooms in which somebody is being let in.
    waiting: Arc<Mutex<HashMap<RoomId, Vec<Waiting>>>>,
}

#[derive(Debug)]
struct Waiting {
    entry: Entry,
    answer: oneshot::Sender<Result<Entering>>,
}

impl Waiting {
    fn answer(self, outcome: Result<Entering>) {
        self.answer.send(outcome).ok(); // Whoever has gone takes it for a failure, and looks again.
    }
}

impl Doors {
    pub(super) fn new(
        rooms: Collection<RoomDocument>,
        looking: Gathered<RoomId, Option<RoomDocument>>,
    ) -> Self {
        let seen = Cache::builder().max_capacity(MAX_SEEN).time_to_idle(SEEN_FOR).build();
        Self { rooms, looking, seen, waiting: Arc::default() }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<RoomId, Vec<Waiting>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn enter(&self, entry: Entry) -> Result<Entering> {
        let (answer, answered) = oneshot::channel();
        let room = entry.room.clone();
        if self.wait(Waiting { entry, answer }) {
            let doors = self.clone();
            tokio::spawn(async move {
                // Whoever has come by now is in the first step.
                yield_now().await;
                while let Some(some) = doors.next(&room) {
                    // Should it panic, those who wait are told, and the next are let in.
                    AssertUnwindSafe(doors.let_in(&room, some)).catch_unwind().await.ok();
                }
            });
        }
        answered.await.map_err(|_| Error::new("nobody is let in any more"))?
    }

    /// True for the first of a room.
    fn wait(&self, waiting: Waiting) -> bool {
        let mut all = self.waiting();
        if let Some(others) = all.get_mut(&waiting.entry.room) {
            others.push(waiting);
            return false;
        }
        all.insert(waiting.entry.room.clone(), vec![waiting]);
        true
    }

    /// Those who come next; `None`, once, when nobody does.
    fn next(&self, room: &RoomId) -> Option<Vec<Waiting>> {
        let mut all = self.waiting();
        let waiting = all.get_mut(room)?;
        // Whoever has stopped waiting has been told that it failed.
        waiting.retain(|one| !one.answer.is_closed());
        if waiting.is_empty() {
            all.remove(room);
            return None;
        }
        let rest = waiting.split_off(waiting.len().min(MAX_TOGETHER));
        Some(std::mem::replace(waiting, rest))
    }

    /// Newcomers together, by what is known of the room, or else by what it is now; all others each for
    /// themselves.
    async fn let_in(&self, room: &RoomId, some: Vec<Waiting>) {
        let mut some = some;
        if let Some(view) = self.seen.get(room) {
            some = self.let_in_anew(&view, some, false).await;
        }
        if some.is_empty() {
            return;
        }
        let view = in_time(self.looking.ask(room.clone())).await;
        match view.and_then(|found| found.map(RoomDocument::room).transpose()) {
            Ok(None) => {
                for one in some {
                    one.answer(Ok(Entering::Refused(Refusal::NoSuchRoom)));
                }
            }
            Ok(Some(view)) => {
                let others = self.let_in_anew(&view, some, true).await;
                join_all(others.into_iter().map(|one| self.let_in_alone(one))).await;
            }
            Err(cause) => {
                for (one, cause) in some.into_iter().zip(cause.shared()) {
                    one.answer(Err(cause));
                }
            }
        }
    }

    async fn let_in_alone(&self, one: Waiting) {
        let entering = in_time(settled(|| self.try_alone(&one.entry))).await;
        if let Ok(Entering::Newcomer { room, .. } | Entering::Returned { room, .. }) = &entering {
            self.seen.insert(room.id.clone(), Arc::new(room.clone()));
        }
        one.answer(entering);
    }

    async fn try_alone(&self, entry: &Entry) -> Result<Attempt<Entering>> {
        let Some(room) = rooms::room(&self.rooms, &entry.room).await? else {
            return Ok(Attempt::Settled(Entering::Refused(Refusal::NoSuchRoom)));
        };
        if let Err(refusal) = room.admit(knock(entry)) {
            return Ok(Attempt::Settled(Entering::Refused(refusal)));
        }
        if let Some(seat) = room.seat(&entry.person.id).cloned() {
            return self.come_back(room, &seat, entry).await;
        }
        let newcomer = newcomer(&room, entry);
        let Some(room) = self.sit_down(&room, std::slice::from_ref(&newcomer)).await? else {
            return Ok(Attempt::Overtaken);
        };
        Ok(Attempt::Settled(Entering::Newcomer { person: newcomer.person, room }))
    }

    /// Lets all of those in who have no seat in this view of their room and are admitted by it, if it
    /// still holds; gives the others back. By an old view nobody gets another name than their own: whoever
    /// had that may have gone.
    async fn let_in_anew(&self, view: &Room, some: Vec<Waiting>, fresh: bool) -> Vec<Waiting> {
        let mut room = view.clone();
        let (mut newcomers, mut others) = (Vec::new(), Vec::new());
        for one in some {
            let Entry { person, .. } = &one.entry;
            let seat = newcomer(&room, &one.entry);
            let own_name = seat.person.name == person.name;
            let new = room.seat(&person.id).is_none() && room.admit(knock(&one.entry)).is_ok();
            if new && (fresh || own_name) {
                room.people.push(seat);
                newcomers.push(one);
            } else {
                others.push(one);
            }
        }
        if newcomers.is_empty() {
            return others;
        }
        let seats = &room.people[view.people.len()..];
        match in_time(self.sit_down(view, seats)).await {
            Ok(Some(now)) => {
                self.seen.insert(now.id.clone(), Arc::new(now.clone()));
                for (one, seat) in newcomers.into_iter().zip(seats) {
                    one.answer(Ok(Entering::Newcomer {
                        person: seat.person.clone(),
                        room: up_to(&now, &seat.person),
                    }));
                }
            }
            Ok(None) => others.extend(newcomers),
            Err(cause) => {
                for (one, cause) in newcomers.into_iter().zip(cause.shared()) {
                    one.answer(Err(cause));
                }
            }
        }
        others
    }

    /// Puts newcomers into a room, if all still holds that they were admitted by; the room with them in it.
    async fn sit_down(&self, view: &Room, newcomers: &[Seat]) -> Result<Option<Room>> {
        let ids: Vec<&str> = newcomers.iter().map(|seat| seat.person.id.as_str()).collect();
        let names = newcomers.iter().flat_map(|seat| seat.person.name.of_either());
        let names: Vec<String> = names.map(|name| name.to_string()).collect();
        // The owner comes in from wherever they are.
        let guests = newcomers.iter().filter(|seat| seat.person.id != view.owner.id);
        let networks = guests.filter_map(|seat| seat.network.as_ref().map(NetworkHash::as_str));
        let networks: Vec<&str> = networks.collect();
        let last_places = usize::try_from(view.max.get()).unwrap_or(usize::MAX);
        let last_places = last_places.saturating_sub(newcomers.len());
        let mut still_admitted = doc! {
            "_id": view.id.as_str(),
            "owner.id": view.owner.id.as_str(),
            "password": view.password.as_ref().map(PasswordHash::as_str), // `null` finds those without.
            "locked": view.locked,
            "kicked": { "$nin": &ids },
            "people.id": { "$nin": &ids },
            "people.name": { "$nin": names },
            "max": view.max.get(),
            format!("people.{last_places}"): { "$exists": false },
        };
        if !networks.is_empty() {
            still_admitted.insert("kickedNetworks", doc! { "$nin": networks });
        }
        let seats: Vec<SeatDocument> = newcomers.iter().map(SeatDocument::from).collect();
        let seats = serialize_to_bson(&seats).map_err(Error::new)?;
        let update = doc! {
            "$push": { "people": { "$each": seats } },
            "$unset": { "emptySince": "" },
        };
        let changed = self.rooms.find_one_and_update(still_admitted, update);
        let changed = changed.return_document(ReturnDocument::After).await?;
        changed.map(RoomDocument::room).transpose()
    }

    async fn come_back(&self, room: Room, seat: &Seat, entry: &Entry) -> Result<Attempt<Entering>> {
        let person = seat.person.clone();
        if seat.sockets.iter().any(|socket| socket.id == entry.socket) {
            return Ok(Attempt::Settled(Entering::Returned { person, room }));
        }
        let who = person.id.as_str();
        let still_without_it = doc! { "_id": room.id.as_str(), "people": { "$elemMatch": {
            "id": who,
            "name": person.name.to_string(),
            "sockets.id": { "$ne": entry.socket.as_str() },
        } } };
        let socket =
            serialize_to_bson(&SocketDocument::from(&socket(entry))).map_err(Error::new)?;
        let mut update = doc! {
            "$push": { "people.$[theirs].sockets": socket },
            "$unset": { "people.$[theirs].leftAt": "" },
        };
        if let Some(network) = &entry.network {
            update.insert("$set", doc! { "people.$[theirs].network": network.as_str() });
        }
        let changed = self
            .rooms
            .find_one_and_update(still_without_it, update)
            .array_filters([doc! { "theirs.id": who }])
            .return_document(ReturnDocument::After)
            .await?;
        let Some(room) = changed else { return Ok(Attempt::Overtaken) };
        Ok(Attempt::Settled(Entering::Returned { person, room: room.room()? }))
    }
}

fn knock(entry: &Entry) -> Knock<'_> {
    Knock {
        person: &entry.person.id,
        passed: entry.passed.as_ref(),
        network: entry.network.as_ref(),
    }
}

/// The seat that somebody takes who has none in this room.
fn newcomer(room: &Room, entry: &Entry) -> Seat {
    Seat {
        person: Person { name: room.name_for(&entry.person), ..entry.person.clone() },
        sockets: vec![socket(entry)],
        since: entry.at,
        left_at: None,
        network: entry.network.clone(),
    }
}

fn socket(entry: &Entry) -> SeatSocket {
    SeatSocket { id: entry.socket.clone(), node: entry.node.clone() }
}

/// The room as it was when this person came in, before those who came in behind them.
fn up_to(room: &Room, person: &Person) -> Room {
    let mut room = room.clone();
    if let Some(last) = room.people.iter().position(|seat| seat.person.id == person.id) {
        room.people.truncate(last + 1);
    }
    room
}
