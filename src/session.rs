//! Visitor sessions, shared by pages, API routes and sockets.
//!
//! The store holds a session under a hash of its id, so read access to the collection is not enough
//! to take over a session. A visitor's identity is derived from the id once, and stored in the
//! session. [`tokens`] does the same for bots. [`passes`] are for the rooms whose passwords a
//! visitor has shown.

mod csrf;
mod ends;
mod passes;
mod tokens;

use std::{fmt, sync::Arc, time::Duration};

use parking_lot::Mutex;

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use moka::sync::Cache;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store,
};

use crate::{
    chat,
    domain::{Color, Language, Name, Person, PersonId, Preferences, Theme, Timestamp},
    store::{self, SessionRow, Store},
};

pub use csrf::is_form_of;
pub use ends::{CHECKED_EVERY, Ends};
use passes::with_passes;
pub use tokens::{Bot, BotKey, MAX_TOKENS, MadeToken, TokenRow};
pub use tower_sessions::Session;

/// A session expires after this time without use.
pub const EXPIRES_AFTER: time::Duration = time::Duration::days(7);

/// Lifetime of a cached session: a change by another node or an admin takes effect within this.
const KEPT_FOR: Duration = Duration::from_millis(500);
/// Largest number of cached sessions.
const MAX_KEPT: u64 = 4_096;

const PERSON: &str = "person";
const LAST_DAY: &str = "lastDay";
const PREFERENCES: &str = "choices";

/// The sessions of a node.
#[derive(Clone)]
pub struct Sessions {
    store: Arc<dyn Store>,
    secret: Arc<[u8]>,
    kept: Arc<Kept>,
    ends: ends::Announcer,
}

/// Cache of recently read sessions: a page and its subrequests share one read.
struct Kept {
    rows: Cache<String, SessionRow>,
    /// Number of session writes on this node. A row read before a write is not cached after it.
    writes: Mutex<u64>,
}

impl Kept {
    fn new() -> Self {
        let rows = Cache::builder().max_capacity(MAX_KEPT).time_to_live(KEPT_FOR).build();
        Self { rows, writes: Mutex::new(0) }
    }

    /// Caches a row read when the write count was `since`, unless there were writes in between.
    fn keep(&self, row: &SessionRow, since: u64) {
        let writes = self.writes.lock();
        if *writes == since {
            self.rows.insert(row.key.clone(), row.clone());
        }
    }

    /// Removes a session from the cache; called before and after each write.
    fn forget(&self, key: &str) {
        let mut writes = self.writes.lock();
        *writes += 1;
        self.rows.invalidate(key);
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

/// The session cannot be read or stored, because the store failed.
#[derive(Debug, thiserror::Error)]
#[error("the session could not be read or kept")]
pub struct Error(#[from] tower_sessions::session::Error);

impl From<Error> for chat::Error {
    fn from(error: Error) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self(backend(&error).into())
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct StoredPerson {
    id: String,
    color: String,
    name: String,
}

impl StoredPerson {
    fn of(person: &Person) -> Self {
        Self {
            id: person.id.to_string(),
            color: person.color.hex().to_owned(),
            name: person.name.to_string(),
        }
    }

    fn person(&self) -> Option<Person> {
        Some(Person {
            id: PersonId::parse(&self.id).ok()?,
            color: Color::from_hex(&self.color)?,
            name: Name::parse(&self.name)?,
        })
    }
}

/// Preferences as stored in a session: their codes.
#[derive(Default, serde::Serialize, serde::Deserialize)]
struct StoredChoices {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    theme: Option<String>,
}

impl StoredChoices {
    fn of(preferences: Preferences) -> Self {
        Self {
            language: preferences.language.map(|language| language.code().to_owned()),
            theme: preferences.theme.map(|theme| theme.code().to_owned()),
        }
    }
}

/// The page preferences of a session.
///
/// # Errors
/// When the store is in trouble.
pub async fn preferences(session: &Session) -> Result<Preferences, Error> {
    let StoredChoices { language, theme } = session.get(PREFERENCES).await?.unwrap_or_default();
    Ok(Preferences {
        language: language.as_deref().and_then(Language::from_code),
        theme: theme.as_deref().and_then(Theme::from_code),
    })
}

/// A visitor with a session.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The visitor's identity.
    pub person: Person,
    /// The visitor's page preferences.
    pub preferences: Preferences,
    session: Session,
    sessions: Sessions,
}

impl Sessions {
    /// Sessions in this store; person ids are keyed by `secret`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, secret: &[u8]) -> Self {
        let (kept, ends) = (Arc::new(Kept::new()), ends::Announcer::new());
        Self { store, secret: secret.into(), kept, ends }
    }

    /// The visitor of a session; starts a session that is new or has ended.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn begin(&self, session: Session) -> Result<Visitor, Error> {
        if let Some(visitor) = self.resume(session.clone()).await? {
            return Ok(visitor);
        }
        session.insert(LAST_DAY, today()).await?;
        session.save().await?; // Assigns its id.
        let id = session.id().map(|id| id.to_string()).unwrap_or_default();
        let person = Person::of_session(&self.secret, &id);
        session.insert(PERSON, StoredPerson::of(&person)).await?;
        let preferences = Preferences::default();
        Ok(Visitor { person, preferences, session, sessions: self.clone() })
    }

    /// The visitor of a session, if it is alive.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn resume(&self, session: Session) -> Result<Option<Visitor>, Error> {
        let stored: Option<StoredPerson> = session.get(PERSON).await?;
        let Some(person) = stored.as_ref().and_then(StoredPerson::person) else { return Ok(None) };
        // A write once a day keeps an active session from expiring.
        if session.get::<i64>(LAST_DAY).await? != Some(today()) {
            session.insert(LAST_DAY, today()).await?;
        }
        let preferences = preferences(&session).await?;
        Ok(Some(Visitor { person, preferences, session, sessions: self.clone() }))
    }

    /// [`Sessions::resume`] with a fresh read: a connection outlives the row that its request read.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn resume_anew(&self, session: &Session) -> Result<Option<Visitor>, Error> {
        let Some(id) = session.id() else { return Ok(None) };
        let expiry = tower_sessions::Expiry::OnInactivity(EXPIRES_AFTER);
        self.resume(Session::new(Some(id), Arc::new(self.clone()), Some(expiry))).await
    }
}

impl Sessions {
    /// Whether the session of a visitor, who was found a while ago, has not ended since.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn is_alive(&self, visitor: &Visitor) -> Result<bool, Error> {
        let ended = self.ended(&[visitor.key()?]).await?;
        Ok(ended.is_empty())
    }
}

/// Identifies a session: the hash that is its key in the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionKey(Arc<str>);

impl SessionKey {
    /// The key of a stored session.
    #[must_use]
    pub fn of(session: &Session) -> Option<Self> {
        session.id().map(|id| Self(key(&id).into()))
    }
}

impl Sessions {
    /// The sessions that end on this node, or lose a token on it, from now on.
    #[must_use]
    pub fn ends(&self) -> Ends {
        self.ends.ends()
    }

    /// The sessions that have ended, on any node.
    ///
    /// # Errors
    /// When the store is in trouble: then nothing is known of any.
    pub async fn ended(&self, keys: &[SessionKey]) -> Result<Vec<SessionKey>, store::Error> {
        let asked = keys.iter().map(|SessionKey(key)| key.clone()).collect();
        let ended = self.store.ended_sessions(asked, Timestamp::now()).await?;
        for key in &ended {
            self.kept.forget(key); // An ended session must not be resumed from the cache.
        }
        Ok(ended.into_iter().map(SessionKey).collect())
    }
}

fn today() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp() / (24 * 60 * 60)
}

impl Visitor {
    /// Ends the session. The same browser then gets a new identity.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn end(&self) -> Result<(), Error> {
        Ok(self.session.flush().await?)
    }

    /// Stores the visitor's page preferences: only those that differ from the present ones, so that
    /// two changes at once both have their effect.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn choose(&self, chosen: Preferences) -> Result<(), Error> {
        let before = StoredChoices::of(self.preferences);
        let after = StoredChoices::of(chosen);
        let mut changed = Map::new();
        if before.language != after.language {
            changed.insert("language".to_owned(), after.language.into());
        }
        if before.theme != after.theme {
            changed.insert("theme".to_owned(), after.theme.into());
        }
        let patch = Map::from_iter([(PREFERENCES.to_owned(), changed.into())]);
        self.sessions.patch(self.key()?, patch, ends_at()).await?;
        Ok(())
    }
}

impl Sessions {
    async fn patch(
        &self,
        SessionKey(key): SessionKey,
        patch: Map<String, Value>,
        until: Timestamp,
    ) -> store::Result<()> {
        self.kept.forget(&key);
        let patched = self.store.patch_session(&key, patch, until).await;
        self.kept.forget(&key);
        patched
    }
}

/// When a session ends that is used now.
fn ends_at() -> Timestamp {
    Timestamp::now().after_days(EXPIRES_AFTER.whole_days().try_into().unwrap_or(u16::MAX))
}

fn key(id: &Id) -> String {
    HEXLOWER.encode(&Sha256::digest(id.to_string().as_bytes()))
}

fn row(record: &Record) -> SessionRow {
    SessionRow {
        key: key(&record.id),
        data: record.data.clone().into_iter().collect(),
        passes: Vec::new(),
        expires_at: Timestamp::from(record.expiry_date),
    }
}

fn backend(error: &crate::store::Error) -> session_store::Error {
    session_store::Error::Backend(error.to_string())
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        while !self.store.create_session(row(record)).await.map_err(|e| backend(&e))? {
            record.id = Id::default(); // An id collision: draws a new one.
        }
        Ok(())
    }

    /// Writes only what requests change through their record. The rest of it is what the request
    /// read, and may be older than what the store has.
    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let SessionRow { key, mut data, expires_at, .. } = row(record);
        data.retain(|name, _| [PERSON, LAST_DAY].contains(&name.as_str()));
        self.patch(SessionKey(key.into()), data, expires_at).await.map_err(|e| backend(&e))
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let (key, now) = (key(id), Timestamp::now());
        let row = if let Some(kept) = self.kept.rows.get(&key).filter(|row| now < row.expires_at) {
            Some(kept)
        } else {
            let writes = *self.kept.writes.lock();
            let found = self.store.session(&key, now).await.map_err(|e| backend(&e))?;
            found.inspect(|row| self.kept.keep(row, writes))
        };
        Ok(row.map(|row| Record {
            id: *id,
            data: with_passes(row.data, &row.passes).into_iter().collect(),
            expiry_date: OffsetDateTime::from_unix_timestamp(row.expires_at.as_millis() / 1000)
                .unwrap_or(OffsetDateTime::UNIX_EPOCH),
        }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        let key = key(id);
        self.kept.forget(&key);
        let deleted = self.store.delete_session(&key).await;
        self.kept.forget(&key);
        deleted.map_err(|e| backend(&e))?;
        self.ends.announce(SessionKey(key.into()));
        Ok(())
    }
}
