//! Creating, listing, reading and removing rooms.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use super::{SqliteStore, rows};
use crate::{
    domain::{
        Capacity, NetworkHash, NodeId, OwnerActionError, PasswordHash, PersonId, Room, RoomChange,
        RoomId, RoomSummary, RoomTitle, Seat, SeatSocket, SocketId, Timestamp,
    },
    store::{Changed, Closing, LobbyPage, LobbyQuery, NewRoom, Result, RoomStore},
};

#[async_trait]
impl RoomStore for SqliteStore {
    async fn open(&self, room: NewRoom, at_most: usize) -> Result<bool> {
        self.write(move |db| {
            let rooms: usize = db.query_row("SELECT count(*) FROM rooms", [], |row| row.get(0))?;
            if rooms >= at_most {
                return Ok(false);
            }
            db.prepare_cached(
                "INSERT INTO rooms (id, title, max, owner_id, owner_color, owner_name, password,
                                    created_at, empty_since)
                 VALUES (:id, :title, :max, :owner, :color, :name, :password, :at, :at)",
            )?
            .execute(named_params! {
                ":id": room.id.as_str(),
                ":title": room.title.as_str(),
                ":max": room.max.get(),
                ":owner": room.owner.id.as_str(),
                ":color": room.owner.color.hex(),
                ":name": room.owner.name.to_string(),
                ":password": room.password.as_ref().map(PasswordHash::as_str),
                ":at": room.created_at.as_millis(),
            })?;
            Ok(true)
        })
        .await
    }

    async fn room(&self, id: &RoomId) -> Result<Option<Room>> {
        let id = id.clone();
        self.read(move |db| room(db, &id)).await
    }

    async fn lobby(&self, query: LobbyQuery) -> Result<LobbyPage> {
        self.read(move |db| {
            let search = query.search.to_lowercase();
            let total = db
                .prepare_cached(
                    "SELECT count(*) FROM rooms WHERE :q = '' OR instr(folded(title), :q)",
                )?
                .query_row(named_params! { ":q": search }, |row| row.get(0))?;
            let rooms = db
                .prepare_cached(
                    "SELECT * FROM rooms WHERE :q = '' OR instr(folded(title), :q)
                     ORDER BY people DESC, created_at DESC, id LIMIT :limit OFFSET :skip",
                )?
                .query_map(
                    named_params! { ":q": search, ":limit": query.limit, ":skip": i64::try_from(query.skip).unwrap_or(i64::MAX) },
                    summary,
                )?
                .map(|room| with_colors(db, room?))
                .collect::<rusqlite::Result<_>>()?;
            Ok(LobbyPage { rooms, total })
        })
        .await
    }

    async fn summaries(&self, ids: Vec<RoomId>) -> Result<Vec<RoomSummary>> {
        self.read(move |db| {
            let mut one = db.prepare_cached("SELECT * FROM rooms WHERE id = ?")?;
            ids.iter()
                .filter_map(|id| one.query_row([id.as_str()], summary).optional().transpose())
                .map(|room| with_colors(db, room?))
                .collect()
        })
        .await
    }

    async fn close(&self, room: &RoomId, closing: Closing) -> Result<bool> {
        let room = room.clone();
        self.write(move |db| {
            let (owner, unused_since) = match &closing {
                Closing::By(owner) => (Some(owner.as_str()), None),
                Closing::IfUnusedSince(at) => (None, Some(at.as_millis())),
            };
            let removed = db
                .prepare_cached(
                    "DELETE FROM rooms WHERE id = :id
                     AND (owner_id = :owner OR empty_since <= :unused)",
                )?
                .execute(named_params! { ":id": room.as_str(), ":owner": owner, ":unused": unused_since })?;
            Ok(removed > 0)
        })
        .await
    }

    async fn change(
        &self,
        room: &RoomId,
        by: &PersonId,
        change: RoomChange,
    ) -> Result<std::result::Result<Changed, OwnerActionError>> {
        let (id, by) = (room.clone(), by.clone());
        self.write(move |db| {
            let Some(before) = self::room(db, &id)? else {
                return Ok(Err(OwnerActionError::NoSuchRoom));
            };
            if let Err(undone) = before.may_change(&by, &change) {
                return Ok(Err(undone));
            }
            let password = change.password.as_ref().map(|password| password.as_ref());
            db.prepare_cached(
                "UPDATE rooms SET title = coalesce(:title, title), max = coalesce(:max, max),
                                  locked = coalesce(:locked, locked),
                                  password = CASE WHEN :sets_password THEN :password
                                                  ELSE password END
                 WHERE id = :id",
            )?
            .execute(named_params! {
                ":id": id.as_str(),
                ":title": change.title.as_ref().map(RoomTitle::as_str),
                ":max": change.max.map(Capacity::get),
                ":locked": change.locked,
                ":sets_password": password.is_some(),
                ":password": password.flatten().map(PasswordHash::as_str),
            })?;
            let after = self::room(db, &id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            Ok(Ok(Changed { before, after }))
        })
        .await
    }

    async fn overdue(&self, away_since: Timestamp, unused_since: Timestamp) -> Result<Vec<RoomId>> {
        self.read(move |db| {
            db.prepare_cached(
                "SELECT room FROM seats WHERE left_at <= ?
                 UNION SELECT id FROM rooms WHERE empty_since <= ?",
            )?
            .query_map([away_since.as_millis(), unused_since.as_millis()], |row| {
                rows::room_id(row, "room")
            })?
            .collect()
        })
        .await
    }

    async fn rooms_of(&self, person: &PersonId) -> Result<Vec<Room>> {
        let person = person.clone();
        self.read(move |db| {
            let ids: Vec<RoomId> = db
                .prepare_cached("SELECT room FROM seats WHERE person = ? ORDER BY room")?
                .query_map([person.as_str()], |row| rows::room_id(row, "room"))?
                .collect::<rusqlite::Result<_>>()?;
            let rooms = ids.iter().map(|id| room(db, id).transpose());
            rooms.flatten().collect()
        })
        .await
    }
}

pub(super) fn room(db: &Connection, id: &RoomId) -> rusqlite::Result<Option<Room>> {
    let found = db
        .prepare_cached("SELECT * FROM rooms WHERE id = ?")?
        .query_row([id.as_str()], |row| {
            Ok(Room {
                id: id.clone(),
                title: rows::title(row)?,
                max: Capacity::new(row.get("max")?),
                owner: rows::person(row, ["owner_id", "owner_color", "owner_name"])?,
                password: row.get::<_, Option<String>>("password")?.map(PasswordHash::new),
                locked: row.get("locked")?,
                people: Vec::new(),
                kicked: Vec::new(),
                kicked_networks: Vec::new(),
                created_at: rows::timestamp(row, "created_at")?,
                empty_since: rows::maybe_timestamp(row, "empty_since")?,
            })
        })
        .optional()?;
    let Some(mut room) = found else { return Ok(None) };
    room.people = seats(db, id)?;
    room.kicked = db
        .prepare_cached("SELECT person FROM kicked WHERE room = ? ORDER BY person")?
        .query_map([id.as_str()], |row| rows::person_id(row, "person"))?
        .collect::<rusqlite::Result<_>>()?;
    room.kicked_networks = db
        .prepare_cached("SELECT network FROM kicked_networks WHERE room = ? ORDER BY network")?
        .query_map([id.as_str()], |row| Ok(NetworkHash::new(row.get::<_, String>("network")?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(room))
}

fn seats(db: &Connection, room: &RoomId) -> rusqlite::Result<Vec<Seat>> {
    let mut people: Vec<Seat> = Vec::new();
    let mut statement = db.prepare_cached(
        "SELECT seats.*, sockets.id AS socket, sockets.node FROM seats
         LEFT JOIN sockets ON sockets.room = seats.room AND sockets.person = seats.person
         WHERE seats.room = ? ORDER BY seats.place, sockets.id",
    )?;
    let mut found = statement.query([room.as_str()])?;
    while let Some(row) = found.next()? {
        let person = rows::person(row, ["person", "color", "name"])?;
        if people.last().is_none_or(|seat| seat.person.id != person.id) {
            people.push(Seat {
                person,
                sockets: Vec::new(),
                since: rows::timestamp(row, "since")?,
                left_at: rows::maybe_timestamp(row, "left_at")?,
                network: row.get::<_, Option<String>>("network")?.map(NetworkHash::new),
            });
        }
        if let (Some(id), Some(seat)) = (row.get::<_, Option<String>>("socket")?, people.last_mut())
        {
            let node = NodeId::new(row.get::<_, String>("node")?);
            seat.sockets.push(SeatSocket { id: SocketId::new(id), node });
        }
    }
    Ok(people)
}

/// A summary from its columns, without colours.
fn summary(row: &Row<'_>) -> rusqlite::Result<RoomSummary> {
    Ok(RoomSummary {
        id: rows::room_id(row, "id")?,
        title: rows::title(row)?,
        max: Capacity::new(row.get("max")?),
        count: row.get("people")?,
        colors: Vec::new(),
        owner: rows::person(row, ["owner_id", "owner_color", "owner_name"])?,
        has_password: row.get::<_, Option<String>>("password")?.is_some(),
        locked: row.get("locked")?,
        created_at: rows::timestamp(row, "created_at")?,
    })
}

fn with_colors(db: &Connection, mut room: RoomSummary) -> rusqlite::Result<RoomSummary> {
    room.colors = db
        .prepare_cached(
            "SELECT person, color, name FROM seats WHERE room = ? ORDER BY place LIMIT ?",
        )?
        .query_map(params![room.id.as_str(), RoomSummary::MAX_COLORS], |row| {
            Ok(rows::person(row, ["person", "color", "name"])?.color)
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(room)
}
