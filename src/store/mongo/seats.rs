//! Seats: disconnecting and leaving.
//!
//! Each step reads the room, lets the domain decide, and writes on the condition that the decision
//! still holds. The array of seats only grows at its end, so it is ordered by entry.

use async_trait::async_trait;
use mongodb::{
    Collection,
    bson::{Document, doc, serialize_to_bson},
    options::ReturnDocument,
};

use super::{
    MongoStore,
    connection::with_deadline,
    retry::{Attempt, retry_on_conflict},
    room_document::{PersonDocument, RoomDocument, date},
    rooms,
};
use crate::{
    domain::{OwnerActionError, Person, PersonId, Room, RoomId, Seat, SocketId, Timestamp},
    store::{
        DisconnectOutcome, EnterOutcome, Entry, Error, LeaveOutcome, LeaveReason, Result, SeatStore,
    },
};

#[async_trait]
impl SeatStore for MongoStore {
    async fn enter(&self, entry: Entry) -> Result<EnterOutcome> {
        with_deadline(self.entries.enter(entry)).await
    }

    async fn drop_socket(
        &self,
        room: &RoomId,
        person: &PersonId,
        socket: &SocketId,
        at: Timestamp,
    ) -> Result<DisconnectOutcome> {
        let attempt = || try_to_drop(&self.rooms, room, person, socket, at);
        with_deadline(retry_on_conflict(attempt)).await
    }

    async fn depart(
        &self,
        room: &RoomId,
        person: &PersonId,
        departing: LeaveReason,
    ) -> Result<LeaveOutcome> {
        let attempt = || try_to_depart(&self.rooms, room, person, &departing);
        with_deadline(retry_on_conflict(attempt)).await
    }

    async fn replace_absent_owner(&self, room: &RoomId) -> Result<Option<Person>> {
        with_deadline(retry_on_conflict(|| try_to_replace_owner(&self.rooms, room))).await
    }

    async fn hand_over(
        &self,
        room: &RoomId,
        from: &PersonId,
        to: &PersonId,
    ) -> Result<std::result::Result<Room, OwnerActionError>> {
        with_deadline(retry_on_conflict(|| try_to_hand_over(&self.rooms, room, from, to))).await
    }
}

async fn try_to_drop(
    rooms: &Collection<RoomDocument>,
    room: &RoomId,
    person: &PersonId,
    socket: &SocketId,
    at: Timestamp,
) -> Result<Attempt<DisconnectOutcome>> {
    let seen = rooms::room(rooms, room).await?;
    let Some(seat) = seen.as_ref().and_then(|room| room.seat(person)) else {
        return Ok(Attempt::Settled(DisconnectOutcome::Unknown));
    };
    if seat.sockets.iter().all(|held| held.id != *socket) {
        return Ok(Attempt::Settled(DisconnectOutcome::Unknown));
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
    let dropped = if is_last { DisconnectOutcome::Away } else { DisconnectOutcome::StillThere };
    Ok((outcome.matched_count > 0).then_some(dropped).into())
}

async fn try_to_depart(
    rooms: &Collection<RoomDocument>,
    room: &RoomId,
    person: &PersonId,
    departing: &LeaveReason,
) -> Result<Attempt<LeaveOutcome>> {
    let Some(room) = rooms::room(rooms, room).await? else {
        return Ok(Attempt::Settled(LeaveOutcome::Stayed));
    };
    if matches!(departing, LeaveReason::KickedBy(owner) if room.owner.id != *owner) {
        return Ok(Attempt::Settled(LeaveOutcome::NotOwner));
    }
    let Some(seat) = room.seat(person).filter(|seat| may_go(seat, departing)) else {
        return Ok(Attempt::Settled(LeaveOutcome::Stayed));
    };
    if room.ends_with(&seat.person) {
        remove_with_last(rooms, &room, &seat.person, departing).await
    } else {
        give_up(rooms, &room, &seat.person, departing).await
    }
}

fn may_go(seat: &Seat, departing: &LeaveReason) -> bool {
    match departing {
        LeaveReason::Now | LeaveReason::KickedBy(_) => true,
        LeaveReason::IfAwaySince(moment) => seat.left_at.is_some_and(|left| left <= *moment),
    }
}

/// The conditions that [`may_go`] checked for this person's seat, as a filter on the array of
/// seats.
fn seat_that_may_go(person: &Person, departing: &LeaveReason) -> Document {
    let mut seat = doc! { "id": person.id.as_str(), "name": person.name.to_string() };
    match departing {
        LeaveReason::Now | LeaveReason::KickedBy(_) => {}
        LeaveReason::IfAwaySince(moment) => {
            seat.insert("leftAt", doc! { "$lte": date(*moment) });
        }
    }
    doc! { "$elemMatch": seat }
}

async fn remove_with_last(
    rooms: &Collection<RoomDocument>,
    room: &Room,
    leaver: &Person,
    departing: &LeaveReason,
) -> Result<Attempt<LeaveOutcome>> {
    let known: Vec<&str> = room.people.iter().map(|seat| seat.person.id.as_str()).collect();
    let mut still_alone = doc! { "_id": room.id.as_str(), "$and": [
        { "people": { "$not": { "$elemMatch": { "id": { "$nin": known } } } } },
        { "people": seat_that_may_go(leaver, departing) },
    ] };
    if let LeaveReason::KickedBy(owner) = departing {
        still_alone.insert("owner.id", owner.as_str());
    }
    let removed = rooms.delete_one(still_alone).await?.deleted_count > 0;
    Ok(removed.then(|| LeaveOutcome::Closed { person: leaver.clone() }).into())
}

/// Number of other people whom the update's filter names; one of them must still have a seat. A
/// larger number causes fewer conflicts when many people leave at once.
const ENOUGH_OTHERS: usize = 50;

async fn give_up(
    rooms: &Collection<RoomDocument>,
    room: &Room,
    leaver: &Person,
    departing: &LeaveReason,
) -> Result<Attempt<LeaveOutcome>> {
    let who = leaver.id.as_str();
    let mut still_so = doc! { "_id": room.id.as_str() };
    if !leaver.name.bot {
        // The room must still have another person; removing its last one is another operation.
        let others = room.others(&leaver.id).take(ENOUGH_OTHERS);
        let others: Vec<&str> = others.map(|person| person.id.as_str()).collect();
        still_so.insert("people.id", doc! { "$in": others });
    }
    let mut seats = vec![doc! { "people": seat_that_may_go(leaver, departing) }];
    let mut update = doc! { "$pull": { "people": { "id": who } } };
    let heir = room.owner_after(&leaver.id);
    if let Some(heir) = heir {
        still_so.insert("owner.id", who);
        seats.push(doc! { "people": seat_of(room, heir) });
        update.insert("$set", new_owner(heir)?);
    } else if room.owner.id != leaver.id {
        still_so.insert("owner.id", doc! { "$ne": who });
    }
    still_so.insert("$and", seats);
    if let LeaveReason::KickedBy(owner) = departing {
        still_so.insert("owner.id", owner.as_str());
        let mut shut_out = doc! { "kicked": who };
        if let Some(network) = room.seat(&leaver.id).and_then(|seat| seat.network.as_ref()) {
            shut_out.insert("kickedNetworks", network.as_str());
        }
        update.insert("$addToSet", shut_out);
    }
    let changed =
        rooms.find_one_and_update(still_so, update).return_document(ReturnDocument::After).await?;
    let Some(after) = changed else { return Ok(Attempt::Conflict) };
    Ok(Attempt::Settled(LeaveOutcome::Left {
        person: leaver.clone(),
        room: after.room()?,
        new_owner: heir.is_some(),
    }))
}

/// Matches this person's current seat only: somebody who left and came back has a later one.
fn seat_of(room: &Room, person: &Person) -> Document {
    let mut seat = doc! { "id": person.id.as_str() };
    if let Some(now) = room.seat(&person.id) {
        seat.insert("since", date(now.since));
    }
    doc! { "$elemMatch": seat }
}

fn new_owner(heir: &Person) -> Result<Document> {
    let heir = serialize_to_bson(&PersonDocument::from(heir)).map_err(Error::new)?;
    Ok(doc! { "owner": heir })
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

async fn try_to_hand_over(
    rooms: &Collection<RoomDocument>,
    room: &RoomId,
    from: &PersonId,
    to: &PersonId,
) -> Result<Attempt<std::result::Result<Room, OwnerActionError>>> {
    let Some(room) = rooms::room(rooms, room).await? else {
        return Ok(Attempt::Settled(Err(OwnerActionError::NoSuchRoom)));
    };
    let heir = match room.handed_over(from, to) {
        Ok(heir) => heir,
        Err(undone) => return Ok(Attempt::Settled(Err(undone))),
    };
    let still_so = doc! {
        "_id": room.id.as_str(),
        "owner.id": from.as_str(),
        "people": seat_of(&room, heir),
    };
    let update = doc! { "$set": new_owner(heir)? };
    let changed =
        rooms.find_one_and_update(still_so, update).return_document(ReturnDocument::After).await?;
    let Some(after) = changed else { return Ok(Attempt::Conflict) };
    Ok(Attempt::Settled(Ok(after.room()?)))
}
