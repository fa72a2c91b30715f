//! Sessions.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use mongodb::{
    Collection,
    bson::{Bson, DateTime, Document, doc, serialize_to_bson},
    error::{Error as DriverError, ErrorKind, WriteFailure},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    MongoStore,
    connection::with_deadline,
    room_document::{date, timestamp},
    rooms::Named,
    tokens,
};
use crate::{
    domain::{RoomId, Timestamp},
    store::{Error, Result, SessionRow, SessionStore},
};

#[async_trait]
impl SessionStore for MongoStore {
    async fn create_session(&self, session: SessionRow) -> Result<bool> {
        with_deadline(async {
            match self.sessions.insert_one(SessionDocument::from(session)).await {
                Ok(_) => Ok(true),
                Err(cause) if is_taken(&cause) => Ok(false),
                Err(cause) => Err(cause.into()),
            }
        })
        .await
    }

    async fn patch_session(
        &self,
        key: &str,
        patch: Map<String, Value>,
        until: Timestamp,
    ) -> Result<()> {
        with_deadline(async {
            let (mut set, mut unset) = (doc! {}, doc! {});
            flatten("data", patch, &mut set, &mut unset)?;
            let mut update = doc! { "$max": { "expiresAt": date(until) } };
            let changes = [("$set", set), ("$unset", unset)];
            update.extend(
                changes
                    .into_iter()
                    .filter(|(_, fields)| !fields.is_empty())
                    .map(|(operator, fields)| (operator.to_owned(), Bson::Document(fields))),
            );
            self.sessions.update_one(doc! { "_id": key }, update).await?;
            Ok(())
        })
        .await
    }

    /// The check at the end comes after the write, and a purge removes passes after its room: one of
    /// the two sees the other, so that no pass outlives its room.
    async fn add_pass(
        &self,
        session: &str,
        room: &RoomId,
        pass: &str,
        at_most: usize,
    ) -> Result<()> {
        with_deadline(async {
            let room = room.as_str();
            let first = doc! { "_id": session, "data.passes.room": { "$ne": room } };
            let newest = i64::try_from(at_most).unwrap_or(i64::MAX);
            let push = doc! { "$push": { "data.passes": {
                "$each": [{ "room": room, "pass": pass }], "$slice": -newest,
            } } };
            if self.sessions.update_one(first, push).await?.matched_count == 0 {
                let replace = doc! { "$set": { "data.passes.$[old].pass": pass } };
                self.sessions
                    .update_one(doc! { "_id": session, "data.passes.room": room }, replace)
                    .array_filters([doc! { "old.room": room }])
                    .await?;
            }
            let rooms = self.rooms.clone_with_type::<Named>();
            let there = rooms.find_one(doc! { "_id": room }).projection(doc! { "_id": 1 }).await?;
            if there.is_none() {
                forget_passes(&self.sessions, room).await?;
            }
            Ok(())
        })
        .await
    }

    async fn session(&self, key: &str, now: Timestamp) -> Result<Option<SessionRow>> {
        let found = with_deadline(self.session_loader.ask(key.to_owned())).await?;
        Ok(found.filter(|session| session.expires_at > now))
    }

    async fn ended_sessions(&self, keys: Vec<Arc<str>>, now: Timestamp) -> Result<Vec<Arc<str>>> {
        with_deadline(async {
            let asked: Vec<&str> = keys.iter().map(AsRef::as_ref).collect();
            let alive = doc! { "_id": { "$in": asked }, "expiresAt": { "$gt": date(now) } };
            // Usually no session has ended, and a count is enough to know.
            if self.sessions.count_documents(alive.clone()).await? == keys.len() as u64 {
                return Ok(Vec::new());
            }
            let sessions = self.sessions.clone_with_type::<Named>();
            let found = sessions.find(alive).projection(doc! { "_id": 1 }).await?;
            let living: HashSet<String> = found.map_ok(|session| session.id).try_collect().await?;
            Ok(keys.into_iter().filter(|key| !living.contains(key.as_ref())).collect())
        })
        .await
    }

    async fn prolong_session(&self, key: &str, until: Timestamp) -> Result<()> {
        with_deadline(async {
            let update = doc! { "$max": { "expiresAt": date(until) } };
            self.sessions.update_one(doc! { "_id": key }, update).await?;
            Ok(())
        })
        .await
    }

    /// Deletes the session first: tokens without a session are invalid.
    async fn delete_session(&self, key: &str) -> Result<()> {
        with_deadline(delete(&self.sessions, key)).await?;
        with_deadline(tokens::delete(&self.tokens, key, None)).await?;
        Ok(())
    }

    async fn delete_expired_sessions(&self, now: Timestamp) -> Result<()> {
        with_deadline(delete_expired(&self.sessions, now)).await?;
        with_deadline(tokens::delete_expired(&self.tokens, now)).await
    }
}

pub(super) const DUPLICATE_KEY: i32 = 11_000;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionDocument {
    #[serde(rename = "_id")]
    key: String,
    data: Map<String, Value>,
    expires_at: DateTime,
}

/// The name of the passes among a session's values.
const PASSES: &str = "passes";

#[derive(Debug, Deserialize)]
struct PassDocument {
    room: String,
    pass: String,
}

impl From<SessionRow> for SessionDocument {
    fn from(row: SessionRow) -> Self {
        Self { key: row.key, data: row.data, expires_at: date(row.expires_at) }
    }
}

impl From<SessionDocument> for SessionRow {
    fn from(SessionDocument { key, mut data, expires_at }: SessionDocument) -> Self {
        let passes = match data.remove(PASSES) {
            Some(Value::Array(passes)) => passes,
            // No pass was added yet.
            Some(_) | None => Vec::new(),
        };
        // Version 0.1 wrote passes in another form. They are not valid any more.
        let passes = passes.into_iter().filter_map(|pass| {
            let PassDocument { room, pass } = serde_json::from_value(pass).ok()?;
            Some((RoomId::parse(&room).ok()?, pass))
        });
        Self { passes: passes.collect(), key, data, expires_at: timestamp(expires_at) }
    }
}

/// Turns a merge patch of the object at `path` into the fields to set and the fields to remove.
fn flatten(
    path: &str,
    patch: Map<String, Value>,
    set: &mut Document,
    unset: &mut Document,
) -> Result<()> {
    for (name, value) in patch {
        let path = format!("{path}.{name}");
        match value {
            Value::Null => _ = unset.insert(path, ""),
            Value::Object(inner) if !inner.is_empty() => flatten(&path, inner, set, unset)?,
            value => _ = set.insert(path, serialize_to_bson(&value).map_err(Error::new)?),
        }
    }
    Ok(())
}

/// Removes the passes of a room from all sessions.
pub(super) async fn forget_passes(
    sessions: &Collection<SessionDocument>,
    room: &str,
) -> Result<()> {
    let pull = doc! { "$pull": { "data.passes": { "room": room } } };
    sessions.update_many(doc! { "data.passes.room": room }, pull).await?;
    Ok(())
}

/// The rooms that any session has a pass for.
pub(super) async fn passed_rooms(sessions: &Collection<SessionDocument>) -> Result<Vec<String>> {
    let found = sessions.distinct("data.passes.room", doc! {}).await?;
    Ok(found.iter().filter_map(|room| room.as_str().map(ToOwned::to_owned)).collect())
}

fn is_taken(error: &DriverError) -> bool {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(failed)) => failed.code == DUPLICATE_KEY,
        _ => false,
    }
}

/// The sessions with these keys, including expired ones, in the order of the keys.
pub(super) async fn load(
    sessions: Collection<SessionDocument>,
    keys: Vec<String>,
) -> Result<Vec<Option<SessionRow>>> {
    let found = sessions.find(doc! { "_id": { "$in": &keys } }).await?;
    let found = found.map_ok(|document| (document.key.clone(), SessionRow::from(document)));
    let found: HashMap<String, SessionRow> = found.try_collect().await?;
    Ok(keys.iter().map(|key| found.get(key).cloned()).collect()) // Keys may repeat.
}

pub(super) async fn delete(sessions: &Collection<SessionDocument>, key: &str) -> Result<()> {
    sessions.delete_one(doc! { "_id": key }).await?;
    Ok(())
}

/// The TTL index also does this once a minute; an explicit call takes effect at once.
pub(super) async fn delete_expired(
    sessions: &Collection<SessionDocument>,
    now: Timestamp,
) -> Result<()> {
    sessions.delete_many(doc! { "expiresAt": { "$lte": date(now) } }).await?;
    Ok(())
}
