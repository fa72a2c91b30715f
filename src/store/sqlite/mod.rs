//! The embedded store: one SQLite file, without setup.
//!
//! One thread writes with group commits, one checkpoints the write-ahead log, and two read
//! concurrently. `synchronous = FULL` makes a commit survive a power failure, not only a killed
//! process.

mod messages;
mod nodes;
mod rooms;
mod rows;
mod seats;
mod sessions;
mod tokens;
mod worker;

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use rusqlite::{Connection, functions::FunctionFlags};

use super::{Error, Result};
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
        let lock = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path.with_extension("lock"));
        let lock = lock.map_err(Error::new)?;
        lock.try_lock()
            .map_err(|_| Error::new(format!("another server has {} open", path.display())))?;
        let writer = connect(path)?;
        migrate(&writer)?;
        // What the log of an earlier process still has of rooms that are gone.
        let erased = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        erased.map_err(Error::new)?;
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
        // Deleted messages are overwritten with zeros.
        connection.pragma_update(None, "secure_delete", "ON")?;
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
    const NETWORKS: &str = include_str!("networks.sql");
    const TOKENS: &str = include_str!("tokens.sql");
    const VERSION_4: &str = include_str!("version_4.sql");
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(Error::new)?;
    // The migrations from each version to the newest.
    let steps: &[&str] = match version {
        0 => &[include_str!("schema.sql")],
        1 => &[NETWORKS, TOKENS, VERSION_4],
        2 => &[TOKENS, VERSION_4],
        3 => &[VERSION_4],
        4 => return Ok(()),
        newer => {
            let words = format!("the database is of version {newer}, newer than this program");
            return Err(Error::new(words));
        }
    };
    let script = format!("BEGIN;{}COMMIT;", steps.concat());
    connection.execute_batch(&script).map_err(Error::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_any_version_is_brought_up_to_date_once() {
        let newest = schema_of(&Connection::open_in_memory().unwrap());
        let to_3 = "DROP TABLE passes; DROP TABLE store; PRAGMA user_version = 3;";
        let to_2 = "DROP TABLE tokens; DROP INDEX seats_by_person; PRAGMA user_version = 2;";
        let to_1 = "DROP TABLE kicked_networks; ALTER TABLE seats DROP COLUMN network;
            PRAGMA user_version = 1;";
        for back in [to_3.to_owned(), [to_3, to_2].concat(), [to_3, to_2, to_1].concat()] {
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
