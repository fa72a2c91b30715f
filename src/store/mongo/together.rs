//! Batches of many rooms, stored together.
//!
//! While some are on their way to the server, those of other rooms collect, and share the next two commands: one
//! looks who is there, one inserts. Only when another server has said something in one of the rooms, the rest is
//! inserted apart.

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

use super::{
    chat_document::ChatDocument,
    connection::in_time,
    log::{End, Logs},
    messages::{Attempt, Place, said_before},
    room_document::RoomDocument,
    sessions::DUPLICATE_KEY,
};
use crate::{
    domain::{Draft, RoomId},
    store::{Appended, Error, Result, Unsaid},
};

/// No more are added to so many messages that are stored together, or to so many batches.
const MAX_MESSAGES: usize = 1_000;
const MAX_BATCHES: usize = 1_000;

/// A number can be taken by a message that is not there for good yet; then it is looked at again after this.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The way into the database for what is said.
#[derive(Debug)]
pub(super) struct Together {
    queue: mpsc::UnboundedSender<Batch>,
    _writing_down: AbortOnDropHandle<()>,
}

#[derive(Debug)]
struct Batch {
    room: RoomId,
    drafts: Vec<Draft>,
    answer: oneshot::Sender<Result<Vec<Appended>>>,
}

impl Batch {
    /// Whoever has stopped waiting may say it again: stored now, it would be there twice.
    fn is_awaited(&self) -> bool {
        !self.answer.is_closed()
    }

    fn answer(self, outcome: Result<Vec<Appended>>) {
        self.answer.send(outcome).ok(); // They have gone; what is stored stays.
    }
}

/// A batch of which some may be stored.
struct Writing {
    batch: Batch,
    /// What became of the first of its drafts.
    outcomes: Vec<Appended>,
    /// The others.
    open: VecDeque<Attempt>,
    /// Where the room's log ends, as far as is known.
    end: End,
}

/// What an insertion did for a batch.
struct Inserted {
    /// So many of its messages are stored.
    stored: usize,
    /// The next was there already, or its number was taken.
    stopped: bool,
}

impl Together {
    /// Writes until this is dropped.
    pub(super) fn new(database: Database, logs: Logs) -> Self {
        let (queue, waiting) = mpsc::unbounded_channel();
        let (rooms, chats) = (database.collection("rooms"), database.collection("chats"));
        let writer = Writer { rooms, chats, logs: logs.clone() };
        tokio::spawn(writer.write_all(waiting));
        let writing_down = tokio::spawn(logs.write_down(database));
        Self { queue, _writing_down: AbortOnDropHandle::new(writing_down) }
    }

    /// Stores what can be of a room's drafts, after those of the same room that came before.
    pub(super) async fn write(&self, room: &RoomId, drafts: Vec<Draft>) -> Result<Vec<Appended>> {
        let (answer, answered) = oneshot::channel();
        let ended = || Error::new("the writer has ended");
        let batch = Batch { room: room.clone(), drafts, answer };
        self.queue.send(batch).map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

impl Writing {
    /// How many messages come next, before one that cannot be stored.
    fn run(&self) -> usize {
        self.open.iter().take_while(|attempt| attempt.is_ok()).count()
    }

    /// Their documents, with the numbers behind where the log is thought to end.
    fn documents(&self) -> Result<Vec<ChatDocument>> {
        let next = self.open.iter().map_while(|attempt| attempt.as_ref().ok());
        let numbered = next.zip(self.end.seq + 1..);
        numbered.map(|(message, seq)| ChatDocument::numbered(message, seq)).collect()
    }

    /// So many of them are stored.
    fn stored(&mut self, count: usize) {
        for mut message in self.open.drain(..count).flatten() {
            message.seq = self.end.seq + 1;
            let prev = self.end.head;
            self.end = self.end.behind(&message);
            self.outcomes.push(Appended::Stored { message, prev });
        }
    }

    /// The draft that comes next.
    fn next(&self) -> &Draft {
        &self.batch.drafts[self.outcomes.len()]
    }

    /// Answers, unless a step went well and somebody waits for more of them.
    fn unless_done(self, step: Result<()>) -> Option<Self> {
        match step {
            Err(cause) => self.batch.answer(Err(cause)),
            Ok(()) if self.open.is_empty() => self.batch.answer(Ok(self.outcomes)),
            Ok(()) if self.batch.is_awaited() => return Some(self),
            Ok(()) => {}
        }
        None
    }
}

/// What writes.
struct Writer {
    rooms: Collection<RoomDocument>,
    chats: Collection<ChatDocument>,
    logs: Logs,
}

impl Writer {
    async fn write_all(self, mut waiting: mpsc::UnboundedReceiver<Batch>) {
        let mut held = VecDeque::new();
        loop {
            if held.is_empty() {
                let Some(first) = waiting.recv().await else { return };
                held.push_back(first);
            }
            while held.len() < MAX_BATCHES
                && let Ok(next) = waiting.try_recv()
            {
                held.push_back(next);
            }
            let group = next_group(&mut held);
            if !group.is_empty() {
                // Should it panic, those who wait are told, and the next are written.
                AssertUnwindSafe(self.write(group)).catch_unwind().await.ok();
            }
        }
    }

    /// Each round stores something, or finds out what kept it from that.
    async fn write(&self, group: Vec<Batch>) {
        let begun = self.begin(group).await.into_iter().map(async |mut writing| {
            let step = in_time(self.pass_over(&mut writing)).await;
            writing.unless_done(step)
        });
        let mut open: Vec<Writing> = join_all(begun).await.into_iter().flatten().collect();
        let mut disturbed = false;
        while !open.is_empty() {
            let inserted = if disturbed {
                self.insert_apart(open).await
            } else {
                let inserted = self.insert(&open, true).await;
                open.into_iter().zip(inserted).collect()
            };
            let gone_on = inserted.into_iter().map(|(writing, done)| self.go_on(writing, done));
            open = join_all(gone_on).await.into_iter().flatten().collect();
            disturbed = true;
        }
    }

    /// So that no room waits for another: those with one message in any order, each of the others in a
    /// command of its own.
    async fn insert_apart(&self, open: Vec<Writing>) -> Vec<(Writing, Result<Inserted>)> {
        let (single, several): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|writing| writing.run() == 1);
        let each = several.iter().map(|writing| self.insert(std::slice::from_ref(writing), true));
        let (of_single, of_several) = join(self.insert(&single, false), join_all(each)).await;
        let of_several = of_several.into_iter().flatten();
        single.into_iter().zip(of_single).chain(several.into_iter().zip(of_several)).collect()
    }

    /// Looks who is there, and answers those in whose rooms nobody is.
    async fn begin(&self, group: Vec<Batch>) -> Vec<Writing> {
        let mut places = match in_time(self.look(&group)).await {
            Ok(places) => places,
            Err(cause) => {
                for (batch, cause) in group.into_iter().zip(cause.shared()) {
                    batch.answer(Err(cause));
                }
                return Vec::new();
            }
        };
        let begun = group.into_iter().filter_map(|batch| {
            let Some(place) = places.remove(batch.room.as_str()) else {
                let unsaid = |_: &Draft| Appended::Unsaid(Unsaid::NoSuchRoom);
                let all = batch.drafts.iter().map(unsaid).collect();
                batch.answer(Ok(all));
                return None;
            };
            let known = self.logs.end(&batch.room);
            let end = known.map_or(place.end(), |known| known.or_later(place.end()));
            let resolved = batch.drafts.iter().map(|draft| place.resolve(&batch.room, draft));
            match resolved.collect() {
                Ok(open) => Some(Writing { batch, outcomes: Vec::new(), open, end }),
                Err(cause) => {
                    batch.answer(Err(cause)); // A seat in it makes no sense.
                    None
                }
            }
        });
        begun.collect()
    }

    /// The rooms that are there.
    async fn look(&self, group: &[Batch]) -> Result<HashMap<String, Place>> {
        let names: Vec<&str> = group.iter().map(|batch| batch.room.as_str()).collect();
        let places = self.rooms.clone_with_type::<Place>();
        // All of each: a server that has to pick out fields, most of all of seats, takes longer.
        let places = places.find(doc! { "_id": { "$in": names } }).await?;
        Ok(places.map_ok(|place| (place.room.clone(), place)).try_collect().await?)
    }

    /// Inserts what comes next in each room with one command. In order, it stops at the first message that
    /// cannot be stored: whoever reads meanwhile finds none without those before it.
    async fn insert(&self, group: &[Writing], in_order: bool) -> Vec<Result<Inserted>> {
        if group.is_empty() {
            return Vec::new();
        }
        let under_way = group.iter().map(|w| self.logs.insert(&w.batch.room, w.end.seq + 1));
        let _under_way: Vec<_> = under_way.collect();
        let inserted = in_time(async {
            let documents = group.iter().map(Writing::documents);
            let documents: Vec<Vec<ChatDocument>> = documents.collect::<Result<_>>()?;
            let many = documents.iter().map(Vec::len);
            match self.chats.insert_many(documents.iter().flatten()).ordered(in_order).await {
                Ok(_) => Ok(many.map(|stored| Ok(Inserted { stored, stopped: false })).collect()),
                Err(cause) => match write_errors(&cause) {
                    Some(errors) => Ok(sorted_out(many, errors, in_order)),
                    None => Err(cause.into()),
                },
            }
        });
        match inserted.await {
            Ok(inserted) => inserted,
            Err(cause) => cause.shared().map(Err).take(group.len()).collect(),
        }
    }

    /// Takes note of what is stored, and finds out what kept the next message from it.
    async fn go_on(&self, mut writing: Writing, inserted: Result<Inserted>) -> Option<Writing> {
        let step = in_time(async {
            let Inserted { stored, stopped } = inserted?;
            writing.stored(stored);
            if stored > 0 {
                self.logs.grew(&writing.batch.room, writing.end);
            }
            if stopped {
                self.look_again(&mut writing).await?;
            }
            self.pass_over(&mut writing).await
        });
        let step = step.await;
        writing.unless_done(step)
    }

    /// The next message was there already, or its number was taken.
    async fn look_again(&self, writing: &mut Writing) -> Result<()> {
        let room = &writing.batch.room;
        if let Some(message) = said_before(&self.chats, room, writing.next()).await? {
            writing.open.pop_front();
            writing.outcomes.push(Appended::Already(message));
            return Ok(());
        }
        let end = writing.end.now(&self.chats, room).await?;
        if end == writing.end {
            sleep(LOOK_EVERY).await;
        }
        writing.end = end;
        Ok(())
    }

    /// Whoever has no seat any more may still ask for what they said.
    async fn pass_over(&self, writing: &mut Writing) -> Result<()> {
        while let Some(Err(unsaid)) = writing.open.front() {
            let unsaid = *unsaid;
            let said = said_before(&self.chats, &writing.batch.room, writing.next()).await?;
            writing.open.pop_front();
            writing.outcomes.push(said.map_or(Appended::Unsaid(unsaid), Appended::Already));
        }
        Ok(())
    }
}

/// What kept some of the messages from being inserted, by their places, if that is all that went wrong.
fn write_errors(cause: &DriverError) -> Option<&[IndexedWriteError]> {
    let ErrorKind::InsertMany(failed) = &*cause.kind else { return None };
    failed.write_errors.as_deref().filter(|_| failed.write_concern_error.is_none())
}

/// What became of the batches, each with so many messages, of which these could not be inserted.
fn sorted_out(
    many: impl Iterator<Item = usize>,
    errors: &[IndexedWriteError],
    in_order: bool,
) -> Vec<Result<Inserted>> {
    let last_tried = errors.iter().map(|error| error.index).min().filter(|_| in_order);
    let mut places = 0..0;
    let batches = many.map(|many| {
        places = places.end..places.end + many;
        let mine = errors.iter().filter(|error| places.contains(&error.index));
        match mine.min_by_key(|error| error.index) {
            Some(error) if error.code == DUPLICATE_KEY => {
                Ok(Inserted { stored: error.index - places.start, stopped: true })
            }
            Some(error) => Err(Error::new(error.message.clone())),
            None => {
                let tried = last_tried.is_none_or(|last| places.end <= last);
                Ok(Inserted { stored: if tried { many } else { 0 }, stopped: false })
            }
        }
    });
    batches.collect()
}

/// Takes what may be written together: one batch of each room, the first ones first.
fn next_group(held: &mut VecDeque<Batch>) -> Vec<Batch> {
    let (mut group, mut rooms) = (Vec::new(), HashSet::new());
    let mut messages = 0;
    for batch in std::mem::take(held) {
        if !batch.is_awaited() {
            continue;
        }
        if messages < MAX_MESSAGES && rooms.insert(batch.room.clone()) {
            messages += batch.drafts.len();
            group.push(batch);
        } else {
            held.push_back(batch);
        }
    }
    group
}
