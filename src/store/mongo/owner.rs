//! Owner actions, with optimistic concurrency as for seats: read, decide, and write on the
//! condition that the decision still holds.

use mongodb::{Collection, bson::doc, options::ReturnDocument};

use super::{
    room_document::RoomDocument,
    rooms,
    seats::{Attempt, new_owner, retry_on_conflict, seat_of},
};
use crate::{
    domain::{OwnerActionError, PersonId, Room, RoomChange, RoomId},
    store::{Changed, Result},
};

type Done<T> = std::result::Result<T, OwnerActionError>;

pub(super) async fn change(
    rooms: &Collection<RoomDocument>,
    room: &RoomId,
    by: &PersonId,
    change: &RoomChange,
) -> Result<Done<Changed>> {
    retry_on_conflict(|| try_to_change(rooms, room, by, change)).await
}

async fn try_to_change(
    rooms: &Collection<RoomDocument>,
    room: &RoomId,
    by: &PersonId,
    change: &RoomChange,
) -> Result<Attempt<Done<Changed>>> {
    let Some(before) = rooms::room(rooms, room).await? else {
        return Ok(Attempt::Settled(Err(OwnerActionError::NoSuchRoom)));
    };
    if let Err(undone) = before.may_change(by, change) {
        return Ok(Attempt::Settled(Err(undone)));
    }
    let mut still_so = doc! { "_id": room.as_str(), "owner.id": by.as_str() };
    let mut set = doc! {};
    if let Some(title) = &change.title {
        set.insert("title", title.as_str());
    }
    if let Some(max) = change.max {
        still_so.insert(format!("people.{}", max.get()), doc! { "$exists": false });
        set.insert("max", max.get());
    }
    if let Some(locked) = change.locked {
        set.insert("locked", locked);
    }
    let mut update = doc! {};
    match &change.password {
        Some(Some(hash)) => {
            set.insert("password", hash.as_str());
        }
        Some(None) => {
            update.insert("$unset", doc! { "password": "" });
        }
        None => {}
    }
    if !set.is_empty() {
        update.insert("$set", set);
    }
    if update.is_empty() {
        return Ok(Attempt::Settled(Ok(Changed { after: before.clone(), before })));
    }
    let changed =
        rooms.find_one_and_update(still_so, update).return_document(ReturnDocument::After).await?;
    let Some(after) = changed else { return Ok(Attempt::Conflict) };
    Ok(Attempt::Settled(Ok(Changed { before, after: after.room()? })))
}

pub(super) async fn hand_over(
    rooms: &Collection<RoomDocument>,
    room: &RoomId,
    from: &PersonId,
    to: &PersonId,
) -> Result<Done<Room>> {
    retry_on_conflict(|| try_to_hand_over(rooms, room, from, to)).await
}

async fn try_to_hand_over(
    rooms: &Collection<RoomDocument>,
    room: &RoomId,
    from: &PersonId,
    to: &PersonId,
) -> Result<Attempt<Done<Room>>> {
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
