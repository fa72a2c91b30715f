//! Batched entries into rooms.
//!
//! While one batch of visitors enters a room, later ones queue up; the next update seats all of
//! them. So thousands of simultaneous entries take a few updates per room instead of one per
//! visitor. Without batches they exceed the store's deadline, retry, and starve one another.

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use parking_lot::Mutex;

use futures_util::{FutureExt as _, future::join_all};
use moka::sync::Cache;
use mongodb::{
    Collection,
    bson::{doc, serialize_to_bson},
    options::ReturnDocument,
};
use tokio::{sync::oneshot, task::yield_now};

use super::super::{
    batching::loader::Loader,
    connection::with_deadline,
    retry::{Attempt, retry_on_conflict},
    room_document::{RoomDocument, SeatDocument, SocketDocument},
    rooms,
};
use crate::{
    domain::{
        EntryError, EntryRequest, NetworkHash, PasswordHash, Person, PersonId, Room, RoomId, Seat,
        SeatSocket,
    },
    store::{EnterOutcome, Entry, Error, Result},
};

/// Largest number of cached rooms, and how long one is cached after the last entry.
const MAX_CACHED: u64 = 1_024;
const CACHE_TTL: Duration = Duration::from_secs(10);

/// Largest number of newcomers in one update.
const MAX_BATCH: usize = 100;

/// Seats visitors, one batch per room at a time.
#[derive(Debug, Clone)]
pub(in crate::store::mongo) struct EntryBatcher {
    rooms: Collection<RoomDocument>,
    room_loader: Loader<RoomId, Option<RoomDocument>>,
    /// Rooms as of the last entry on this node. A stale room is enough to admit a newcomer, as the
    /// update's filter repeats every condition of the decision. It is not enough to refuse one.
    cached: Cache<RoomId, Arc<Room>>,
    /// Queued entries of the rooms that have a batch in progress.
    waiting: Arc<Mutex<HashMap<RoomId, Vec<Waiting>>>>,
}

#[derive(Debug)]
struct Waiting {
    entry: Entry,
    answer: oneshot::Sender<Result<EnterOutcome>>,
}

impl Waiting {
    fn answer(self, outcome: Result<EnterOutcome>) {
        self.answer.send(outcome).ok(); // A caller that has left retries.
    }
}

impl EntryBatcher {
    pub(in crate::store::mongo) fn new(
        rooms: Collection<RoomDocument>,
        room_loader: Loader<RoomId, Option<RoomDocument>>,
    ) -> Self {
        let cached = Cache::builder().max_capacity(MAX_CACHED).time_to_idle(CACHE_TTL).build();
        Self { rooms, room_loader, cached, waiting: Arc::default() }
    }

    pub(in crate::store::mongo) async fn enter(&self, entry: Entry) -> Result<EnterOutcome> {
        let (answer, answered) = oneshot::channel();
        let room = entry.room.clone();
        if self.wait(Waiting { entry, answer }) {
            let batcher = self.clone();
            tokio::spawn(async move {
                // Collects the entries that are already scheduled into the first batch.
                yield_now().await;
                while let Some(batch) = batcher.next(&room) {
                    // After a panic the callers of this batch get an error; the loop goes on with
                    // the next.
                    AssertUnwindSafe(batcher.admit_batch(&room, batch)).catch_unwind().await.ok();
                }
            });
        }
        answered.await.map_err(|_| Error::new("nobody is let in any more"))?
    }

    /// Queues an entry; true if the room has no batch in progress.
    fn wait(&self, waiting: Waiting) -> bool {
        let mut all = self.waiting.lock();
        if let Some(others) = all.get_mut(&waiting.entry.room) {
            others.push(waiting);
            return false;
        }
        all.insert(waiting.entry.room.clone(), vec![waiting]);
        true
    }

    /// The next batch of a room; `None`, once, when its queue is empty.
    fn next(&self, room: &RoomId) -> Option<Vec<Waiting>> {
        let mut all = self.waiting.lock();
        let waiting = all.get_mut(room)?;
        // Callers that have stopped waiting have already reported a failure.
        waiting.retain(|one| !one.answer.is_closed());
        if waiting.is_empty() {
            all.remove(room);
            return None;
        }
        let rest = waiting.split_off(waiting.len().min(MAX_BATCH));
        Some(std::mem::replace(waiting, rest))
    }

    /// Admits newcomers by the cached room, or else by the current one; handles everyone else one
    /// by one.
    async fn admit_batch(&self, room: &RoomId, batch: Vec<Waiting>) {
        let mut batch = batch;
        if let Some(view) = self.cached.get(room) {
            batch = self.admit_newcomers(&view, batch, false).await;
        }
        if batch.is_empty() {
            return;
        }
        let view = with_deadline(self.room_loader.ask(room.clone())).await;
        match view.and_then(|found| found.map(RoomDocument::room).transpose()) {
            Ok(None) => {
                for one in batch {
                    one.answer(Ok(EnterOutcome::Refused(EntryError::NoSuchRoom)));
                }
            }
            Ok(Some(view)) => {
                let others = self.admit_newcomers(&view, batch, true).await;
                join_all(others.into_iter().map(|one| self.admit_one(one))).await;
            }
            Err(cause) => {
                for (one, cause) in batch.into_iter().zip(cause.shared()) {
                    one.answer(Err(cause));
                }
            }
        }
    }

    async fn admit_one(&self, one: Waiting) {
        let entering = with_deadline(retry_on_conflict(|| self.try_admit(&one.entry))).await;
        if let Ok(EnterOutcome::Newcomer { room, .. } | EnterOutcome::Returned { room, .. }) =
            &entering
        {
            self.cached.insert(room.id.clone(), Arc::new(room.clone()));
        }
        one.answer(entering);
    }

    async fn try_admit(&self, entry: &Entry) -> Result<Attempt<EnterOutcome>> {
        let Some(room) = rooms::room(&self.rooms, &entry.room).await? else {
            return Ok(Attempt::Settled(EnterOutcome::Refused(EntryError::NoSuchRoom)));
        };
        if let Err(refusal) = room.admit(request_of(entry)) {
            return Ok(Attempt::Settled(EnterOutcome::Refused(refusal)));
        }
        if let Some(seat) = room.seat(&entry.person.id).cloned() {
            return self.rejoin(room, &seat, entry).await;
        }
        let newcomer = newcomer(&room, entry);
        let added = self.add_seats(&room, std::slice::from_ref(&newcomer), maker_of(entry));
        let Some(room) = added.await? else {
            return Ok(Attempt::Conflict);
        };
        Ok(Attempt::Settled(EnterOutcome::Newcomer { person: newcomer.person, room }))
    }

    /// Seats every newcomer that `view` admits, if the view still holds; returns the rest. A stale
    /// view never assigns a different name, as the holder of the visitor's own name may have left.
    async fn admit_newcomers(&self, view: &Room, batch: Vec<Waiting>, fresh: bool) -> Vec<Waiting> {
        let mut room = view.clone();
        let (mut newcomers, mut others) = (Vec::new(), Vec::new());
        for one in batch {
            let Entry { person, .. } = &one.entry;
            let seat = newcomer(&room, &one.entry);
            let own_name = seat.person.name == person.name;
            let new = room.seat(&person.id).is_none() && room.admit(request_of(&one.entry)).is_ok();
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
        let makers = newcomers.iter().flat_map(|one| maker_of(&one.entry)).collect();
        match with_deadline(self.add_seats(view, seats, makers)).await {
            Ok(Some(now)) => {
                self.cached.insert(now.id.clone(), Arc::new(now.clone()));
                for (one, seat) in newcomers.into_iter().zip(seats) {
                    one.answer(Ok(EnterOutcome::Newcomer {
                        person: seat.person.clone(),
                        room: as_of_entry(&now, &seat.person),
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

    /// Adds seats if every condition of their admission still holds; returns the updated room.
    async fn add_seats(
        &self,
        view: &Room,
        newcomers: &[Seat],
        makers: Vec<&str>,
    ) -> Result<Option<Room>> {
        let ids: Vec<&str> = newcomers.iter().map(|seat| seat.person.id.as_str()).collect();
        let unbanned: Vec<&str> = ids.iter().copied().chain(makers).collect();
        let names = newcomers.iter().flat_map(|seat| seat.person.name.of_either());
        let names: Vec<String> = names.map(|name| name.to_string()).collect();
        // A network ban does not apply to the owner.
        let guests = newcomers.iter().filter(|seat| seat.person.id != view.owner.id);
        let networks = guests.filter_map(|seat| seat.network.as_ref().map(NetworkHash::as_str));
        let networks: Vec<&str> = networks.collect();
        let last_places = usize::try_from(view.max.get()).unwrap_or(usize::MAX);
        let last_places = last_places.saturating_sub(newcomers.len());
        let mut still_admitted = doc! {
            "_id": view.id.as_str(),
            "owner.id": view.owner.id.as_str(),
            "password": view.password.as_ref().map(PasswordHash::as_str), // `null`: no password.
            "locked": view.locked,
            "kicked": { "$nin": &unbanned },
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
        let mut update = doc! { "$push": { "people": { "$each": seats } } };
        if newcomers.iter().any(|seat| !seat.person.name.bot) {
            update.insert("$unset", doc! { "emptySince": "" });
        }
        let changed = self.rooms.find_one_and_update(still_admitted, update);
        let changed = changed.return_document(ReturnDocument::After).await?;
        changed.map(RoomDocument::room).transpose()
    }

    async fn rejoin(
        &self,
        room: Room,
        seat: &Seat,
        entry: &Entry,
    ) -> Result<Attempt<EnterOutcome>> {
        let person = seat.person.clone();
        if seat.sockets.iter().any(|socket| socket.id == entry.socket) {
            return Ok(Attempt::Settled(EnterOutcome::Returned { person, room }));
        }
        let who = person.id.as_str();
        let still_without_it = doc! {
            "_id": room.id.as_str(),
            "kicked": { "$nin": maker_of(entry) },
            "people": { "$elemMatch": {
                "id": who,
                "name": person.name.to_string(),
                "sockets.id": { "$ne": entry.socket.as_str() },
            } },
        };
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
        let Some(room) = changed else { return Ok(Attempt::Conflict) };
        Ok(Attempt::Settled(EnterOutcome::Returned { person, room: room.room()? }))
    }
}

fn maker_of(entry: &Entry) -> Vec<&str> {
    entry.maker.iter().map(PersonId::as_str).collect()
}

fn request_of(entry: &Entry) -> EntryRequest<'_> {
    EntryRequest {
        person: &entry.person.id,
        maker: entry.maker.as_ref(),
        passed: entry.passed.as_ref(),
        network: entry.network.as_ref(),
    }
}

/// The seat of a visitor who has none in this room.
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

/// The room as of this person's entry, without the newcomers after them.
fn as_of_entry(room: &Room, person: &Person) -> Room {
    let mut room = room.clone();
    if let Some(last) = room.people.iter().position(|seat| seat.person.id == person.id) {
        room.people.truncate(last + 1);
    }
    room
}
