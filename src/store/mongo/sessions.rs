//! Sessions.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use futures_util::TryStreamExt as _;
use mongodb::{
    Collection,
    bson::{DateTime, doc},
    error::{Error as DriverError, ErrorKind, WriteFailure},
};
use serde::{Deserialize, Serialize};

use super::{
    room_document::{date, timestamp},
    rooms::Named,
};
use crate::{
    domain::Timestamp,
    store::{Result, SessionRow},
};

pub(super) const DUPLICATE_KEY: i32 = 11_000;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionDocument {
    #[serde(rename = "_id")]
    key: String,
    data: serde_json::Map<String, serde_json::Value>,
    expires_at: DateTime,
}

impl From<SessionRow> for SessionDocument {
    fn from(row: SessionRow) -> Self {
        Self { key: row.key, data: row.data, expires_at: date(row.expires_at) }
    }
}

impl From<SessionDocument> for SessionRow {
    fn from(document: SessionDocument) -> Self {
        Self { key: document.key, data: document.data, expires_at: timestamp(document.expires_at) }
    }
}

pub(super) async fn create(
    sessions: &Collection<SessionDocument>,
    session: SessionRow,
) -> Result<bool> {
    match sessions.insert_one(SessionDocument::from(session)).await {
        Ok(_) => Ok(true),
        Err(cause) if is_taken(&cause) => Ok(false),
        Err(cause) => Err(cause.into()),
    }
}

fn is_taken(error: &DriverError) -> bool {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(failed)) => failed.code == DUPLICATE_KEY,
        _ => false,
    }
}

pub(super) async fn save(
    sessions: &Collection<SessionDocument>,
    session: SessionRow,
) -> Result<()> {
    let session = SessionDocument::from(session);
    sessions.replace_one(doc! { "_id": &session.key }, &session).upsert(true).await?;
    Ok(())
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

pub(super) async fn ended(
    sessions: &Collection<SessionDocument>,
    keys: Vec<Arc<str>>,
    now: Timestamp,
) -> Result<Vec<Arc<str>>> {
    let asked: Vec<&str> = keys.iter().map(AsRef::as_ref).collect();
    let alive = doc! { "_id": { "$in": asked }, "expiresAt": { "$gt": date(now) } };
    // Usually no session has ended, and a count is enough to know.
    if sessions.count_documents(alive.clone()).await? == keys.len() as u64 {
        return Ok(Vec::new());
    }
    let sessions = sessions.clone_with_type::<Named>();
    let found = sessions.find(alive).projection(doc! { "_id": 1 }).await?;
    let living: HashSet<String> = found.map_ok(|session| session.id).try_collect().await?;
    Ok(keys.into_iter().filter(|key| !living.contains(key.as_ref())).collect())
}

pub(super) async fn prolong(
    sessions: &Collection<SessionDocument>,
    key: &str,
    until: Timestamp,
) -> Result<()> {
    let update = doc! { "$max": { "expiresAt": date(until) } };
    sessions.update_one(doc! { "_id": key }, update).await?;
    Ok(())
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
