//! Seats: entering, disconnecting and leaving.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use super::{SqliteStore, rooms, rows};
use crate::{
    domain::{
        EntryError, EntryRequest, NetworkHash, OwnerActionError, Person, PersonId, Room, RoomId,
        SocketId, Timestamp,
    },
    store::{DisconnectOutcome, EnterOutcome, Entry, LeaveOutcome, LeaveReason, Result, SeatStore},
};

#[async_trait]
impl SeatStore for SqliteStore {
    async fn enter(&self, entry: Entry) -> Result<EnterOutcome> {
        self.write(move |db| enter(db, &entry)).await
    }

    async fn drop_socket(
        &self,
        room: &RoomId,
        person: &PersonId,
        socket: &SocketId,
        at: Timestamp,
    ) -> Result<DisconnectOutcome> {
        let (room, person, socket) = (room.clone(), person.clone(), socket.clone());
        self.write(move |db| {
            let gone = db
                .prepare_cached("DELETE FROM sockets WHERE room = ? AND person = ? AND id = ?")?
                .execute([room.as_str(), person.as_str(), socket.as_str()])?;
            if gone == 0 {
                return Ok(DisconnectOutcome::Unknown);
            }
            let away = db
                .prepare_cached(
                    "UPDATE seats SET left_at = :at WHERE room = :room AND person = :person
                     AND NOT EXISTS (SELECT 1 FROM sockets WHERE room = :room AND person = :person)",
                )?
                .execute(named_params! {
                    ":at": at.as_millis(), ":room": room.as_str(), ":person": person.as_str(),
                })?;
            Ok(if away > 0 { DisconnectOutcome::Away } else { DisconnectOutcome::StillThere })
        })
        .await
    }

    async fn depart(
        &self,
        room: &RoomId,
        person: &PersonId,
        departing: LeaveReason,
    ) -> Result<LeaveOutcome> {
        let (room, person) = (room.clone(), person.clone());
        self.write(move |db| depart(db, &room, &person, &departing)).await
    }

    async fn replace_absent_owner(&self, room: &RoomId) -> Result<Option<Person>> {
        let room = room.clone();
        self.write(move |db| {
            let Some(room) = rooms::room(db, &room)? else { return Ok(None) };
            if room.seat(&room.owner.id).is_some() {
                return Ok(None);
            }
            let heir = room.owner_after(&room.owner.id).cloned();
            if let Some(heir) = &heir {
                set_owner(db, &room.id, heir)?;
            }
            Ok(heir)
        })
        .await
    }

    async fn hand_over(
        &self,
        room: &RoomId,
        from: &PersonId,
        to: &PersonId,
    ) -> Result<std::result::Result<Room, OwnerActionError>> {
        let (room, from, to) = (room.clone(), from.clone(), to.clone());
        self.write(move |db| {
            let Some(room) = rooms::room(db, &room)? else {
                return Ok(Err(OwnerActionError::NoSuchRoom));
            };
            let heir = match room.handed_over(&from, &to) {
                Ok(heir) => heir.clone(),
                Err(undone) => return Ok(Err(undone)),
            };
            set_owner(db, &room.id, &heir)?;
            Ok(Ok(Room { owner: heir, ..room }))
        })
        .await
    }
}

fn enter(db: &Connection, entry: &Entry) -> rusqlite::Result<EnterOutcome> {
    let Some(room) = rooms::room(db, &entry.room)? else {
        return Ok(EnterOutcome::Refused(EntryError::NoSuchRoom));
    };
    let authorize = EntryRequest {
        person: &entry.person.id,
        maker: entry.maker.as_ref(),
        passed: entry.passed.as_ref(),
        network: entry.network.as_ref(),
    };
    if let Err(refusal) = room.admit(authorize) {
        return Ok(EnterOutcome::Refused(refusal));
    }
    let seated = room.seat(&entry.person.id).map(|seat| seat.person.clone());
    let person = match &seated {
        Some(person) => come_back(db, entry, person)?,
        None => sit_down(db, &room, entry)?,
    };
    db.prepare_cached(
        "INSERT OR IGNORE INTO sockets (room, person, id, node) VALUES (?, ?, ?, ?)",
    )?
    .execute([
        entry.room.as_str(),
        entry.person.id.as_str(),
        entry.socket.as_str(),
        entry.node.as_str(),
    ])?;
    let room = existing(db, &entry.room)?;
    Ok(match seated {
        Some(_) => EnterOutcome::Returned { person, room },
        None => EnterOutcome::Newcomer { person, room },
    })
}

fn come_back(db: &Connection, entry: &Entry, person: &Person) -> rusqlite::Result<Person> {
    db.prepare_cached(
        "UPDATE seats SET left_at = NULL, network = coalesce(?, network)
         WHERE room = ? AND person = ?",
    )?
    .execute(params![
        entry.network.as_ref().map(NetworkHash::as_str),
        entry.room.as_str(),
        person.id.as_str(),
    ])?;
    Ok(person.clone())
}

fn sit_down(db: &Connection, room: &Room, entry: &Entry) -> rusqlite::Result<Person> {
    let person = Person { name: room.name_for(&entry.person), ..entry.person.clone() };
    db.prepare_cached(
        "INSERT INTO seats (room, person, color, name, since, network) VALUES (?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        room.id.as_str(),
        person.id.as_str(),
        person.color.hex(),
        person.name.to_string(),
        entry.at.as_millis(),
        entry.network.as_ref().map(NetworkHash::as_str),
    ])?;
    Ok(person)
}

/// A room that this transaction has already read.
fn existing(db: &Connection, id: &RoomId) -> rusqlite::Result<Room> {
    rooms::room(db, id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

fn depart(
    db: &Connection,
    room: &RoomId,
    person: &PersonId,
    departing: &LeaveReason,
) -> rusqlite::Result<LeaveOutcome> {
    let away_since = match departing {
        LeaveReason::IfAwaySince(at) => Some(at.as_millis()),
        LeaveReason::Now => None,
        LeaveReason::KickedBy(owner) => {
            let mut owns = db.prepare_cached("SELECT owner_id = ? FROM rooms WHERE id = ?")?;
            let owns = owns.query_row([owner.as_str(), room.as_str()], |row| row.get(0));
            if owns.optional()? == Some(false) {
                return Ok(LeaveOutcome::NotOwner);
            }
            None
        }
    };
    let leaver = db
        .prepare_cached(
            "DELETE FROM seats WHERE room = :room AND person = :person
             AND (:away IS NULL OR left_at <= :away) RETURNING person, color, name, network",
        )?
        .query_row(
            named_params! { ":room": room.as_str(), ":person": person.as_str(), ":away": away_since },
            |row| {
                let leaver = rows::person(row, ["person", "color", "name"])?;
                Ok((leaver, row.get::<_, Option<String>>("network")?))
            },
        )
        .optional()?;
    let Some((leaver, network)) = leaver else { return Ok(LeaveOutcome::Stayed) };
    if matches!(departing, LeaveReason::KickedBy(_)) {
        db.prepare_cached("INSERT OR IGNORE INTO kicked (room, person) VALUES (?, ?)")?
            .execute([room.as_str(), person.as_str()])?;
        if let Some(network) = network {
            let remember = "INSERT OR IGNORE INTO kicked_networks (room, network) VALUES (?, ?)";
            db.prepare_cached(remember)?.execute([room.as_str(), &network])?;
        }
    }
    let left = existing(db, room)?;
    if left.ends_with(&leaver) {
        db.prepare_cached("DELETE FROM rooms WHERE id = ?")?.execute([room.as_str()])?;
        return Ok(LeaveOutcome::Closed { person: leaver });
    }
    let Some(heir) = left.owner_after(person).cloned() else {
        return Ok(LeaveOutcome::Left { person: leaver, room: left, new_owner: false });
    };
    set_owner(db, room, &heir)?;
    Ok(LeaveOutcome::Left { person: leaver, room: Room { owner: heir, ..left }, new_owner: true })
}

fn set_owner(db: &Connection, room: &RoomId, owner: &Person) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE rooms SET owner_id = ?, owner_color = ?, owner_name = ? WHERE id = ?",
    )?
    .execute(params![
        owner.id.as_str(),
        owner.color.hex(),
        owner.name.to_string(),
        room.as_str()
    ])?;
    Ok(())
}
