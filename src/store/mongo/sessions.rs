//! Sessions.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use mongodb::{
    Collection,
    bson::{DateTime, doc},
    error::{Error as DriverError, ErrorKind, WriteFailure},
};
use serde::{Deserialize, Serialize};

use super::{
    MongoStore,
    connection::with_deadline,
    room_document::{date, timestamp},
    rooms::Named,
    tokens,
};
use crate::{
    domain::Timestamp,
    store::{Result, SessionRow, SessionStore},
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

    async fn save_session(&self, session: SessionRow) -> Result<()> {
        with_deadline(async {
            let session = SessionDocument::from(session);
            self.sessions.replace_one(doc! { "_id": &session.key }, &session).await?;
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
