//! Batches of many rooms, stored together.
//!
//! While some are on their way to the server, those of other rooms collect, and share the next commands. One
//! looks who is there. One inserts the messages of all rooms with a single new one, in any order, so that no
//! room waits for another whose number was taken. A room with several has a command of its own, which
//! stops at the first that cannot be: whoever reads meanwhile finds no message without those before it.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use futures_util::{
    TryStreamExt as _,
    future::{join, join_all},
};
use mongodb::{Collection, Database, bson::doc, error::ErrorKind};
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
                self.write(group).await;
            }
        }
    }

    /// Each round stores something of every room, or finds out what kept it from that.
    async fn write(&self, group: Vec<Batch>) {
        let begun = self.begin(group).await.into_iter().map(async |mut writing| {
            let step = in_time(self.pass_over(&mut writing)).await;
            writing.unless_done(step)
        });
        let mut open: Vec<Writing> = join_all(begun).await.into_iter().flatten().collect();
        while !open.is_empty() {
            let (single, several): (Vec<_>, Vec<_>) =
                open.into_iter().partition(|writing| writing.run() == 1);
            let several = several.into_iter().map(async |writing| {
                let stored = in_time(self.insert_in_order(&writing)).await;
                (writing, stored)
            });
            let (single, several) = join(self.insert_each(single), join_all(several)).await;
            let gone_on = single
                .into_iter()
                .chain(several)
                .map(|(writing, stored)| self.go_on(writing, stored));
            open = join_all(gone_on).await.into_iter().flatten().collect();
        }
    }

    /// Looks who is there, and answers those in whose rooms nobody is.
    async fn begin(&self, group: Vec<Batch>) -> Vec<Writing> {
        let mut places = match in_time(self.look(&group)).await {
            Ok(places) => places,
            Err(cause) => {
                let causes = shared(cause);
                group.into_iter().zip(causes).for_each(|(batch, cause)| batch.answer(Err(cause)));
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
            let end = known.map_or(place.end, |known| known.or_later(place.end));
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
        let fields = Place::fields(group.iter().flat_map(|batch| &batch.drafts));
        let places = self.rooms.clone_with_type::<Place>();
        let places = places.find(doc! { "_id": { "$in": names } }).projection(fields).await?;
        Ok(places.map_ok(|place| (place.room.clone(), place)).try_collect().await?)
    }

    /// Inserts the one message of each, and says of which it is stored: 1 or 0.
    async fn insert_each(&self, group: Vec<Writing>) -> Vec<(Writing, Result<usize>)> {
        if group.is_empty() {
            return Vec::new();
        }
        let under_way = group.iter().map(|w| self.logs.insert(&w.batch.room, w.end.seq + 1));
        let under_way: Vec<_> = under_way.collect();
        let inserted = in_time(async {
            let documents: Vec<Vec<_>> =
                group.iter().map(Writing::documents).collect::<Result<_>>()?;
            let insertion = self.chats.insert_many(documents.iter().flatten()).ordered(false);
            let Err(cause) = insertion.await else { return Ok(vec![Ok(1); group.len()]) };
            let ErrorKind::InsertMany(failed) = &*cause.kind else { return Err(cause.into()) };
            let errors = failed.write_errors.as_ref();
            let Some(errors) = errors.filter(|_| failed.write_concern_error.is_none()) else {
                return Err(cause.into());
            };
            let mut stored = vec![Ok(1); group.len()];
            for error in errors {
                let doubled = error.code == DUPLICATE_KEY;
                stored[error.index] = if doubled { Ok(0) } else { Err(error.message.clone()) };
            }
            Ok(stored)
        });
        let stored: Vec<Result<usize>> = match inserted.await {
            Ok(stored) => stored.into_iter().map(|stored| stored.map_err(Error::new)).collect(),
            Err(cause) => shared(cause).map(Err).take(group.len()).collect(),
        };
        drop(under_way);
        group.into_iter().zip(stored).collect()
    }

    /// Inserts the messages of one room until one cannot be, and says how many are stored.
    async fn insert_in_order(&self, writing: &Writing) -> Result<usize> {
        let _under_way = self.logs.insert(&writing.batch.room, writing.end.seq + 1);
        let documents = writing.documents()?;
        let Err(cause) = self.chats.insert_many(&documents).ordered(true).await else {
            return Ok(documents.len());
        };
        let ErrorKind::InsertMany(failed) = &*cause.kind else { return Err(cause.into()) };
        match failed.write_errors.as_deref() {
            Some([error])
                if error.code == DUPLICATE_KEY && failed.write_concern_error.is_none() =>
            {
                Ok(error.index)
            }
            _ => Err(cause.into()),
        }
    }

    /// Takes note of how many messages are stored, and finds out what kept the next from it.
    async fn go_on(&self, mut writing: Writing, stored: Result<usize>) -> Option<Writing> {
        let step = in_time(async {
            let (run, stored) = (writing.run(), stored?);
            writing.stored(stored);
            if stored > 0 {
                self.logs.grew(&writing.batch.room, writing.end);
            }
            if stored < run {
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

/// An error of several.
fn shared(cause: Error) -> impl Iterator<Item = Error> {
    let cause: Arc<dyn std::error::Error + Send + Sync> = cause.0.into();
    std::iter::repeat_with(move || Error::new(cause.clone()))
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
