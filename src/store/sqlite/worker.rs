//! Threads that own a connection each, and run what is asked of them.
//!
//! The writer commits in groups: while one commit is on its way to the disk, the next steps
//! collect, and share the following one. A lone step commits at once; no timer is involved.
//!
//! Whoever asks hears within five seconds whether it worked, however long the disk takes, or whoever
//! else has locked the file. A step that nobody waits for any more is not begun.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio::{sync::oneshot, time::timeout};
use tracing::warn;

use crate::store::{Error, Result};

/// So many steps share one commit at most: bounds how long the first of them waits.
const MAX_GROUP: usize = 512;

/// After so many steps the log is copied into the file, by a thread of its own: it takes longer than a
/// commit, and would hold up all that come behind it. A page that was written often is copied once.
const CHECKPOINT_AFTER: usize = 2_048;
/// The writer does it after all when the log has grown to so many pages: under steady load the other
/// never gets to its end, where the log could begin anew.
pub(super) const MAX_LOG_PAGES: u32 = 8_192;

/// A step without an answer by then has failed, though it may still be done if it was begun.
const DEADLINE: Duration = Duration::from_secs(4);
/// How long a transaction waits for a lock that another program has: a step waits for the one before
/// it and for its own within [`DEADLINE`].
pub(super) const LOCKED_AT_MOST: Duration = Duration::from_millis(1_900);

type Commit = std::result::Result<(), Arc<rusqlite::Error>>;
type Answer = Box<dyn FnOnce(Commit) + Send>;
/// Gets no connection when the transaction it belongs to is lost.
type Step = Box<dyn FnOnce(Option<&Connection>) -> Answer + Send>;

/// A thread with a connection. It ends when the last handle is dropped, after finishing its work.
#[derive(Debug)]
pub(super) struct Worker {
    steps: Option<mpsc::Sender<Step>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Worker {
    /// Runs each step in a savepoint of a shared transaction, and answers once that is committed.
    /// `checkpointer` copies what was committed from the log into the file, beside it.
    pub(super) fn writer(
        connection: Connection,
        checkpointer: Connection,
    ) -> std::io::Result<Self> {
        let checkpoints = Self::checkpointer(checkpointer)?;
        Self::spawn("sqlite-writer", move |steps| {
            let mut since = 0;
            while let Ok(first) = steps.recv() {
                let group = std::iter::once(first).chain(steps.try_iter()).take(MAX_GROUP);
                since += commit_together(&connection, group);
                if since >= CHECKPOINT_AFTER && checkpoints.try_send(()).is_ok() {
                    since = 0;
                }
            }
        })
    }

    fn checkpointer(connection: Connection) -> std::io::Result<mpsc::SyncSender<()>> {
        let (checkpoints, asked) = mpsc::sync_channel(1);
        let work = move || {
            for () in asked {
                let checkpoint = "PRAGMA wal_checkpoint(PASSIVE)";
                if let Err(cause) = connection.query_row(checkpoint, [], |_| Ok(())) {
                    warn!(%cause, "could not copy the log into the file; will try again");
                }
            }
        };
        thread::Builder::new().name("sqlite-log".to_owned()).spawn(work)?;
        Ok(checkpoints)
    }

    /// Runs each step on its own, outside of any transaction.
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
        let (steps, queue) = mpsc::channel();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || work(queue))?;
        Ok(Self { steps: Some(steps), thread: Some(thread) })
    }

    /// Runs `step` on the thread, and returns what it returned once it is durable.
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
                answer.send(durable).ok(); // Nobody waits any more: the visitor has gone.
            })
        });
        let gone = || Error::new("the database thread has ended");
        self.steps.as_ref().ok_or_else(gone)?.send(step).map_err(|_| gone())?;
        let late = |_| Error::new(format!("no answer for {} s", DEADLINE.as_secs()));
        timeout(DEADLINE, answered).await.map_err(late)?.map_err(|_| gone())?
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.steps.take());
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // It panicked: its own message has said why.
        }
    }
}

/// Gives how many steps there were.
fn commit_together(connection: &Connection, steps: impl Iterator<Item = Step>) -> usize {
    let begun = run(connection, "BEGIN IMMEDIATE").map_err(Arc::new);
    let answers: Vec<Answer> = steps
        .map(|step| {
            // A full disk makes SQLite roll the whole transaction back by itself.
            let lost = begun.is_err() || connection.is_autocommit();
            step((!lost).then_some(connection))
        })
        .collect();
    let committed = begun.and_then(|()| {
        run(connection, "COMMIT").map_err(|cause| {
            connection.execute_batch("ROLLBACK").ok(); // COMMIT's own error is the one to tell.
            Arc::new(cause)
        })
    });
    let steps = answers.len();
    for answer in answers {
        answer(committed.clone());
    }
    steps
}

/// Runs one step so that its failure undoes the step alone, and not its neighbours in the group.
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

/// Runs one statement, compiled once for as long as the connection lasts.
fn run(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}
