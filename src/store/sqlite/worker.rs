//! Threads that own one connection each and run steps on it.
//!
//! The writer uses group commit: while one commit is written to the disk, later steps queue up and
//! share the next. A single step commits at once; there is no timer.
//!
//! A caller gets a result within five seconds, even if the disk is slow or another program holds
//! the lock. A step whose caller has timed out is not started.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, TrySendError},
    },
    thread,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio::{sync::oneshot, time::timeout};
use tracing::warn;

use crate::store::{Error, Result};

/// Largest number of steps that wait. With more, the last would be late anyhow; each is refused at
/// once, before it takes memory.
const MAX_QUEUED: usize = 16 * MAX_GROUP;

/// Largest number of steps in one transaction. Bounds the latency of the first.
const MAX_GROUP: usize = 512;

/// Number of steps between checkpoints. A checkpoint takes longer than a commit, so a thread of its
/// own runs it. A page that was written several times is copied once.
const CHECKPOINT_AFTER: usize = 2_048;
/// Number of log pages at which the writer checkpoints itself: under steady load the checkpoint
/// thread never reaches the end of the log, which is when SQLite can restart it.
pub(super) const MAX_LOG_PAGES: u32 = 8_192;

/// Deadline of a step. A step that had started may still commit.
const DEADLINE: Duration = Duration::from_secs(4);
/// Busy timeout of a transaction. A step waits for the previous transaction's lock and for its own
/// within [`DEADLINE`].
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_millis(1_900);

type Commit = std::result::Result<(), Arc<rusqlite::Error>>;
type Answer = Box<dyn FnOnce(Commit) + Send>;
/// Gets `None` instead of a connection if its transaction was rolled back.
type Step = Box<dyn FnOnce(Option<&Connection>) -> Answer + Send>;

/// Pause after the log was emptied, during which writes do not wait for it again.
const ERASE_PAUSE: Duration = Duration::from_secs(1);

/// Wakes the checkpoint thread.
#[derive(Debug, Clone)]
struct Checkpoints {
    wake: mpsc::SyncSender<Option<oneshot::Sender<()>>>,
    /// Whether the next checkpoint also empties the log.
    erase: Arc<AtomicBool>,
}

/// A thread with a connection. When the last handle is dropped, it finishes its queue and ends.
#[derive(Debug)]
pub(super) struct Worker {
    steps: Option<mpsc::SyncSender<Step>>,
    /// Asks for the log to be emptied; only of a writer.
    checkpoints: Option<Checkpoints>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Worker {
    /// Runs each step in a savepoint of a shared transaction, and answers after the commit.
    /// `checkpointer` is the connection of the checkpoint thread.
    pub(super) fn writer(
        connection: Connection,
        checkpointer: Connection,
    ) -> std::io::Result<Self> {
        let checkpoints = Self::checkpointer(checkpointer)?;
        let kept = Some(checkpoints.clone());
        let mut writer = Self::spawn("sqlite-writer", move |steps| {
            let mut since = 0;
            while let Ok(first) = steps.recv() {
                let group = std::iter::once(first).chain(steps.try_iter()).take(MAX_GROUP);
                since += commit_group(&connection, group);
                if since >= CHECKPOINT_AFTER && checkpoints.wake.try_send(None).is_ok() {
                    since = 0;
                }
            }
        })?;
        writer.checkpoints = kept;
        Ok(writer)
    }

    /// Empties the write-ahead log soon: it has copies of what was deleted.
    pub(super) fn erase_log(&self) {
        if let Some(Checkpoints { wake, erase }) = &self.checkpoints {
            erase.store(true, Ordering::Relaxed);
            wake.try_send(None).ok(); // Full: the checkpoint that is due empties it.
        }
    }

    /// Empties the write-ahead log, and returns when that is done or takes too long.
    pub(super) async fn erase_log_now(&self) {
        let Some(Checkpoints { wake, erase }) = self.checkpoints.clone() else { return };
        let (done, erased) = oneshot::channel();
        erase.store(true, Ordering::Relaxed);
        tokio::task::spawn_blocking(move || wake.send(Some(done)));
        timeout(BUSY_TIMEOUT, erased).await.ok(); // The next start empties it, too.
    }

    fn checkpointer(connection: Connection) -> std::io::Result<Checkpoints> {
        let (wake, asked) = mpsc::sync_channel(1);
        let erase = Arc::new(AtomicBool::new(false));
        let checkpoints = Checkpoints { wake, erase: erase.clone() };
        let work = move || {
            for waits in asked {
                let erases = erase.load(Ordering::Relaxed);
                while !checkpoint(&connection, &erase) {
                    thread::sleep(ERASE_PAUSE);
                }
                match waits {
                    Some(waits) => waits.send(()).unwrap_or_default(), // Who waited may be gone.
                    None if erases => thread::sleep(ERASE_PAUSE),
                    None => {}
                }
            }
        };
        thread::Builder::new().name("sqlite-log".to_owned()).spawn(work)?;
        Ok(checkpoints)
    }

    /// Runs each step outside of any transaction.
    pub(super) fn reader(connection: Connection) -> std::io::Result<Self> {
        Self::spawn("sqlite-reader", move |steps| {
            for step in steps {
                step(Some(&connection))(Ok(()));
            }
        })
    }

    fn spawn(
        name: &str,
        work: impl FnOnce(mpsc::Receiver<Step>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (steps, queue) = mpsc::sync_channel(MAX_QUEUED);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || work(queue))?;
        Ok(Self { steps: Some(steps), checkpoints: None, thread: Some(thread) })
    }

    /// Runs `step` on the thread, and returns its result once that is durable.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        step: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let asked = Instant::now();
        let step: Step = Box::new(move |connection| {
            let outcome = connection.filter(|_| asked.elapsed() < DEADLINE).map(step);
            Box::new(move |commit| {
                let durable = match (commit, outcome) {
                    (Ok(()), Some(Ok(value))) => Ok(value),
                    (_, Some(Err(cause))) => Err(Error::new(cause)),
                    (Err(cause), _) => Err(Error::new(cause)),
                    (Ok(()), None) => {
                        Err(Error::new("it came too late, or its transaction was lost"))
                    }
                };
                answer.send(durable).ok(); // The caller has stopped waiting.
            })
        });
        let gone = || Error::new("the database thread has ended");
        self.steps.as_ref().ok_or_else(gone)?.try_send(step).map_err(|error| match error {
            TrySendError::Full(_) => Error::new("the queue of the database is full"),
            TrySendError::Disconnected(_) => gone(),
        })?;
        let late = |_| Error::new(format!("no answer for {} s", DEADLINE.as_secs()));
        timeout(DEADLINE, answered).await.map_err(late)?.map_err(|_| gone())?
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop((self.steps.take(), self.checkpoints.take()));
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // A panic has already been logged.
        }
    }
}

/// Copies the write-ahead log into the database, and empties it if that is wanted; false when it
/// must be tried again.
fn checkpoint(connection: &Connection, erase: &AtomicBool) -> bool {
    // Only the second kind waits for writers and readers.
    let erases = erase.swap(false, Ordering::Relaxed);
    let kind = if erases { "TRUNCATE" } else { "PASSIVE" };
    let pragma = format!("PRAGMA wal_checkpoint({kind})");
    let done = match connection.query_row(&pragma, [], |row| row.get::<_, bool>(0)) {
        Ok(busy) => !busy || !erases,
        Err(cause) => {
            warn!(%cause, "could not checkpoint the write-ahead log; will retry");
            !erases
        }
    };
    erase.fetch_or(!done, Ordering::Relaxed);
    done
}

/// Runs a group of steps in one transaction; returns their number.
fn commit_group(connection: &Connection, steps: impl Iterator<Item = Step>) -> usize {
    let begun = run(connection, "BEGIN IMMEDIATE").map_err(Arc::new);
    let answers: Vec<Answer> = steps
        .map(|step| {
            // SQLite itself rolls the transaction back when the disk is full.
            let lost = begun.is_err() || connection.is_autocommit();
            step((!lost).then_some(connection))
        })
        .collect();
    let committed = begun.and_then(|()| {
        run(connection, "COMMIT").map_err(|cause| {
            connection.execute_batch("ROLLBACK").ok(); // The caller gets COMMIT's error.
            Arc::new(cause)
        })
    });
    let steps = answers.len();
    for answer in answers {
        answer(committed.clone());
    }
    steps
}

/// Runs one step in a savepoint, so that its failure does not undo the others of its group.
pub(super) fn savepoint<T>(
    connection: &Connection,
    step: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    run(connection, "SAVEPOINT step")?;
    let outcome = step(connection);
    if outcome.is_err() {
        run(connection, "ROLLBACK TO step")?;
    }
    run(connection, "RELEASE step")?;
    outcome
}

/// Runs one statement from the prepared statement cache.
fn run(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}
