//! Messages: appending, deletion and histories.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use super::{SqliteStore, rows};
use crate::{
    domain::{
        AppendError, Body, Draft, Gif, History, Message, Person, PersonId, RoomId, Seq, Window,
    },
    store::{Appended, DeleteOutcome, MessageStore, Result, Trimmed},
};

#[async_trait]
impl MessageStore for SqliteStore {
    async fn delete_message(
        &self,
        room: &RoomId,
        seq: Seq,
        who: &PersonId,
        owner: bool,
    ) -> Result<DeleteOutcome> {
        let (room, who) = (room.clone(), who.clone());
        self.write(move |db| {
            let found = db
                .prepare_cached("SELECT * FROM chats WHERE room = ? AND seq = ?")?
                .query_row(params![room.as_str(), seq], rows::message)
                .optional()?;
            let Some(message) = found.filter(|message| message.is_seen_by(&who)) else {
                return Ok(DeleteOutcome::NoSuchMessage);
            };
            let Some(emptied) = message.deleted_by(&who, owner) else {
                return Ok(DeleteOutcome::NotTheirs);
            };
            db.prepare_cached(
                "UPDATE chats SET chat = NULL, gif = NULL WHERE room = ? AND seq = ?",
            )?
            .execute(params![room.as_str(), seq])?;
            let unused = match message.body {
                Body::Gif(gif) if !shows(db, &room, &gif)? => Some(gif),
                _ => None,
            };
            Ok(DeleteOutcome::Deleted { message: emptied, unused })
        })
        .await
    }

    async fn shows(&self, room: &RoomId, gif: &Gif) -> Result<bool> {
        let (room, gif) = (room.clone(), gif.clone());
        self.write(move |db| shows(db, &room, &gif)).await
    }

    async fn append(&self, room: &RoomId, drafts: Vec<Draft>) -> Result<Vec<Appended>> {
        let room = room.clone();
        self.write(move |db| append(db, &room, drafts)).await
    }

    async fn latest_public_seq(&self, room: &RoomId) -> Result<Option<Seq>> {
        let room = room.clone();
        self.read(move |db| Ok(counters(db, &room)?.map(|(_, head)| head))).await
    }

    async fn history(&self, room: &RoomId, viewer: &PersonId, window: Window) -> Result<History> {
        let (room, viewer) = (room.clone(), viewer.clone());
        self.read(move |db| history(db, &room, &viewer, window)).await
    }

    async fn trim(&self, room: &RoomId, up_to: Seq, at_most: usize) -> Result<Trimmed> {
        let room = room.clone();
        self.write(move |db| {
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
        for hash in shown(db, &room)? {
            unused.remove(&hash);
        }
    }
    Ok(Trimmed { unused: unused.into_values().collect(), more })
}).await
    }

    async fn purge(&self, room: &RoomId) -> Result<()> {
        let room = room.clone();
        self.write(move |db| {
            db.prepare_cached(
                "DELETE FROM chats WHERE room = :room
                 AND NOT EXISTS (SELECT 1 FROM rooms WHERE id = :room)",
            )?
            .execute(named_params! { ":room": room.as_str() })?;
            Ok(())
        })
        .await?;
        self.writer.erase_log();
        Ok(())
    }

    async fn orphans(&self) -> Result<Vec<RoomId>> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT DISTINCT room FROM chats WHERE room NOT IN (SELECT id FROM rooms)",
            )?
            .query_map([], |row| rows::room_id(row, "room"))?
            .collect()
        })
        .await
    }
}

fn append(db: &Connection, room: &RoomId, drafts: Vec<Draft>) -> rusqlite::Result<Vec<Appended>> {
    let Some((mut seq, mut head)) = counters(db, room)? else {
        return Ok(drafts.iter().map(|_| Appended::AppendError(AppendError::NoSuchRoom)).collect());
    };
    let mut outcomes = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let id = rows::message_id(room, seq + 1);
        let attempt = draft.resolve(room, id, seq + 1, |person| seated(db, room, person))?;
        let stored = match &attempt {
            Ok(message) => insert(db, message)?,
            Err(_) => false,
        };
        outcomes.push(match attempt {
            Ok(message) if stored => {
                let prev = head;
                seq = message.seq;
                head = if message.is_public() { seq } else { head };
                Appended::Stored { message, prev }
            }
            // An author who has left may still retry a stored message.
            attempt => match (said_before(db, room, &draft)?, attempt) {
                (Some(message), _) => Appended::Already(message),
                (None, Err(rejected)) => Appended::AppendError(rejected),
                (None, Ok(_)) => return Err(rusqlite::Error::QueryReturnedNoRows),
            },
        });
    }
    db.prepare_cached("UPDATE rooms SET seq = ?, head = ? WHERE id = ?")?.execute(params![
        seq,
        head,
        room.as_str()
    ])?;
    Ok(outcomes)
}

/// A room's newest message number, and the newest number of a public message.
fn counters(db: &Connection, room: &RoomId) -> rusqlite::Result<Option<(Seq, Seq)>> {
    db.prepare_cached("SELECT seq, head FROM rooms WHERE id = ?")?
        .query_row([room.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

fn said_before(db: &Connection, room: &RoomId, draft: &Draft) -> rusqlite::Result<Option<Message>> {
    let Some(client_id) = &draft.client_id else { return Ok(None) };
    let author = draft.author_id();
    db.prepare_cached("SELECT * FROM chats WHERE room = ? AND user = ? AND client_id = ?")?
        .query_row([room.as_str(), author.as_str(), client_id.as_str()], rows::message)
        .optional()
}

fn seated(db: &Connection, room: &RoomId, person: &PersonId) -> rusqlite::Result<Option<Person>> {
    db.prepare_cached("SELECT person, color, name FROM seats WHERE room = ? AND person = ?")?
        .query_row([room.as_str(), person.as_str()], |row| {
            rows::person(row, ["person", "color", "name"])
        })
        .optional()
}

/// Inserts a message unless its author already sent one with its client id; returns whether it did.
fn insert(db: &Connection, message: &Message) -> rusqlite::Result<bool> {
    let (words, gif, other) = match &message.body {
        Body::Text(text) => (Some(text.as_str()), None, None),
        Body::Gif(gif) => (None, Some(rows::gif_column(gif)?), None),
        Body::System { code, person } => (Some(code.code()), None, Some(person)),
        Body::Whisper { to, text } => (Some(text.as_str()), None, Some(to)),
        Body::DeletedText | Body::DeletedGif => (None, None, None),
        Body::DeletedWhisper { to } => (None, None, Some(to)),
    };
    let stored = db
        .prepare_cached(
        "INSERT INTO chats (room, seq, kind, user, color, name, chat, gif, to_id, to_color, to_name,
                            client_id, created_at)
         VALUES (:room, :seq, :kind, :user, :color, :name, :chat, :gif, :to_id, :to_color, :to_name,
                 :client_id, :at)
         ON CONFLICT (room, user, client_id) WHERE client_id IS NOT NULL DO NOTHING",
    )?
    .execute(named_params! {
        ":room": message.room.as_str(),
        ":seq": message.seq,
        ":kind": message.body.kind(),
        ":user": message.by.id.as_str(),
        ":color": message.by.color.hex(),
        ":name": message.by.name.to_string(),
        ":chat": words,
        ":gif": gif,
        ":to_id": other.map(|person| person.id.as_str()),
        ":to_color": other.map(|person| person.color.hex()),
        ":to_name": other.map(|person| person.name.to_string()),
        ":client_id": message.client_id.as_ref().map(crate::domain::ClientId::as_str),
        ":at": message.at.as_millis(),
    })?;
    Ok(stored > 0)
}

/// Whether any message of the room shows this GIF.
fn shows(db: &Connection, room: &RoomId, gif: &Gif) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM chats WHERE room = ? AND json_extract(gif, '$.hash') = ?")?
        .exists([room.as_str(), &gif.hash])
}

fn history(
    db: &Connection,
    room: &RoomId,
    viewer: &PersonId,
    window: Window,
) -> rusqlite::Result<History> {
    let (sql, edge) = match window {
        Window::Latest { before, .. } => (
            "SELECT * FROM chats WHERE room = :room AND seq < :edge
             AND (kind <> 'whisper' OR user = :viewer OR to_id = :viewer)
             ORDER BY seq DESC LIMIT :limit",
            before.unwrap_or(Seq::MAX),
        ),
        Window::After { after, .. } => (
            "SELECT * FROM chats WHERE room = :room AND seq > :edge
             AND (kind <> 'whisper' OR user = :viewer OR to_id = :viewer)
             ORDER BY seq LIMIT :limit",
            after,
        ),
    };
    let mut messages: Vec<Message> = db
        .prepare_cached(sql)?
        .query_map(
            named_params! {
                ":room": room.as_str(),
                ":viewer": viewer.as_str(),
                ":edge": edge,
                ":limit": window.limit() + 1, // One more shows whether there are more.
            },
            rows::message,
        )?
        .collect::<rusqlite::Result<_>>()?;
    let more = messages.len() > window.limit();
    messages.truncate(window.limit());
    if matches!(window, Window::Latest { .. }) {
        messages.reverse();
    }
    Ok(History { messages, more })
}

/// The hashes of all GIFs that messages of the room show.
fn shown(db: &Connection, room: &RoomId) -> rusqlite::Result<HashSet<String>> {
    db.prepare_cached(
        "SELECT DISTINCT json_extract(gif, '$.hash') FROM chats WHERE room = ? AND gif IS NOT NULL",
    )?
    .query_map([room.as_str()], |row| row.get(0))?
    .collect()
}
