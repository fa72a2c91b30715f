//! Batched appends of many rooms.
//!
//! While one group of batches is at the server, batches of other rooms queue up. The next group
//! takes two commands: one reads the rooms, one inserts the messages. Only after a conflict with
//! another node in some room are the remaining messages inserted separately.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    panic::AssertUnwindSafe,
    time::Duration,
};

use futures_util::{
    FutureExt as _, TryStreamExt as _,
    future::{join, join_all},
};
use mongodb::{
    Collection, Database,
    bson::doc,
    error::{Error as DriverError, ErrorKind, IndexedWriteError},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};
use tokio_util::task::AbortOnDropHandle;

use super::super::{
    chat_document::ChatDocument,
    connection::with_deadline,
    messages::{Attempt, RoomSnapshot, said_before},
    room_document::RoomDocument,
    sequence::{SequenceEnd, Sequences},
    sessions::DUPLICATE_KEY,
};
use crate::{
    domain::{AppendError, Draft, RoomId},
    store::{Appended, Error, Result},
};

/// Limits of one group: it takes no further batch once it has this many messages, and the writer
/// queues this many batches.
const MAX_MESSAGES: usize = 1_000;
const MAX_BATCHES: usize = 1_000;

/// Delay before a retry when the number is taken by a message that is not majority-committed yet,
/// and so is not visible.
const RETRY_DELAY: Duration = Duration::from_millis(10);

/// Appends messages through one writer task.
#[derive(Debug)]
pub(in crate::store::mongo) struct AppendBatcher {
    queue: mpsc::UnboundedSender<Batch>,
    _persist_task: AbortOnDropHandle<()>,
}

#[derive(Debug)]
struct Batch {
    room: RoomId,
    drafts: Vec<Draft>,
    answer: oneshot::Sender<Result<Vec<Appended>>>,
}

impl Batch {
    /// False once the caller has stopped waiting: it may send the message again, and storing it now
    /// would duplicate it.
    fn is_awaited(&self) -> bool {
        !self.answer.is_closed()
    }

    fn answer(self, outcome: Result<Vec<Appended>>) {
        self.answer.send(outcome).ok(); // The caller may have stopped waiting.
    }
}

/// A batch in progress: some of its messages may be stored.
struct PendingBatch {
    batch: Batch,
    /// Outcomes of the drafts that are done, in order.
    outcomes: Vec<Appended>,
    /// The drafts that are not done.
    open: VecDeque<Attempt>,
    /// The last known end of the room's sequence.
    end: SequenceEnd,
}

/// The result of an insertion for one batch.
struct Inserted {
    /// Number of messages stored.
    stored: usize,
    /// Whether the next message was a duplicate, or its number was taken.
    stopped: bool,
}

impl AppendBatcher {
    /// Starts the writer task, which ends when this is dropped.
    pub(in crate::store::mongo) fn new(database: Database, sequences: Sequences) -> Self {
        let (queue, waiting) = mpsc::unbounded_channel();
        let (rooms, chats) = (database.collection("rooms"), database.collection("chats"));
        let writer = Writer { rooms, chats, sequences: sequences.clone() };
        tokio::spawn(writer.write_all(waiting));
        let persist_task = tokio::spawn(sequences.persist(database));
        Self { queue, _persist_task: AbortOnDropHandle::new(persist_task) }
    }

    /// Stores the drafts of a room, after earlier batches of the same room.
    pub(in crate::store::mongo) async fn write(
        &self,
        room: &RoomId,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Appended>> {
        let (answer, answered) = oneshot::channel();
        let ended = || Error::new("the writer has ended");
        let batch = Batch { room: room.clone(), drafts, answer };
        self.queue.send(batch).map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

impl PendingBatch {
    /// Number of messages before the next rejected draft.
    fn storable(&self) -> usize {
        self.open.iter().take_while(|attempt| attempt.is_ok()).count()
    }

    /// Documents of these messages, numbered from the last known end.
    fn documents(&self) -> Result<Vec<ChatDocument>> {
        let next = self.open.iter().map_while(|attempt| attempt.as_ref().ok());
        let numbered = next.zip(self.end.seq + 1..);
        numbered.map(|(message, seq)| ChatDocument::numbered(message, seq)).collect()
    }

    /// Records that the next `count` messages are stored.
    fn stored(&mut self, count: usize) {
        for mut message in self.open.drain(..count).flatten() {
            message.seq = self.end.seq + 1;
            let prev = self.end.head;
            self.end = self.end.followed_by(&message);
            self.outcomes.push(Appended::Stored { message, prev });
        }
    }

    /// The next draft.
    fn next(&self) -> &Draft {
        &self.batch.drafts[self.outcomes.len()]
    }

    /// Answers the caller when the batch failed or is done; returns it while there is more to do
    /// and the caller still waits.
    fn finish_or_continue(self, step: Result<()>) -> Option<Self> {
        match step {
            Err(cause) => self.batch.answer(Err(cause)),
            Ok(()) if self.open.is_empty() => self.batch.answer(Ok(self.outcomes)),
            Ok(()) if self.batch.is_awaited() => return Some(self),
            Ok(()) => {}
        }
        None
    }
}

/// The writer task.
struct Writer {
    rooms: Collection<RoomDocument>,
    chats: Collection<ChatDocument>,
    sequences: Sequences,
}

impl Writer {
    async fn write_all(self, mut waiting: mpsc::UnboundedReceiver<Batch>) {
        let mut queued = VecDeque::new();
        loop {
            if queued.is_empty() {
                let Some(first) = waiting.recv().await else { return };
                queued.push_back(first);
            }
            while queued.len() < MAX_BATCHES
                && let Ok(next) = waiting.try_recv()
            {
                queued.push_back(next);
            }
            let group = next_group(&mut queued);
            if !group.is_empty() {
                // After a panic the callers of this group get an error; the task goes on with the
                // next.
                AssertUnwindSafe(self.write(group)).catch_unwind().await.ok();
            }
        }
    }

    /// Each round stores messages, or resolves the conflict that prevented it.
    async fn write(&self, group: Vec<Batch>) {
        let begun = self.begin(group).await.into_iter().map(async |mut pending| {
            let step = with_deadline(self.skip_rejected(&mut pending)).await;
            pending.finish_or_continue(step)
        });
        let mut open: Vec<PendingBatch> = join_all(begun).await.into_iter().flatten().collect();
        let mut conflicted = false;
        while !open.is_empty() {
            let inserted = if conflicted {
                self.insert_apart(open).await
            } else {
                let inserted = self.insert(&open, true).await;
                open.into_iter().zip(inserted).collect()
            };
            let advanced = inserted.into_iter().map(|(pending, done)| self.advance(pending, done));
            open = join_all(advanced).await.into_iter().flatten().collect();
            conflicted = true;
        }
    }

    /// Inserts without making one room wait for another: batches with one message share an
    /// unordered command, each of the others has a command of its own.
    async fn insert_apart(&self, open: Vec<PendingBatch>) -> Vec<(PendingBatch, Result<Inserted>)> {
        let (single, several): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|pending| pending.storable() == 1);
        let each = several.iter().map(|pending| self.insert(std::slice::from_ref(pending), true));
        let (of_single, of_several) = join(self.insert(&single, false), join_all(each)).await;
        let of_several = of_several.into_iter().flatten();
        single.into_iter().zip(of_single).chain(several.into_iter().zip(of_several)).collect()
    }

    /// Reads the rooms of a group, and answers the batches whose rooms are gone.
    async fn begin(&self, group: Vec<Batch>) -> Vec<PendingBatch> {
        let mut snapshots = match with_deadline(self.read_rooms(&group)).await {
            Ok(snapshots) => snapshots,
            Err(cause) => {
                for (batch, cause) in group.into_iter().zip(cause.shared()) {
                    batch.answer(Err(cause));
                }
                return Vec::new();
            }
        };
        let begun = group.into_iter().filter_map(|batch| {
            let Some(snapshot) = snapshots.remove(batch.room.as_str()) else {
                let rejected = |_: &Draft| Appended::AppendError(AppendError::NoSuchRoom);
                let all = batch.drafts.iter().map(rejected).collect();
                batch.answer(Ok(all));
                return None;
            };
            let known = self.sequences.end(&batch.room);
            let end = known.map_or(snapshot.end(), |known| known.later_of(snapshot.end()));
            let resolved = batch.drafts.iter().map(|draft| snapshot.resolve(&batch.room, draft));
            match resolved.collect() {
                Ok(open) => Some(PendingBatch { batch, outcomes: Vec::new(), open, end }),
                Err(cause) => {
                    batch.answer(Err(cause)); // A seat of the room document does not parse.
                    None
                }
            }
        });
        begun.collect()
    }

    /// Snapshots of the rooms that exist.
    async fn read_rooms(&self, group: &[Batch]) -> Result<HashMap<String, RoomSnapshot>> {
        let names: Vec<&str> = group.iter().map(|batch| batch.room.as_str()).collect();
        let snapshots = self.rooms.clone_with_type::<RoomSnapshot>();
        // No projection: picking fields out of the seats costs the server more than it saves.
        let snapshots = snapshots.find(doc! { "_id": { "$in": names } }).await?;
        Ok(snapshots.map_ok(|snapshot| (snapshot.room.clone(), snapshot)).try_collect().await?)
    }

    /// Inserts the next messages of each room with one command. An ordered command stops at the
    /// first message that cannot be stored, so readers never see a message without its
    /// predecessors.
    async fn insert(&self, group: &[PendingBatch], in_order: bool) -> Vec<Result<Inserted>> {
        if group.is_empty() {
            return Vec::new();
        }
        let guards = group.iter().map(|w| self.sequences.insert(&w.batch.room, w.end.seq + 1));
        let _guards: Vec<_> = guards.collect();
        let inserted = with_deadline(async {
            let documents = group.iter().map(PendingBatch::documents);
            let documents: Vec<Vec<ChatDocument>> = documents.collect::<Result<_>>()?;
            let many = documents.iter().map(Vec::len);
            match self.chats.insert_many(documents.iter().flatten()).ordered(in_order).await {
                Ok(_) => Ok(many.map(|stored| Ok(Inserted { stored, stopped: false })).collect()),
                Err(cause) => match write_errors(&cause) {
                    Some(errors) => Ok(split_outcome(many, errors, in_order)),
                    None => Err(cause.into()),
                },
            }
        });
        match inserted.await {
            Ok(inserted) => inserted,
            Err(cause) => cause.shared().map(Err).take(group.len()).collect(),
        }
    }

    /// Records the stored messages, and resolves what prevented the next one.
    async fn advance(
        &self,
        mut pending: PendingBatch,
        inserted: Result<Inserted>,
    ) -> Option<PendingBatch> {
        let step = with_deadline(async {
            let Inserted { stored, stopped } = inserted?;
            pending.stored(stored);
            if stored > 0 {
                self.sequences.advance(&pending.batch.room, pending.end);
            }
            if stopped {
                self.resolve_conflict(&mut pending).await?;
            }
            self.skip_rejected(&mut pending).await
        });
        let step = step.await;
        pending.finish_or_continue(step)
    }

    /// The next message is a duplicate of a stored one, or its number is taken: reads which.
    async fn resolve_conflict(&self, pending: &mut PendingBatch) -> Result<()> {
        let room = &pending.batch.room;
        if let Some(message) = said_before(&self.chats, room, pending.next()).await? {
            pending.open.pop_front();
            pending.outcomes.push(Appended::Already(message));
            return Ok(());
        }
        let end = pending.end.refreshed(&self.chats, room).await?;
        if end == pending.end {
            sleep(RETRY_DELAY).await;
        }
        pending.end = end;
        Ok(())
    }

    /// Rejects the next invalid drafts, unless they repeat a stored message: an author who has left
    /// may still retry it.
    async fn skip_rejected(&self, pending: &mut PendingBatch) -> Result<()> {
        while let Some(Err(rejected)) = pending.open.front() {
            let rejected = *rejected;
            let said = said_before(&self.chats, &pending.batch.room, pending.next()).await?;
            pending.open.pop_front();
            pending.outcomes.push(said.map_or(Appended::AppendError(rejected), Appended::Already));
        }
        Ok(())
    }
}

/// The write errors of an insertion by index, if nothing else went wrong.
fn write_errors(cause: &DriverError) -> Option<&[IndexedWriteError]> {
    let ErrorKind::InsertMany(failed) = &*cause.kind else { return None };
    failed.write_errors.as_deref().filter(|_| failed.write_concern_error.is_none())
}

/// Splits the outcome of one insertion by batch; `many` yields the number of messages of each.
fn split_outcome(
    many: impl Iterator<Item = usize>,
    errors: &[IndexedWriteError],
    in_order: bool,
) -> Vec<Result<Inserted>> {
    let last_tried = errors.iter().map(|error| error.index).min().filter(|_| in_order);
    let mut range = 0..0;
    let batches = many.map(|many| {
        range = range.end..range.end + many;
        let mine = errors.iter().filter(|error| range.contains(&error.index));
        match mine.min_by_key(|error| error.index) {
            Some(error) if error.code == DUPLICATE_KEY => {
                Ok(Inserted { stored: error.index - range.start, stopped: true })
            }
            Some(error) => Err(Error::new(error.message.clone())),
            None => {
                let tried = last_tried.is_none_or(|last| range.end <= last);
                Ok(Inserted { stored: if tried { many } else { 0 }, stopped: false })
            }
        }
    });
    batches.collect()
}

/// Takes the next group from the queue: the oldest batch of each room, oldest first.
fn next_group(queued: &mut VecDeque<Batch>) -> Vec<Batch> {
    let (mut group, mut rooms) = (Vec::new(), HashSet::new());
    let mut messages = 0;
    for batch in std::mem::take(queued) {
        if !batch.is_awaited() {
            continue;
        }
        if messages < MAX_MESSAGES && rooms.insert(batch.room.clone()) {
            messages += batch.drafts.len();
            group.push(batch);
        } else {
            queued.push_back(batch);
        }
    }
    group
}
