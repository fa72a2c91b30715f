//! One session, read by pages, routes and sockets alike: who a visitor is.
//!
//! A session is kept in the store under a hash of its id, so that whoever reads the collection
//! cannot take over a session. What a visitor is comes from the id once, and is kept with it.
//! [`tokens`] are the same for bots.

mod forms;
mod tokens;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store,
};

use crate::{
    chat::Pass,
    domain::{Choices, Color, Language, Name, Person, PersonId, RoomId, Theme, Timestamp},
    store::{self, SessionRow, Store},
};

pub use forms::is_form_of;
pub use tokens::{Bot, BotKey, MAX_TOKENS, MadeToken, TokenRow};
pub use tower_sessions::Session;

/// A session ends when it has not been used for so long.
pub const EXPIRES_AFTER: time::Duration = time::Duration::days(7);

/// As many rooms' passes a session keeps: more than anybody has open.
const MAX_PASSES: usize = 50;

/// What another server writes, or an admin deletes, is seen after this at the latest.
const KEPT_FOR: Duration = Duration::from_millis(500);
/// Sessions that are kept at the same time.
const MAX_KEPT: u64 = 4_096;

const PERSON: &str = "person";
const PASSES: &str = "passes";
const LAST_DAY: &str = "lastDay";
const CHOICES: &str = "choices";

/// The sessions of a server.
#[derive(Clone)]
pub struct Sessions {
    store: Arc<dyn Store>,
    secret: Arc<[u8]>,
    kept: Arc<Kept>,
}

/// Sessions that were read a moment ago: a page and what it asks for are read for together.
struct Kept {
    rows: Cache<String, SessionRow>,
    /// How often a session was written here. What was read before that is not kept after it.
    writes: Mutex<u64>,
}

impl Kept {
    fn new() -> Self {
        let rows = Cache::builder().max_capacity(MAX_KEPT).time_to_live(KEPT_FOR).build();
        Self { rows, writes: Mutex::new(0) }
    }

    fn writes(&self) -> MutexGuard<'_, u64> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what was read since there were so many writes, unless there were more since.
    fn keep(&self, row: &SessionRow, since: u64) {
        let writes = self.writes();
        if *writes == since {
            self.rows.insert(row.key.clone(), row.clone());
        }
    }

    /// A session is about to be written, or has been.
    fn forget(&self, key: &str) {
        let mut writes = self.writes();
        *writes += 1;
        self.rows.invalidate(key);
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

/// The session cannot be read or kept: the store is in trouble.
#[derive(Debug, thiserror::Error)]
#[error("the session could not be read or kept")]
pub struct Error(#[from] tower_sessions::session::Error);

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

/// Choices as a session keeps them: by their codes.
#[derive(Default, serde::Serialize, serde::Deserialize)]
struct StoredChoices {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    theme: Option<String>,
}

/// What the reader of a session has chosen for their pages.
///
/// # Errors
/// When the store is in trouble.
pub async fn choices(session: &Session) -> Result<Choices, Error> {
    let StoredChoices { language, theme } = session.get(CHOICES).await?.unwrap_or_default();
    Ok(Choices {
        language: language.as_deref().and_then(Language::of_code),
        theme: theme.as_deref().and_then(Theme::of_code),
    })
}

/// Somebody with a session.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Who they are.
    pub person: Person,
    /// What they have chosen for their pages.
    pub choices: Choices,
    session: Session,
}

impl Sessions {
    /// Sessions in this store, of people whose ids are keyed by this secret.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, secret: &[u8]) -> Self {
        Self { store, secret: secret.into(), kept: Arc::new(Kept::new()) }
    }

    /// The visitor whose session this is; a session that is new, or has ended, begins here.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn begin(&self, session: Session) -> Result<Visitor, Error> {
        if let Some(visitor) = self.resume(session.clone()).await? {
            return Ok(visitor);
        }
        session.insert(LAST_DAY, today()).await?;
        session.save().await?; // Gives it its id.
        let id = session.id().map(|id| id.to_string()).unwrap_or_default();
        let person = Person::of_session(&self.secret, &id);
        session.insert(PERSON, StoredPerson::of(&person)).await?;
        Ok(Visitor { person, choices: Choices::default(), session })
    }

    /// The visitor whose session this is, if it lives.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn resume(&self, session: Session) -> Result<Option<Visitor>, Error> {
        let stored: Option<StoredPerson> = session.get(PERSON).await?;
        let Some(person) = stored.as_ref().and_then(StoredPerson::person) else { return Ok(None) };
        // Writing once a day keeps a session that is in use from expiring.
        if session.get::<i64>(LAST_DAY).await? != Some(today()) {
            session.insert(LAST_DAY, today()).await?;
        }
        let choices = choices(&session).await?;
        Ok(Some(Visitor { person, choices, session }))
    }

    /// The same, read from the store anew: a connection outlives what its request has read.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn resume_anew(&self, session: &Session) -> Result<Option<Visitor>, Error> {
        let Some(id) = session.id() else { return Ok(None) };
        let expiry = tower_sessions::Expiry::OnInactivity(EXPIRES_AFTER);
        self.resume(Session::new(Some(id), Arc::new(self.clone()), Some(expiry))).await
    }
}

/// What a session is watched by; the hash under which the store has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionKey(Arc<str>);

impl SessionKey {
    /// The key of a session that is kept.
    #[must_use]
    pub fn of(session: &Session) -> Option<Self> {
        session.id().map(|id| Self(key(&id).into()))
    }
}

impl Sessions {
    /// Those of these sessions that have ended, in the store, whoever ended them.
    ///
    /// # Errors
    /// When the store is in trouble: then nothing is known of any.
    pub async fn ended(&self, keys: &[SessionKey]) -> Result<Vec<SessionKey>, store::Error> {
        let asked = keys.iter().map(|SessionKey(key)| key.clone()).collect();
        let ended = self.store.ended_sessions(asked, Timestamp::now()).await?;
        for key in &ended {
            self.kept.forget(key); // Whoever is silenced does not come back by what was read before.
        }
        Ok(ended.into_iter().map(SessionKey).collect())
    }
}

fn today() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp() / (24 * 60 * 60)
}

impl Visitor {
    /// What they keep of having shown a room's password.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn pass(&self, room: &RoomId) -> Result<Option<Pass>, Error> {
        let passes: Vec<(String, String)> = self.session.get(PASSES).await?.unwrap_or_default();
        let kept = passes.into_iter().find(|(id, _)| id == room.as_str());
        Ok(kept.map(|(_, pass)| Pass::new(pass)))
    }

    /// Keeps a pass; the oldest go when there are too many.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn keep_pass(&self, room: &RoomId, pass: &Pass) -> Result<(), Error> {
        let mut passes: Vec<(String, String)> = self.session.get(PASSES).await?.unwrap_or_default();
        passes.retain(|(id, _)| id != room.as_str());
        passes.push((room.to_string(), pass.as_str().to_owned()));
        let surplus = passes.len().saturating_sub(MAX_PASSES);
        passes.drain(..surplus);
        Ok(self.session.insert(PASSES, passes).await?)
    }
}

impl Visitor {
    /// Ends the session: whoever comes back is somebody else.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn end(&self) -> Result<(), Error> {
        Ok(self.session.flush().await?)
    }

    /// Keeps what they have chosen for their pages.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn choose(&self, choices: Choices) -> Result<(), Error> {
        let stored = StoredChoices {
            language: choices.language.map(|language| language.code().to_owned()),
            theme: choices.theme.map(|theme| theme.code().to_owned()),
        };
        Ok(self.session.insert(CHOICES, stored).await?)
    }

    /// The same, at once: on a socket, no request ends that would do it.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn choose_now(&self, choices: Choices) -> Result<(), Error> {
        self.choose(choices).await?;
        Ok(self.session.save().await?)
    }

    /// Keeps a pass at once: on a socket, no request ends that would do it.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn keep_pass_now(&self, room: &RoomId, pass: &Pass) -> Result<(), Error> {
        self.keep_pass(room, pass).await?;
        Ok(self.session.save().await?)
    }
}

fn key(id: &Id) -> String {
    HEXLOWER.encode(&Sha256::digest(id.to_string().as_bytes()))
}

fn row(record: &Record) -> SessionRow {
    SessionRow {
        key: key(&record.id),
        data: record.data.clone().into_iter().collect(),
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
            record.id = Id::default(); // 128 random bits met their like.
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let row = row(record);
        let key = row.key.clone();
        self.kept.forget(&key);
        let saved = self.store.save_session(row).await;
        self.kept.forget(&key);
        saved.map_err(|e| backend(&e))
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let (key, now) = (key(id), Timestamp::now());
        let row = if let Some(kept) = self.kept.rows.get(&key).filter(|row| now < row.expires_at) {
            Some(kept)
        } else {
            let writes = *self.kept.writes();
            let found = self.store.session(&key, now).await.map_err(|e| backend(&e))?;
            found.inspect(|row| self.kept.keep(row, writes))
        };
        Ok(row.map(|row| Record {
            id: *id,
            data: row.data.into_iter().collect(),
            expiry_date: OffsetDateTime::from_unix_timestamp(row.expires_at.as_millis() / 1000)
                .unwrap_or(OffsetDateTime::UNIX_EPOCH),
        }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        let key = key(id);
        self.kept.forget(&key);
        let deleted = self.store.delete_session(&key).await;
        self.kept.forget(&key);
        deleted.map_err(|e| backend(&e))
    }
}
