//! The room task: one task per busy room runs the room's commands in order.
//!
//! While the store commits one batch of messages, the next batch collects in the queue. Batching
//! needs no timer, and a lone message is committed at once. Answers and events leave in the order
//! of `seq`; [`Fanout`] delivers the events. Greetings run between two batches, so each message is
//! either in a visitor's greeting or reaches them live.
//!
//! When the store fails, the room task refuses every queued request at once, so that nobody waits
//! for earlier requests to time out one by one. Commands that nobody waits for stay queued and are
//! retried.
//!
//! A room task starts with the first command and ends when its queue is empty.

use std::{
    collections::{HashMap, VecDeque},
    fmt::Debug,
    num::NonZeroU32,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt as _, future::join_all};
use tokio::{
    task::yield_now,
    time::{Instant, sleep},
};
use tokio_util::task::TaskTracker;
use tracing::{error, warn};

use super::{
    Error,
    command::{
        Announce, Command, CommandQueues, Greeting, PendingSay, Say, batch_of, dedup_heads, refuse,
        unavailable,
    },
    fanout::{Fanout, Heads},
    reconcile::Reconciler,
    retention::Trim,
};
use crate::{
    bus::Bus,
    domain::{Author, Draft, DraftBody, Event, Gif, Person, RoomId, SystemCode, Timestamp, Window},
    media::Media,
    store::{self, Appended, Store},
};

/// Delay before a room task retries after a store failure.
const RETRY_AFTER: Duration = Duration::from_millis(250);

/// The end of a command, or the commands to retry after a store failure.
type Done = Result<(), Vec<Command>>;

/// The room tasks of this node, and what they share.
pub(super) struct RoomTasks {
    store: Arc<dyn Store>,
    media: Media,
    bus: Bus,
    reconciler: Arc<Reconciler>,
    /// Largest number of messages that a room keeps.
    max_chats: Option<NonZeroU32>,
    queues: CommandQueues,
    heads: Heads,
    /// The tasks that a stop waits for.
    tracker: TaskTracker,
}

impl RoomTasks {
    pub(super) fn new(
        store: Arc<dyn Store>,
        media: Media,
        bus: Bus,
        reconciler: Arc<Reconciler>,
        max_chats: Option<NonZeroU32>,
    ) -> Self {
        let (queues, heads, tracker) = Default::default();
        Self { store, media, bus, reconciler, max_chats, queues, heads, tracker }
    }

    /// Queues a command for the room task, and starts the task if needed. First in, first out.
    pub(super) fn queue(self: &Arc<Self>, room: &RoomId, command: Command) {
        if self.queues.add(room, command) {
            let (tasks, room) = (self.clone(), room.clone());
            self.spawn(async move {
                let task = RoomTask::new(&tasks, &room);
                if AssertUnwindSafe(task.run()).catch_unwind().await.is_err() {
                    tasks.queues.abort(&room); // The panic is already logged.
                }
            });
        }
    }

    /// Queues a system message about a person.
    pub(super) fn queue_system_message(
        self: &Arc<Self>,
        room: &RoomId,
        code: SystemCode,
        person: &Person,
        announce: Announce,
    ) {
        let body = DraftBody::System { code, person: person.clone() };
        let (author, at) = (Author::System(person.clone()), Timestamp::now());
        let draft = Draft { author, body, client_id: None, at };
        self.queue(room, Command::Say(Box::new(Say { draft, announce, waiter: None })));
    }

    /// Runs a task that [`RoomTasks::finish`] waits for.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(task);
    }

    /// Announces the newest public `seq` of each room that received a message since the last call.
    pub(super) async fn announce_heads(&self) {
        let heads = std::mem::take(&mut *self.heads.lock());
        for (room, seq) in heads {
            self.bus.announce(Event::Head { room, seq }).await;
        }
    }

    /// Waits until every task has ended.
    pub(super) async fn finish(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}

/// The task of one room.
struct RoomTask<'a> {
    tasks: &'a Arc<RoomTasks>,
    room: &'a RoomId,
    fanout: Fanout<'a>,
}

impl<'a> RoomTask<'a> {
    fn new(tasks: &'a Arc<RoomTasks>, room: &'a RoomId) -> Self {
        Self { tasks, room, fanout: Fanout::new(room, &tasks.bus, &tasks.heads) }
    }

    /// Runs the room's commands until its queue is empty.
    async fn run(mut self) {
        // Commands that have arrived by now share the first batch.
        yield_now().await;
        loop {
            if self.fanout.may_store()
                && let Some(commands) = self.tasks.queues.take(self.room)
            {
                self.run_commands(commands).await;
            } else if !self.fanout.is_idle() {
                self.fanout.step().await;
            } else if self.tasks.queues.close(self.room) {
                return;
            }
        }
    }

    async fn run_commands(&mut self, mut commands: VecDeque<Command>) {
        while let Some(first) = commands.pop_front() {
            if !matches!(first, Command::Say(_)) {
                self.fanout.flush().await; // It must take effect after all earlier messages.
            }
            let done = match first {
                Command::Say(first) => self.store_batch(batch_of(*first, &mut commands)).await,
                Command::Greet(first) => {
                    let mut greetings = vec![first];
                    while let Some(Command::Greet(next)) =
                        commands.pop_front_if(|next| matches!(next, Command::Greet(_)))
                    {
                        greetings.push(next);
                    }
                    self.greet_batch(greetings).await;
                    Ok(())
                }
                Command::Signal(done) => {
                    done.send(()).ok(); // The receiver may be gone.
                    Ok(())
                }
                Command::Announce(event) => {
                    self.tasks.bus.announce(event).await;
                    Ok(())
                }
                Command::AnnounceHead => {
                    let done = self.announce_head().await;
                    self.or_retry(done, Command::AnnounceHead, "announce the newest message")
                }
                Command::AnnounceRoom => {
                    let done = self.announce_room().await;
                    self.or_retry(done, Command::AnnounceRoom, "announce a room change")
                }
                Command::Discard(gif) => {
                    let done = self.discard(&gif).await;
                    self.or_retry(done, Command::Discard(gif), "remove a GIF")
                }
                Command::Purge => self.or_retry(self.purge().await, Command::Purge, "purge a room"),
            };
            if let Err(retries) = done {
                self.fanout.flush().await;
                let queued =
                    commands.drain(..).chain(self.tasks.queues.take(self.room).unwrap_or_default());
                commands = dedup_heads(retries.into_iter().chain(queued).filter_map(refuse));
                sleep(RETRY_AFTER).await;
            }
        }
    }

    /// Commits a batch, answers the senders and announces the messages. When the store fails,
    /// returns the commands to retry.
    async fn store_batch(&mut self, batch: Vec<Say>) -> Done {
        let (tasks, room) = (self.tasks, self.room);
        let now = Instant::now();
        // A client resends a message after its deadline; storing it now would duplicate it.
        let still_wanted = |say: &Say| say.waiter.as_ref().is_none_or(|waiter| now < waiter.until);
        let batch: Vec<Say> = batch.into_iter().filter(still_wanted).collect();
        if batch.is_empty() {
            return Ok(());
        }
        let (drafts, pending): (Vec<_>, Vec<_>) = batch.into_iter().map(PendingSay::of).unzip();
        let has_count = pending.iter().any(|say| say.announce.has_count());
        let storing = append(&*tasks.store, room, drafts, has_count);
        let (outcomes, count) = match self.fanout.run_during(storing).await {
            Ok(stored) => stored,
            Err(cause) => {
                error!(%room, error = ?cause, "could not store a batch of messages");
                tasks.reconciler.add_room(room, None); // The batch may still have been committed.
                let retries = pending.into_iter().filter_map(PendingSay::failed);
                return Err(retries.chain([Command::AnnounceHead]).collect());
            }
        };
        let mut events = Vec::with_capacity(pending.len());
        let mut numbers = Vec::with_capacity(pending.len());
        for (say, outcome) in pending.into_iter().zip(outcomes) {
            let answer = match outcome {
                Appended::AppendError(error) => Err(error.into()),
                Appended::Already(message) => {
                    if message.is_public() {
                        // The server that stored it may have crashed before announcing it.
                        events.push(Event::Head { room: room.clone(), seq: message.seq });
                    }
                    Ok(message)
                }
                Appended::Stored { message, prev } => {
                    numbers.push(message.seq);
                    let announce = count.map_or(say.announce, |now| say.announce.with_count(now));
                    announce.add_to(&mut events, message.clone(), prev);
                    Ok(message)
                }
            };
            if let Some(waiter) = say.waiter {
                waiter.answer(answer);
            }
        }
        self.fanout.add(events).await;
        if let (Some(first), Some(last)) = (numbers.first(), numbers.last())
            && let Some(trim) = Trim::if_due(tasks.max_chats, first - 1, *last)
        {
            let (all, room) = (tasks.clone(), room.clone());
            tasks.spawn(async move { trim.run(&room, &*all.store, &all).await });
        }
        Ok(())
    }

    /// Announces the newest public `seq`, so that clients fetch the messages they missed.
    async fn announce_head(&self) -> Result<(), Error> {
        let (RoomTasks { store, bus, .. }, room) = (&**self.tasks, self.room);
        match store.latest_public_seq(room).await? {
            Some(seq) => bus.announce(Event::Head { room: room.clone(), seq }).await,
            None => self.tasks.queue(room, Command::Purge),
        }
        Ok(())
    }

    async fn announce_room(&self) -> Result<(), Error> {
        // The closing of a room is announced by `ChatService::announce_closing`.
        if let Some(room) = self.tasks.store.room(self.room).await? {
            self.tasks.bus.announce(Event::RoomUpdated(room.summary())).await;
        }
        Ok(())
    }

    /// Removes the files of a GIF, unless a message shows it: one may have been stored meanwhile.
    async fn discard(&self, gif: &Gif) -> Result<(), Error> {
        let RoomTasks { store, media, .. } = &**self.tasks;
        if !store.shows(self.room, gif).await? {
            media.delete(self.room, gif).await?;
        }
        Ok(())
    }

    async fn purge(&self) -> Result<(), Error> {
        let RoomTasks { store, media, .. } = &**self.tasks;
        if store.room(self.room).await?.is_none() {
            store.purge(self.room).await?;
            media.delete_room(self.room).await?;
        }
        Ok(())
    }

    fn or_retry(&self, done: Result<(), impl Debug>, command: Command, action: &str) -> Done {
        done.map_err(|cause| {
            warn!(room = %self.room, error = ?cause, "could not {action}; will retry");
            vec![command]
        })
    }

    /// Reads the room and its history once for all visitors who ask for the same window.
    async fn greet_batch(&self, greetings: Vec<Greeting>) {
        let (store, room) = (&self.tasks.store, self.room);
        let mut by_window: HashMap<Window, Vec<Greeting>> = HashMap::new();
        for greeting in greetings {
            by_window.entry(greeting.window).or_default().push(greeting);
        }
        let read = by_window.into_iter().map(async |(window, greetings)| {
            let viewers: Vec<_> =
                greetings.iter().map(|one| one.connection.person.clone()).collect();
            (greetings, store.histories(room, &viewers, window).await)
        });
        let read = join_all(read).await;
        // Read the room after its messages: everybody named by a join message then has a seat in
        // it. An earlier read could contain somebody whose leaving is already announced.
        let found = store.room(room).await;
        for (greetings, histories) in read {
            let refusal = match (&found, histories) {
                (Ok(Some(room)), Ok(histories)) => {
                    for (greeting, history) in greetings.into_iter().zip(histories) {
                        let held = room.holds(&greeting.connection);
                        let found = held.then(|| (room.clone(), history));
                        (greeting.welcome)(found.ok_or(Error::NotInRoom));
                    }
                    continue;
                }
                (Ok(None), _) => || Error::NoSuchRoom,
                (Err(cause), _) => refused_greeting(room, cause),
                (_, Err(cause)) => refused_greeting(room, &cause),
            };
            for greeting in greetings {
                (greeting.welcome)(Err(refusal()));
            }
        }
    }
}

/// Stores messages, and then reads the number of people if an event is to name it. Two people may
/// leave in one order and be announced in the other: only a number that is read now makes the last
/// event right.
async fn append(
    store: &dyn Store,
    room: &RoomId,
    drafts: Vec<Draft>,
    has_count: bool,
) -> store::Result<(Vec<Appended>, Option<u32>)> {
    let outcomes = store.append(room, drafts).await?;
    if !has_count {
        return Ok((outcomes, None));
    }
    let found = store.summaries(vec![room.clone()]).await.unwrap_or_else(|error| {
        warn!(%room, ?error, "could not read the number of people; announcing an earlier one");
        Vec::new()
    });
    Ok((outcomes, found.first().map(|room| room.count)))
}

fn refused_greeting(room: &RoomId, cause: &store::Error) -> fn() -> Error {
    warn!(%room, error = ?cause, "could not read a room and its history for a greeting");
    unavailable
}
