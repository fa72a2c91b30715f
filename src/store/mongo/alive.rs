//! Sessions that are alive.
//!
//! Every server asks, more than once a second, which of the sessions behind its connections have ended. Of
//! nearly all of them nothing has happened since it asked last. So a change stream tells which sessions
//! somebody has changed or removed, and only of those, of new ones, and of those that may have expired,
//! the database is asked. Whoever does nothing costs nothing.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::TryStreamExt as _;
use moka::sync::Cache;
use mongodb::{
    Collection,
    bson::{DateTime, Document, doc},
    change_stream::event::{ChangeStreamEvent, OperationType},
};
use serde::Deserialize;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;
use tracing::warn;

use super::{
    room_document::{date, timestamp},
    sessions::SessionDocument,
};
use crate::{domain::Timestamp, store::Result};

/// A session is believed to be alive for so long at most, whatever is heard of it: a stream can fall silent
/// without anybody being told.
const BELIEVED_FOR: Duration = Duration::from_secs(30);
/// Longer than it takes to read it.
const CHANGED_FOR: Duration = Duration::from_secs(10);
/// After trouble with the stream; until it is back, the database is asked for all.
const LISTEN_AGAIN_AFTER: Duration = Duration::from_secs(5);
/// So many are believed to be alive at most.
const MAX_BELIEVED: u64 = 1_000_000;

/// Which sessions are alive, as far as is known.
#[derive(Debug)]
pub(super) struct Alive {
    sessions: Collection<SessionDocument>,
    believed: Arc<Believed>,
    _listening: AbortOnDropHandle<()>,
}

#[derive(Debug)]
struct Believed {
    /// When each of them ends, unless something is heard of it.
    until: Cache<Arc<str>, Timestamp>,
    /// Those of which something was heard not long ago: what is being read of them may be older than that.
    changed: Cache<String, ()>,
    /// Whether anything would be heard.
    listening: AtomicBool,
    /// How often all was forgotten.
    forgotten: AtomicU64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lasting {
    #[serde(rename = "_id")]
    key: String,
    expires_at: DateTime,
}

impl Alive {
    /// Listens until this is dropped.
    pub(super) fn new(sessions: Collection<SessionDocument>) -> Self {
        let believed = Arc::new(Believed {
            until: Cache::builder().max_capacity(MAX_BELIEVED).time_to_live(BELIEVED_FOR).build(),
            changed: Cache::builder().time_to_live(CHANGED_FOR).build(),
            listening: AtomicBool::new(false),
            forgotten: AtomicU64::new(0),
        });
        let listening = tokio::spawn(believed.clone().listen(sessions.clone_with_type()));
        Self { sessions, believed, _listening: AbortOnDropHandle::new(listening) }
    }

    /// Those of these keys whose sessions are gone or have expired at `now`.
    pub(super) async fn ended(
        &self,
        mut keys: Vec<Arc<str>>,
        now: Timestamp,
    ) -> Result<Vec<Arc<str>>> {
        let Believed { until, changed, listening, forgotten } = &*self.believed;
        keys.retain(|key| until.get(key).is_none_or(|until| until <= now));
        if keys.is_empty() {
            return Ok(keys);
        }
        let before = forgotten.load(Ordering::SeqCst);
        let listening = listening.load(Ordering::SeqCst);
        let asked: Vec<&str> = keys.iter().map(AsRef::as_ref).collect();
        let alive = doc! { "_id": { "$in": asked }, "expiresAt": { "$gt": date(now) } };
        let lasting = self.sessions.clone_with_type::<Lasting>();
        let found = lasting.find(alive).projection(doc! { "expiresAt": 1 }).await?;
        let found = found.map_ok(|Lasting { key, expires_at }| (key, timestamp(expires_at)));
        let living: HashMap<String, Timestamp> = found.try_collect().await?;
        keys.retain(|key| {
            let Some(end) = living.get(key.as_ref()) else { return true };
            if listening {
                until.insert(key.clone(), *end);
                if changed.contains_key(key.as_ref()) {
                    until.invalidate(key.as_ref());
                }
            }
            false
        });
        if forgotten.load(Ordering::SeqCst) != before {
            until.invalidate_all();
        }
        Ok(keys)
    }
}

impl Believed {
    async fn listen(self: Arc<Self>, sessions: Collection<Document>) {
        loop {
            if let Err(cause) = self.hear(&sessions).await {
                warn!(error = ?cause, "cannot hear of changed sessions, and asks for all of them");
            }
            self.listening.store(false, Ordering::SeqCst);
            self.forget();
            sleep(LISTEN_AGAIN_AFTER).await;
        }
    }

    fn forget(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.until.invalidate_all();
    }

    /// Until the stream ends.
    async fn hear(&self, sessions: &Collection<Document>) -> mongodb::error::Result<()> {
        // What is new is not known yet, and is asked for.
        let others = doc! { "$match": { "operationType": { "$ne": "insert" } } };
        let mut changes = sessions.watch().pipeline([others]).await?;
        self.listening.store(true, Ordering::SeqCst);
        while let Some(change) = changes.try_next().await? {
            match key(&change) {
                Some(key) => {
                    self.changed.insert(key.to_owned(), ());
                    self.until.invalidate(key);
                }
                None => self.forget(),
            }
        }
        Ok(())
    }
}

/// Which session changed; `None` when it may be any.
fn key(change: &ChangeStreamEvent<Document>) -> Option<&str> {
    match change.operation_type {
        OperationType::Delete | OperationType::Replace | OperationType::Update => {
            change.document_key.as_ref()?.get_str("_id").ok()
        }
        _ => None,
    }
}
