//! The embedded store: one SQLite file, without setup.
//!
//! One thread writes with group commits, one checkpoints the write-ahead log, and two read
//! concurrently. `synchronous = FULL` makes a commit survive a power failure, not only a killed
//! process.

mod messages;
mod rooms;
mod rows;
mod seats;
mod sessions;
mod tokens;
mod trim;
mod worker;

use std::{
    fs::File,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use rusqlite::{Connection, functions::FunctionFlags};

use super::{
    Appended, Changed, Closing, DeleteOutcome, DisconnectOutcome, EnterOutcome, Entry, Error,
    LeaveOutcome, LeaveReason, LobbyPage, LobbyQuery, NewRoom, Result, SessionRow, Store, TokenRow,
    Trimmed,
};
use crate::domain::{
    Draft, History, NodeId, OwnerActionError, Person, PersonId, Room, RoomChange, RoomId,
    RoomSummary, Seq, SocketId, Timestamp, TokenHash, TokenId, Window,
};
use worker::Worker;

/// Reads are short and mostly served from memory; a third thread was no faster.
const READERS: usize = 2;

/// The writer's page cache in KiB: the pages that 200 active rooms write to. With SQLite's default
/// of 2,000 the writer read most pages again for each message.
const WRITER_CACHE: i64 = 4_096;

/// The embedded store.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Worker,
    readers: [Worker; READERS],
    next_reader: AtomicUsize,
    /// Exclusive lock on the file while the store is open. Two servers on one file would each reap
    /// the other's connections.
    _lock: File,
}

impl SqliteStore {
    /// Opens or creates the file and its folders.
    ///
    /// # Errors
    /// When the file cannot be opened, has a newer schema version, or is open in another server.
    pub fn open(path: &Path) -> Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(Error::new)?;
        }
        let lock = File::create(path.with_extension("lock")).map_err(Error::new)?;
        lock.try_lock()
            .map_err(|_| Error::new(format!("another server has {} open", path.display())))?;
        let writer = connect(path)?;
        migrate(&writer)?;
        writer.pragma_update(None, "cache_size", -WRITER_CACHE).map_err(Error::new)?;
        let reader = || Worker::reader(connect(path)?).map_err(Error::new);
        Ok(Self {
            readers: [reader()?, reader()?],
            writer: Worker::writer(writer, connect(path)?).map_err(Error::new)?,
            next_reader: AtomicUsize::new(0),
            _lock: lock,
        })
    }

    async fn read<T: Send + 'static>(
        &self,
        step: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = self.next_reader.fetch_add(1, Ordering::Relaxed);
        self.readers[turn % READERS].run(step).await
    }

    async fn write<T: Send + 'static>(
        &self,
        step: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.run(move |connection| worker::savepoint(connection, step)).await
    }
}

fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path).map_err(Error::new)?;
    let prepare = || {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "wal_autocheckpoint", worker::MAX_LOG_PAGES)?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        connection.busy_timeout(worker::BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(64);
        // SQLite's own lower() handles ASCII only.
        connection.create_scalar_function(
            "folded",
            1,
            FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC,
            |context| Ok(context.get_raw(0).as_str()?.to_lowercase()),
        )
    };
    prepare().map_err(Error::new)?;
    Ok(connection)
}

fn migrate(connection: &Connection) -> Result<()> {
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(Error::new)?;
    // The migrations from each version to the newest.
    let steps: &[&str] = match version {
        0 => &[include_str!("schema.sql")],
        1 => &[include_str!("networks.sql"), include_str!("tokens.sql")],
        2 => &[include_str!("tokens.sql")],
        3 => return Ok(()),
        newer => {
            let words = format!("the database is of version {newer}, newer than this program");
            return Err(Error::new(words));
        }
    };
    let script = format!("BEGIN;{}COMMIT;", steps.concat());
    connection.execute_batch(&script).map_err(Error::new)
}

#[async_trait]
impl Store for SqliteStore {
    async fn open(&self, room: NewRoom, at_most: usize) -> Result<bool> {
        self.write(move |db| rooms::open(db, &room, at_most)).await
    }

    async fn room(&self, id: &RoomId) -> Result<Option<Room>> {
        let id = id.clone();
        self.read(move |db| rooms::room(db, &id)).await
    }

    async fn lobby(&self, query: LobbyQuery) -> Result<LobbyPage> {
        self.read(move |db| rooms::lobby(db, &query)).await
    }

    async fn summaries(&self, ids: Vec<RoomId>) -> Result<Vec<RoomSummary>> {
        self.read(move |db| rooms::summaries(db, &ids)).await
    }

    async fn enter(&self, entry: Entry) -> Result<EnterOutcome> {
        self.write(move |db| seats::enter(db, &entry)).await
    }

    async fn drop_socket(
        &self,
        room: &RoomId,
        person: &PersonId,
        socket: &SocketId,
        at: Timestamp,
    ) -> Result<DisconnectOutcome> {
        let (room, person, socket) = (room.clone(), person.clone(), socket.clone());
        self.write(move |db| seats::drop_socket(db, &room, &person, &socket, at)).await
    }

    async fn depart(
        &self,
        room: &RoomId,
        person: &PersonId,
        departing: LeaveReason,
    ) -> Result<LeaveOutcome> {
        let (room, person) = (room.clone(), person.clone());
        self.write(move |db| seats::depart(db, &room, &person, departing)).await
    }

    async fn close(&self, room: &RoomId, closing: Closing) -> Result<bool> {
        let room = room.clone();
        self.write(move |db| rooms::close(db, &room, closing)).await
    }

    async fn replace_absent_owner(&self, room: &RoomId) -> Result<Option<Person>> {
        let room = room.clone();
        self.write(move |db| seats::replace_absent_owner(db, &room)).await
    }

    async fn change(
        &self,
        room: &RoomId,
        by: &PersonId,
        change: RoomChange,
    ) -> Result<std::result::Result<Changed, OwnerActionError>> {
        let (room, by) = (room.clone(), by.clone());
        self.write(move |db| rooms::change(db, &room, &by, &change)).await
    }

    async fn hand_over(
        &self,
        room: &RoomId,
        from: &PersonId,
        to: &PersonId,
    ) -> Result<std::result::Result<Room, OwnerActionError>> {
        let (room, from, to) = (room.clone(), from.clone(), to.clone());
        self.write(move |db| seats::hand_over(db, &room, &from, &to)).await
    }

    async fn delete_message(
        &self,
        room: &RoomId,
        seq: Seq,
        who: &PersonId,
        owner: bool,
    ) -> Result<DeleteOutcome> {
        let (room, who) = (room.clone(), who.clone());
        self.write(move |db| messages::delete(db, &room, seq, &who, owner)).await
    }

    async fn append(&self, room: &RoomId, drafts: Vec<Draft>) -> Result<Vec<Appended>> {
        let room = room.clone();
        self.write(move |db| messages::append(db, &room, drafts)).await
    }

    async fn latest_public_seq(&self, room: &RoomId) -> Result<Option<Seq>> {
        let room = room.clone();
        self.read(move |db| messages::latest_public_seq(db, &room)).await
    }

    async fn history(&self, room: &RoomId, viewer: &PersonId, window: Window) -> Result<History> {
        let (room, viewer) = (room.clone(), viewer.clone());
        self.read(move |db| messages::history(db, &room, &viewer, window)).await
    }

    async fn trim(&self, room: &RoomId, up_to: Seq, at_most: usize) -> Result<Trimmed> {
        let room = room.clone();
        self.write(move |db| trim::trim(db, &room, up_to, at_most)).await
    }

    async fn purge(&self, room: &RoomId) -> Result<()> {
        let room = room.clone();
        self.write(move |db| messages::purge(db, &room)).await
    }

    async fn overdue(&self, away_since: Timestamp, unused_since: Timestamp) -> Result<Vec<RoomId>> {
        self.read(move |db| rooms::overdue(db, away_since, unused_since)).await
    }

    async fn orphans(&self) -> Result<Vec<RoomId>> {
        self.read(messages::orphans).await
    }

    async fn heartbeat(&self, node: &NodeId, at: Timestamp) -> Result<bool> {
        let node = node.clone();
        self.write(move |db| sessions::heartbeat(db, &node, at)).await
    }

    async fn reap_dead_nodes(
        &self,
        alive: &NodeId,
        seen_before: Timestamp,
        at: Timestamp,
    ) -> Result<()> {
        let alive = alive.clone();
        self.write(move |db| seats::reap_dead_nodes(db, &alive, seen_before, at)).await
    }

    async fn retire(&self, node: &NodeId, at: Timestamp) -> Result<()> {
        let node = node.clone();
        self.write(move |db| seats::retire(db, &node, at)).await
    }

    async fn create_session(&self, session: SessionRow) -> Result<bool> {
        self.write(move |db| sessions::create(db, &session)).await
    }

    async fn save_session(&self, session: SessionRow) -> Result<()> {
        self.write(move |db| sessions::save(db, &session)).await
    }

    async fn session(&self, key: &str, now: Timestamp) -> Result<Option<SessionRow>> {
        let key = key.to_owned();
        self.read(move |db| sessions::load(db, &key, now)).await
    }

    async fn ended_sessions(&self, keys: Vec<Arc<str>>, now: Timestamp) -> Result<Vec<Arc<str>>> {
        self.read(move |db| sessions::ended(db, keys, now)).await
    }

    async fn prolong_session(&self, key: &str, until: Timestamp) -> Result<()> {
        let key = key.to_owned();
        self.write(move |db| sessions::prolong(db, &key, until)).await
    }

    async fn delete_session(&self, key: &str) -> Result<()> {
        let key = key.to_owned();
        self.write(move |db| sessions::delete(db, &key)).await
    }

    async fn delete_expired_sessions(&self, now: Timestamp) -> Result<()> {
        self.write(move |db| sessions::delete_expired(db, now)).await
    }

    async fn create_token(&self, token: TokenRow, at_most: usize) -> Result<bool> {
        self.write(move |db| tokens::create(db, &token, at_most)).await
    }

    async fn token(&self, hash: &TokenHash, now: Timestamp) -> Result<Option<TokenRow>> {
        let hash = hash.clone();
        self.read(move |db| tokens::find(db, &hash, now)).await
    }

    async fn tokens(&self, session: &str, now: Timestamp) -> Result<Vec<TokenRow>> {
        let session = session.to_owned();
        self.read(move |db| tokens::of_session(db, &session, now)).await
    }

    async fn ended_tokens(&self, ids: Vec<TokenId>, now: Timestamp) -> Result<Vec<TokenId>> {
        self.read(move |db| tokens::ended(db, ids, now)).await
    }

    async fn delete_tokens(&self, session: &str, only: Option<&TokenId>) -> Result<usize> {
        let (session, only) = (session.to_owned(), only.cloned());
        self.write(move |db| tokens::delete(db, &session, only.as_ref())).await
    }

    async fn rooms_of(&self, person: &PersonId) -> Result<Vec<Room>> {
        let person = person.clone();
        self.read(move |db| rooms::of(db, &person)).await
    }

    async fn ready(&self) -> Result<()> {
        self.write(|db| db.query_row("SELECT 1", [], |_| Ok(()))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_any_version_is_brought_up_to_date_once() {
        let newest = schema_of(&Connection::open_in_memory().unwrap());
        let to_2 = "DROP TABLE tokens; DROP INDEX seats_by_person; PRAGMA user_version = 2;";
        let to_1 = "DROP TABLE kicked_networks; ALTER TABLE seats DROP COLUMN network;
            PRAGMA user_version = 1;";
        for back in [to_2.to_owned(), [to_2, to_1].concat()] {
            let connection = Connection::open_in_memory().unwrap();
            migrate(&connection).unwrap();
            connection.execute_batch(&back).unwrap();

            for _ in 0..2 {
                assert_eq!(schema_of(&connection), newest);
            }
        }
    }

    /// Every table and index with its columns, after migration.
    fn schema_of(connection: &Connection) -> std::collections::BTreeSet<(String, String)> {
        migrate(connection).unwrap();
        let columns = "SELECT s.name, c.name FROM sqlite_schema s JOIN pragma_table_xinfo(s.name) c
            WHERE s.type = 'table'
            UNION SELECT s.name, c.name FROM sqlite_schema s JOIN pragma_index_info(s.name) c
            WHERE s.type = 'index'";
        let mut columns = connection.prepare(columns).unwrap();
        let found = columns.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        found.collect::<rusqlite::Result<_>>().unwrap()
    }

    #[test]
    fn a_file_of_a_newer_version_is_left_alone() {
        let connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        assert!(migrate(&connection).is_err());
    }
}
