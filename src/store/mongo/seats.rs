//! Seats: taken, left for a while, given up.
//!
//! Each step reads the room, lets the domain decide, and writes on the condition that all it decided on
//! still holds. That the array of seats grows at its end only is what their order rests on.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;
use mongodb::{
    Collection,
    bson::{Document, doc, serialize_to_bson},
    options::ReturnDocument,
};

use super::{
    room_document::{PersonDocument, RoomDocument, SeatDocument, SocketDocument, date},
    rooms,
};
use crate::{
    domain::{
        Knock, PasswordHash, Person, PersonId, Refusal, Room, RoomId, Seat, SocketId, Timestamp,
    },
    store::{Departing, Departure, Dropped, Entering, Entry, Error, Result},
};

/// A step is overtaken only by another that succeeds, and in a room there are at most some
/// hundred people to do so.
const ATTEMPTS: usize = 200;

/// Rooms that are remembered, and for how long after somebody entered.
const MAX_SEEN: u64 = 1_024;
const SEEN_FOR: Duration = Duration::from_secs(10);

/// What came of one attempt at a step.
pub(super) enum Attempt<T> {
    Settled(T),
    /// Something that the decision relied on has changed since.
    Overtaken,
}

impl<T> From<Option<T>> for Attempt<T> {
    fn from(written: Option<T>) -> Self {
        written.map_or(Self::Overtaken, Self::Settled)
    }
}

pub(super) async fn settled<T, F>(attempt: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<Attempt<T>>>,
{
    for _ in 0..ATTEMPTS {
        match attempt().await? {
            Attempt::Settled(outcome) => return Ok(outcome),
            Attempt::Overtaken => {}
        }
    }
    Err(Error::new(format!("overtaken {ATTEMPTS} times")))
}

/// Rooms as they were when somebody last entered them here. To let a newcomer in, an old view will
/// do: the update that does it asks for all that it was decided on. To refuse somebody, it will not.
#[derive(Debug)]
pub(super) struct LastSeen(Cache<RoomId, Arc<Room>>);

impl Default for LastSeen {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MAX_SEEN).time_to_idle(SEEN_FOR).build())
    }
}

pub(super) async fn enter(
    rooms: &Collection<RoomDocument>,
    seen: &LastSeen,
    entry: &Entry,
) -> Result<Entering> {
    let entering =
        match seen.0.get(&entry.room).filter(|room| room.seat(&entry.person.id).is_none()) {
            Some(room) => match decide_to_enter(rooms, Room::clone(&room), entry).await? {
                Attempt::Settled(Entering::Refused(_)) | Attempt::Overtaken => None,
                Attempt::Settled(entering) => Some(entering),
            },
            None => None,
        };
    let entering = match entering {
        Some(entering) => entering,
        None => settled(|| try_to_enter(rooms, entry)).await?,
    };
    if let Entering::Newcomer { room, .. } | Entering::Returned { room, .. } = &entering {
        seen.0.insert(room.id.clone(), Arc::new(room.clone()));
    }
    Ok(entering)
}

async fn try_to_enter(
    rooms: &Collection<RoomDocument>,
    entry: &Entry,
) -> Result<Attempt<Entering>> {
    let Some(room) = rooms::room(rooms, &entry.room).await? else {
        return Ok(Attempt::Settled(Entering::Refused(Refusal::NoSuchRoom)));
    };
    decide_to_enter(rooms, room, entry).await
}

async fn decide_to_enter(
    rooms: &Collection<RoomDocument>,
    room: Room,
    entry: &Entry,
) -> Result<Attempt<Entering>> {
    let knock = Knock {
        person: &entry.person.id,
        passed: entry.passed.as_ref(),
        network: entry.network.as_ref(),
    };
    if let Err(refusal) = room.admit(knock) {
        return Ok(Attempt::Settled(Entering::Refused(refusal)));
    }
    match room.seat(&entry.person.id).cloned() {
        Some(seat) => come_back(rooms, room, &seat, entry).await,
        None => sit_down(rooms, &room, entry).await,
    }
}

async fn come_back(
    rooms: &Collection<RoomDocument>,
    room: Room,
    seat: &Seat,
    entry: &Entry,
) -> Result<Attempt<Entering>> {
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
    let socket = serialize_to_bson(&socket(entry)).map_err(Error::new)?;
    let mut update = doc! {
        "$push": { "people.$[theirs].sockets": socket },
        "$unset": { "people.$[theirs].leftAt": "" },
    };
    if let Some(network) = &entry.network {
        update.insert("$set", doc! { "people.$[theirs].network": network.as_str() });
    }
    let changed = rooms
        .find_one_and_update(still_without_it, update)
        .array_filters([doc! { "theirs.id": who }])
        .return_document(ReturnDocument::After)
        .await?;
    let Some(room) = changed else { return Ok(Attempt::Overtaken) };
    Ok(Attempt::Settled(Entering::Returned { person, room: room.room()? }))
}

async fn sit_down(
    rooms: &Collection<RoomDocument>,
    room: &Room,
    entry: &Entry,
) -> Result<Attempt<Entering>> {
    let person = Person { name: room.name_for(&entry.person), ..entry.person.clone() };
    let who = PersonDocument::from(&person);
    let last_place = room.max.get().saturating_sub(1);
    let mut still_admitted = doc! {
        "_id": room.id.as_str(),
        "owner.id": room.owner.id.as_str(),
        "password": room.password.as_ref().map(PasswordHash::as_str), // `null` finds those without.
        "locked": room.locked,
        "kicked": { "$ne": &who.id },
        "people.id": { "$ne": &who.id },
        "people.name": { "$nin": person.name.of_either().map(|name| name.to_string()).to_vec() },
        "max": room.max.get(),
        format!("people.{last_place}"): { "$exists": false },
    };
    if let Some(network) = entry.network.as_ref().filter(|_| room.owner.id != person.id) {
        still_admitted.insert("kickedNetworks", doc! { "$ne": network.as_str() });
    }
    let seat = SeatDocument {
        id: who.id,
        color: who.color,
        name: who.name,
        sockets: vec![socket(entry)],
        since: date(entry.at),
        left_at: None,
        network: entry.network.as_ref().map(|network| network.as_str().to_owned()),
    };
    let update = doc! {
        "$push": { "people": serialize_to_bson(&seat).map_err(Error::new)? },
        "$unset": { "emptySince": "" },
    };
    let changed = rooms
        .find_one_and_update(still_admitted, update)
        .return_document(ReturnDocument::After)
        .await?;
    let Some(room) = changed else { return Ok(Attempt::Overtaken) };
    Ok(Attempt::Settled(Entering::Newcomer { person, room: room.room()? }))
}

fn socket(entry: &Entry) -> SocketDocument {
    SocketDocument { id: entry.socket.as_str().to_owned(), node: entry.node.as_str().to_owned() }
}

pub(super) async fn drop_socket(
    rooms: &Collection<RoomDocument>,
    room: &RoomId,
    person: &PersonId,
    socket: &SocketId,
    at: Timestamp,
) -> Result<Dropped> {
    settled(|| try_to_drop(rooms, room, person, socket, at)).await
}

async fn try_to_drop(
    rooms: &Collection<RoomDocument>,
    room: &RoomId,
    person: &PersonId,
    socket: &SocketId,
    at: Timestamp,
) -> Result<Attempt<Dropped>> {
    let seen = rooms::room(rooms, room).await?;
    let Some(seat) = seen.as_ref().and_then(|room| room.seat(person)) else {
        return Ok(Attempt::Settled(Dropped::Unknown));
    };
    if seat.sockets.iter().all(|held| held.id != *socket) {
        return Ok(Attempt::Settled(Dropped::Unknown));
    }
    let is_last = seat.sockets.len() == 1;
    let still_so = doc! { "_id": room.as_str(), "people": { "$elemMatch": {
        "id": person.as_str(),
        "sockets.id": socket.as_str(),
        "sockets.1": { "$exists": !is_last },
    } } };
    let mut update = doc! { "$pull": { "people.$[theirs].sockets": { "id": socket.as_str() } } };
    if is_last {
        update.insert("$set", doc! { "people.$[theirs].leftAt": date(at) });
    }
    let theirs = doc! { "theirs.id": person.as_str() };
    let outcome = rooms.update_one(still_so, update).array_filters([theirs]).await?;
    let dropped = if is_last { Dropped::Away } else { Dropped::StillThere };
    Ok((outcome.matched_count > 0).then_some(dropped).into())
}

pub(super) async fn depart(
    rooms: &Collection<RoomDocument>,
    room: &RoomId,
    person: &PersonId,
    departing: Departing,
) -> Result<Departure> {
    settled(|| try_to_depart(rooms, room, person, departing)).await
}

async fn try_to_depart(
    rooms: &Collection<RoomDocument>,
    room: &RoomId,
    person: &PersonId,
    departing: Departing,
) -> Result<Attempt<Departure>> {
    let Some(room) = rooms::room(rooms, room).await? else {
        return Ok(Attempt::Settled(Departure::Stayed));
    };
    let Some(seat) = room.seat(person).filter(|seat| may_go(seat, departing)) else {
        return Ok(Attempt::Settled(Departure::Stayed));
    };
    if room.people.len() == 1 {
        remove_with_last(rooms, &room, &seat.person, departing).await
    } else {
        give_up(rooms, &room, &seat.person, departing).await
    }
}

fn may_go(seat: &Seat, departing: Departing) -> bool {
    match departing {
        Departing::Now | Departing::Kicked => true,
        Departing::IfAwaySince(moment) => seat.left_at.is_some_and(|left| left <= moment),
    }
}

/// What [`may_go`] said of the seat that has this name on it, as a condition on the array of seats.
fn seat_that_may_go(person: &Person, departing: Departing) -> Document {
    let mut seat = doc! { "id": person.id.as_str(), "name": person.name.to_string() };
    match departing {
        Departing::Now | Departing::Kicked => {}
        Departing::IfAwaySince(moment) => {
            seat.insert("leftAt", doc! { "$lte": date(moment) });
        }
    }
    doc! { "$elemMatch": seat }
}

async fn remove_with_last(
    rooms: &Collection<RoomDocument>,
    room: &Room,
    leaver: &Person,
    departing: Departing,
) -> Result<Attempt<Departure>> {
    let still_alone = doc! { "_id": room.id.as_str(), "$and": [
        { "people": { "$size": 1 } },
        { "people": seat_that_may_go(leaver, departing) },
    ] };
    let removed = rooms.delete_one(still_alone).await?.deleted_count > 0;
    Ok(removed.then(|| Departure::Closed { person: leaver.clone() }).into())
}

async fn give_up(
    rooms: &Collection<RoomDocument>,
    room: &Room,
    leaver: &Person,
    departing: Departing,
) -> Result<Attempt<Departure>> {
    let who = leaver.id.as_str();
    let mut still_so = doc! { "_id": room.id.as_str(), "people.1": { "$exists": true } };
    let mut seats = vec![doc! { "people": seat_that_may_go(leaver, departing) }];
    let mut update = doc! { "$pull": { "people": { "id": who } } };
    let heir = room.owner_after(&leaver.id);
    if let Some(heir) = heir {
        still_so.insert("owner.id", who);
        seats.push(doc! { "people": seat_of(room, heir) });
        update.insert("$set", new_owner(heir)?);
    } else {
        still_so.insert("owner.id", doc! { "$ne": who });
    }
    still_so.insert("$and", seats);
    if departing == Departing::Kicked {
        let mut shut_out = doc! { "kicked": who };
        if let Some(network) = room.seat(&leaver.id).and_then(|seat| seat.network.as_ref()) {
            shut_out.insert("kickedNetworks", network.as_str());
        }
        update.insert("$addToSet", shut_out);
    }
    let changed =
        rooms.find_one_and_update(still_so, update).return_document(ReturnDocument::After).await?;
    let Some(after) = changed else { return Ok(Attempt::Overtaken) };
    Ok(Attempt::Settled(Departure::Left {
        person: leaver.clone(),
        room: after.room()?,
        new_owner: heir.is_some(),
    }))
}

/// The very seat that this person has now: whoever left and came back is no longer first in line.
pub(super) fn seat_of(room: &Room, person: &Person) -> Document {
    let mut seat = doc! { "id": person.id.as_str() };
    if let Some(now) = room.seat(&person.id) {
        seat.insert("since", date(now.since));
    }
    doc! { "$elemMatch": seat }
}

pub(super) fn new_owner(heir: &Person) -> Result<Document> {
    let heir = serialize_to_bson(&PersonDocument::from(heir)).map_err(Error::new)?;
    Ok(doc! { "owner": heir })
}

pub(super) async fn replace_absent_owner(
    rooms: &Collection<RoomDocument>,
    room: &RoomId,
) -> Result<Option<Person>> {
    settled(|| try_to_replace_owner(rooms, room)).await
}

async fn try_to_replace_owner(
    rooms: &Collection<RoomDocument>,
    room: &RoomId,
) -> Result<Attempt<Option<Person>>> {
    let Some(room) = rooms::room(rooms, room).await? else { return Ok(Attempt::Settled(None)) };
    let owner = &room.owner.id;
    let is_there = room.seat(owner).is_some();
    let Some(heir) = room.owner_after(owner).filter(|_| !is_there) else {
        return Ok(Attempt::Settled(None));
    };
    let still_absent = doc! {
        "_id": room.id.as_str(),
        "owner.id": owner.as_str(),
        "people.id": { "$ne": owner.as_str() },
        "people": seat_of(&room, heir),
    };
    let outcome = rooms.update_one(still_absent, doc! { "$set": new_owner(heir)? }).await?;
    Ok((outcome.matched_count > 0).then(|| Some(heir.clone())).into())
}
