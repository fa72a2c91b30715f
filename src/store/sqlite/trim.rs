//! Trimming of histories that exceed their limit.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, named_params};

use super::rows;
use crate::{
    domain::{Body, Gif, Message, RoomId, Seq},
    store::Trimmed,
};

pub(super) fn trim(
    db: &Connection,
    room: &RoomId,
    up_to: Seq,
    at_most: usize,
) -> rusqlite::Result<Trimmed> {
    let gone: Vec<Message> = db
        .prepare_cached(
            "DELETE FROM chats WHERE room = :room AND seq IN (
                SELECT seq FROM chats WHERE room = :room AND seq <= :up_to ORDER BY seq LIMIT :at_most
             ) RETURNING *",
        )?
        .query_map(
            named_params! { ":room": room.as_str(), ":up_to": up_to, ":at_most": at_most },
            rows::message,
        )?
        .collect::<rusqlite::Result<_>>()?;
    let more = gone.len() == at_most;
    let mut unused: HashMap<String, Gif> = HashMap::new();
    for message in gone {
        if let Body::Gif(gif) = message.body {
            unused.insert(gif.hash.clone(), gif);
        }
    }
    if !unused.is_empty() {
        for hash in shown(db, room)? {
            unused.remove(&hash);
        }
    }
    Ok(Trimmed { unused: unused.into_values().collect(), more })
}

/// The hashes of all GIFs that messages of the room show.
fn shown(db: &Connection, room: &RoomId) -> rusqlite::Result<HashSet<String>> {
    db.prepare_cached(
        "SELECT DISTINCT json_extract(gif, '$.hash') FROM chats WHERE room = ? AND gif IS NOT NULL",
    )?
    .query_map([room.as_str()], |row| row.get(0))?
    .collect()
}
