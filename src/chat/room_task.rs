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
    panic::AssertUnwindSafe,
    time::Duration,
};

use parking_lot::Mutex;

use futures_util::{FutureExt as _, future::join_all};
use tokio::{
    task::yield_now,
    time::{Instant, sleep},
};
use tracing::{error, warn};

use super::{
    ChatService, Error,
    command::{
        Command, Greeting, PendingSay, Say, batch_of, dedup_heads, is_greet, refuse, unavailable,
    },
    fanout::Fanout,
};
use crate::{
    domain::{Event, Gif, PersonId, RoomId, Seq, Window},
    store::{self, Appended},
};

/// Delay before a room task retries after a store failure.
const RETRY_AFTER: Duration = Duration::from_millis(250);

/// The command queues of the running room tasks.
#[derive(Default)]
pub(super) struct RoomTasks {
    /// Queued commands by room. A room has an entry while its task runs.
    waiting: Mutex<HashMap<RoomId, VecDeque<Command>>>,
    /// The newest public message of each room since the last [`RoomTasks::take_heads`].
    heads: Mutex<HashMap<RoomId, Seq>>,
}

impl RoomTasks {
    /// Queues a command. Returns true when the caller must start the room task.
    fn add(&self, room: &RoomId, work: Command) -> bool {
        let mut waiting = self.waiting.lock();
        if let Some(queue) = waiting.get_mut(room) {
            queue.push_back(work);
            return false;
        }
        waiting.insert(room.clone(), VecDeque::from([work]));
        true
    }

    /// Takes all queued commands of a room.
    fn take_waiting(&self, room: &RoomId) -> VecDeque<Command> {
        self.waiting.lock().get_mut(room).map(std::mem::take).unwrap_or_default()
    }

    /// Removes a room's queue if it is empty. Returns true when the room task may end.
    fn close(&self, room: &RoomId) -> bool {
        let mut waiting = self.waiting.lock();
        let empty = waiting.get(room).is_none_or(VecDeque::is_empty);
        if empty {
            waiting.remove(room);
        }
        empty
    }

    /// Removes the queue of a room task that panicked and refuses its commands. The next command
    /// starts a new task.
    fn abort(&self, room: &RoomId) {
        let left = self.waiting.lock().remove(room);
        left.into_iter().flatten().filter_map(refuse).for_each(drop);
    }

    /// Takes the newest public `seq` of each room that published one since the last call.
    pub(super) fn take_heads(&self) -> HashMap<RoomId, Seq> {
        std::mem::take(&mut *self.heads.lock())
    }

    /// Records the newest public message that was published to a room.
    pub(super) fn record_head(&self, room: &RoomId, seq: Seq) {
        let mut heads = self.heads.lock();
        heads.insert(room.clone(), seq);
    }
}

impl ChatService {
    /// Queues a command for the room task, and starts the task if needed. First in, first out.
    pub(super) fn queue(&self, room: &RoomId, work: Command) {
        if self.room_tasks.add(room, work) {
            let (chat, room) = (self.clone(), room.clone());
            self.tasks.spawn(async move {
                if AssertUnwindSafe(chat.run(&room)).catch_unwind().await.is_err() {
                    chat.room_tasks.abort(&room); // The panic is already logged.
                }
            });
        }
    }

    /// Runs a room's commands until its queue is empty.
    async fn run(&self, room: &RoomId) {
        // Commands that have arrived by now share the first batch.
        yield_now().await;
        let mut fanout = Fanout::new(self.clone(), room.clone());
        loop {
            let work = if fanout.may_store() {
                self.room_tasks.take_waiting(room)
            } else {
                VecDeque::new()
            };
            if !work.is_empty() {
                self.run_commands(room, work, &mut fanout).await;
            } else if !fanout.is_idle() {
                fanout.step().await;
            } else if self.room_tasks.close(room) {
                return;
            }
        }
    }

    async fn run_commands(&self, room: &RoomId, mut work: VecDeque<Command>, fanout: &mut Fanout) {
        while let Some(first) = work.pop_front() {
            if !matches!(first, Command::Say(_)) {
                fanout.flush().await; // This command must take effect after all earlier messages.
            }
            let done = match first {
                Command::Say(first) => {
                    self.store_batch(room, batch_of(*first, &mut work), fanout).await
                }
                Command::Greet { viewer, window, greeting } => {
                    let mut greetings = vec![(viewer, window, greeting)];
                    while let Some(Command::Greet { viewer, window, greeting }) =
                        work.pop_front_if(is_greet)
                    {
                        greetings.push((viewer, window, greeting));
                    }
                    self.greet_batch(room, greetings).await;
                    Ok(())
                }
                Command::Signal(done) => {
                    done.send(()).ok(); // The receiver may be gone.
                    Ok(())
                }
                Command::Publish(event) => {
                    self.bus.announce(event).await;
                    Ok(())
                }
                Command::PublishHead => self.publish_head(room).await,
                Command::PublishRoom => self.publish_room(room).await,
                Command::Discard(gif) => self.discard(room, gif).await,
                Command::Purge => self.purge(room).await.map_err(|cause| {
                    warn!(%room, error = ?cause, "could not purge a closed room; will retry");
                    vec![Command::Purge]
                }),
            };
            if let Err(again) = done {
                fanout.flush().await;
                let waiting = work.drain(..).chain(self.room_tasks.take_waiting(room));
                work = dedup_heads(again.into_iter().chain(waiting).filter_map(refuse));
                sleep(RETRY_AFTER).await;
            }
        }
    }

    /// Commits a batch, answers the senders and publishes the messages. When the store fails,
    /// returns the commands to retry.
    async fn store_batch(
        &self,
        room: &RoomId,
        batch: Vec<Say>,
        fanout: &mut Fanout,
    ) -> Result<(), Vec<Command>> {
        let now = Instant::now();
        // A client resends a message after its deadline; storing it now would duplicate it.
        let still_wanted = |say: &Say| say.waiter.as_ref().is_none_or(|waiter| now < waiter.until);
        let batch: Vec<Say> = batch.into_iter().filter(still_wanted).collect();
        if batch.is_empty() {
            return Ok(());
        }
        let (drafts, pending): (Vec<_>, Vec<_>) = batch.into_iter().map(PendingSay::of).unzip();
        let outcomes = match fanout.run_during(self.store.append(room, drafts)).await {
            Ok(outcomes) => outcomes,
            Err(cause) => {
                error!(%room, error = ?cause, "could not store a batch of messages");
                self.reconciler.add(room, None); // The batch may still have been committed.
                let again = pending.into_iter().filter_map(PendingSay::failed);
                return Err(again.chain([Command::PublishHead]).collect());
            }
        };
        let mut events = Vec::with_capacity(pending.len());
        let mut numbers = Vec::with_capacity(pending.len());
        for (say, outcome) in pending.into_iter().zip(outcomes) {
            let said = match outcome {
                Appended::AppendError(error) => Err(error.into()),
                Appended::Already(message) => {
                    if message.is_public() {
                        // The server that stored it may have crashed before publishing it.
                        events.push(Event::Head { room: room.clone(), seq: message.seq });
                    }
                    Ok(message)
                }
                Appended::Stored { message, prev } => {
                    numbers.push(message.seq);
                    say.announce.add_to(&mut events, message.clone(), prev);
                    Ok(message)
                }
            };
            if let Some(waiter) = say.waiter {
                waiter.answer(said);
            }
        }
        fanout.add(events).await;
        if let (Some(first), Some(last)) = (numbers.first(), numbers.last()) {
            self.bound_history(room, first - 1, *last);
        }
        Ok(())
    }

    /// Publishes the newest public `seq`, so that clients fetch the messages they missed.
    async fn publish_head(&self, id: &RoomId) -> Result<(), Vec<Command>> {
        match self.store.latest_public_seq(id).await {
            Ok(Some(seq)) => self.bus.announce(Event::Head { room: id.clone(), seq }).await,
            Ok(None) => self.queue(id, Command::Purge),
            Err(cause) => {
                warn!(room = %id, error = ?cause, "the store is still failing");
                return Err(vec![Command::PublishHead]);
            }
        }
        Ok(())
    }

    async fn publish_room(&self, id: &RoomId) -> Result<(), Vec<Command>> {
        match self.store.room(id).await {
            Ok(Some(room)) => self.bus.announce(Event::RoomUpdated(room.summary())).await,
            Ok(None) => {} // `ChatService::closed` publishes the closing.
            Err(cause) => {
                warn!(room = %id, error = ?cause, "could not publish a room change; will retry");
                return Err(vec![Command::PublishRoom]);
            }
        }
        Ok(())
    }

    async fn discard(&self, room: &RoomId, gif: Gif) -> Result<(), Vec<Command>> {
        self.media.delete(room, &gif).await.map_err(|cause| {
            warn!(%room, error = ?cause, "could not remove a GIF; will retry");
            vec![Command::Discard(gif)]
        })
    }

    async fn greet_batch(&self, room: &RoomId, greetings: Vec<(PersonId, Window, Greeting)>) {
        // One read serves all visitors who ask for the same window.
        let mut by_window: HashMap<Window, (Vec<PersonId>, Vec<Greeting>)> = HashMap::new();
        for (viewer, window, greeting) in greetings {
            let (viewers, waiting) = by_window.entry(window).or_default();
            viewers.push(viewer);
            waiting.push(greeting);
        }
        let read = by_window.into_iter().map(async |(window, (viewers, waiting))| {
            (waiting, self.store.histories(room, &viewers, window).await)
        });
        let read = join_all(read).await;
        // Read the room after its messages: everybody named by a join message then has a seat in
        // it. An earlier read could contain somebody whose leaving is already published.
        let found = self.store.room(room).await;
        for (waiting, histories) in read {
            match (&found, histories) {
                (Ok(Some(room)), Ok(histories)) => {
                    for (greeting, history) in waiting.into_iter().zip(histories) {
                        greeting(Ok((room.clone(), history)));
                    }
                }
                (Ok(None), _) => {
                    for greeting in waiting {
                        greeting(Err(Error::NoSuchRoom));
                    }
                }
                (Err(cause), _) => refuse_greetings(room, waiting, cause),
                (_, Err(cause)) => refuse_greetings(room, waiting, &cause),
            }
        }
    }
}

fn refuse_greetings(room: &RoomId, waiting: Vec<Greeting>, cause: &store::Error) {
    warn!(%room, error = ?cause, "could not read a room and its history for a greeting");
    for greeting in waiting {
        greeting(Err(unavailable()));
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[test]
    fn a_failed_room_task_refuses_its_queue_and_starts_again() {
        let (room_tasks, room) = (RoomTasks::default(), RoomId::random());
        let (done, mut waits) = oneshot::channel();
        assert!(room_tasks.add(&room, Command::Purge));
        assert!(!room_tasks.add(&room, Command::Signal(done)), "the task already runs");

        room_tasks.abort(&room);

        waits.try_recv().unwrap();
        assert!(room_tasks.add(&room, Command::Purge), "a new task starts");
    }
}
