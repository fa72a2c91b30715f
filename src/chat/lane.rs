//! A room's lane: everything that is said in a room passes here, one batch after another.
//!
//! While one batch is on its way to the store, the next collects, so that batches form by
//! themselves and a lone message waits for nobody. Answers and announcements come in the order of
//! `seq`; [`Telling`] has how the room hears. Whoever enters is greeted between two batches: what was
//! said before is in their greeting, what is said after reaches them live, and nothing is in neither.
//!
//! When the store is in trouble, whoever waits is told at once, and nobody waits for those before them
//! to fail one by one. What has to be told to the room all the same stays, and is tried again.
//!
//! A lane exists while it has work, as one task.

use std::{
    collections::{HashMap, VecDeque},
    panic::AssertUnwindSafe,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt as _, future::join_all};
use tokio::{
    task::yield_now,
    time::{Instant, sleep},
};
use tracing::{error, warn};

use super::{
    Chat, Error,
    telling::Telling,
    work::{Greeting, Say, Told, Work, batch_of, is_greet, once_each, refuse, unavailable},
};
use crate::{
    domain::{Event, Gif, PersonId, RoomId, Seq, Window},
    store::{self, Appended},
};

/// A lane whose store is in trouble waits so long before it tries again.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// The lanes that have work, by room.
#[derive(Default)]
pub(super) struct Lanes {
    waiting: Mutex<HashMap<RoomId, VecDeque<Work>>>,
    heads: Mutex<HashMap<RoomId, Seq>>,
}

impl Lanes {
    fn waiting(&self) -> MutexGuard<'_, HashMap<RoomId, VecDeque<Work>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds to a room's lane; true when that has just opened it.
    fn add(&self, room: &RoomId, work: Work) -> bool {
        let mut waiting = self.waiting();
        if let Some(lane) = waiting.get_mut(room) {
            lane.push_back(work);
            return false;
        }
        waiting.insert(room.clone(), VecDeque::from([work]));
        true
    }

    /// Takes what waits in a lane.
    fn take_waiting(&self, room: &RoomId) -> VecDeque<Work> {
        self.waiting().get_mut(room).map(std::mem::take).unwrap_or_default()
    }

    /// Closes a lane, unless something waits in it.
    fn close(&self, room: &RoomId) -> bool {
        let mut waiting = self.waiting();
        let empty = waiting.get(room).is_none_or(VecDeque::is_empty);
        if empty {
            waiting.remove(room);
        }
        empty
    }

    /// Closes a lane that has failed. Those who wait in it are told, and what comes next opens it anew.
    fn give_up(&self, room: &RoomId) {
        let left = self.waiting().remove(room);
        left.into_iter().flatten().filter_map(refuse).for_each(drop);
    }

    /// The rooms that were told of something since this was last asked, and how far they have got.
    pub(super) fn take_heads(&self) -> HashMap<RoomId, Seq> {
        std::mem::take(&mut *self.heads.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A room was told of a message that everybody sees.
    pub(super) fn told(&self, room: &RoomId, seq: Seq) {
        let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        heads.insert(room.clone(), seq);
    }
}

impl Chat {
    /// Puts work into a room's lane. What is put first is done first.
    pub(super) fn queue(&self, room: &RoomId, work: Work) {
        if self.lanes.add(room, work) {
            let (chat, room) = (self.clone(), room.clone());
            self.tasks.spawn(async move {
                if AssertUnwindSafe(chat.run(&room)).catch_unwind().await.is_err() {
                    chat.lanes.give_up(&room); // The panic has told what is wrong.
                }
            });
        }
    }

    /// Does what waits in a lane, until that is nothing, and closes it.
    async fn run(&self, room: &RoomId) {
        // Whatever has arrived by now shares the first batch.
        yield_now().await;
        let mut telling = Telling::new(self.clone(), room.clone());
        loop {
            let work =
                if telling.leaves_time() { self.lanes.take_waiting(room) } else { VecDeque::new() };
            if !work.is_empty() {
                self.run_lane(room, work, &mut telling).await;
            } else if !telling.is_over() {
                telling.go_on().await;
            } else if self.lanes.close(room) {
                return;
            }
        }
    }

    async fn run_lane(&self, room: &RoomId, mut work: VecDeque<Work>, telling: &mut Telling) {
        while let Some(first) = work.pop_front() {
            if !matches!(first, Work::Say(_)) {
                telling.tell().await; // It comes after all that was said before.
            }
            let done = match first {
                Work::Say(first) => {
                    self.say_together(room, batch_of(*first, &mut work), telling).await
                }
                Work::Greet { viewer, window, greeting } => {
                    let mut greetings = vec![(viewer, window, greeting)];
                    while let Some(Work::Greet { viewer, window, greeting }) =
                        work.pop_front_if(is_greet)
                    {
                        greetings.push((viewer, window, greeting));
                    }
                    self.greet_together(room, greetings).await;
                    Ok(())
                }
                Work::Signal(done) => {
                    done.send(()).ok(); // Nobody waits any more.
                    Ok(())
                }
                Work::Tell(event) => {
                    self.bus.announce(event).await;
                    Ok(())
                }
                Work::TellHead => self.tell_head(room).await,
                Work::TellRoom => self.tell_room(room).await,
                Work::Discard(gif) => self.discard(room, gif).await,
                Work::Purge => self.purge(room).await.map_err(|cause| {
                    warn!(%room, error = ?cause, "could not clear up after a room; will try again");
                    vec![Work::Purge]
                }),
            };
            if let Err(again) = done {
                telling.tell().await;
                let waiting = work.drain(..).chain(self.lanes.take_waiting(room));
                work = once_each(again.into_iter().chain(waiting).filter_map(refuse));
                sleep(TRY_AGAIN_AFTER).await;
            }
        }
    }

    /// Stores a batch, answers, and tells everybody; or, when the store is in trouble, gives what is
    /// to be done once it no longer is.
    async fn say_together(
        &self,
        room: &RoomId,
        batch: Vec<Say>,
        telling: &mut Telling,
    ) -> Result<(), Vec<Work>> {
        let now = Instant::now();
        // Whoever has stopped waiting may say it again: stored now, it would be there twice.
        let awaited = |say: &Say| say.asker.as_ref().is_none_or(|asker| now < asker.until);
        let batch: Vec<Say> = batch.into_iter().filter(awaited).collect();
        if batch.is_empty() {
            return Ok(());
        }
        let (drafts, told): (Vec<_>, Vec<_>) = batch.into_iter().map(Told::of).unzip();
        let outcomes = match telling.until(self.store.append(room, drafts)).await {
            Ok(outcomes) => outcomes,
            Err(cause) => {
                error!(%room, error = ?cause, "could not store a batch of messages");
                self.doubts.add(room, None); // It may be stored yet.
                let again = told.into_iter().filter_map(Told::failed);
                return Err(again.chain([Work::TellHead]).collect());
            }
        };
        let mut events = Vec::with_capacity(told.len());
        let mut numbers = Vec::with_capacity(told.len());
        for (say, outcome) in told.into_iter().zip(outcomes) {
            let said = match outcome {
                Appended::Unsaid(unsaid) => Err(unsaid.into()),
                Appended::Already(message) => {
                    if message.is_public() {
                        // Whoever stored it may have died before it was told.
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
            if let Some(asker) = say.asker {
                asker.answer(said);
            }
        }
        telling.add(events).await;
        if let (Some(first), Some(last)) = (numbers.first(), numbers.last()) {
            self.bound_history(room, first - 1, *last);
        }
        Ok(())
    }

    /// Once the store answers: tells the room how far it has got.
    async fn tell_head(&self, id: &RoomId) -> Result<(), Vec<Work>> {
        match self.store.head(id).await {
            Ok(Some(seq)) => self.bus.announce(Event::Head { room: id.clone(), seq }).await,
            Ok(None) => self.queue(id, Work::Purge),
            Err(cause) => {
                warn!(room = %id, error = ?cause, "the store is still in trouble");
                return Err(vec![Work::TellHead]);
            }
        }
        Ok(())
    }

    async fn tell_room(&self, id: &RoomId) -> Result<(), Vec<Work>> {
        match self.store.room(id).await {
            Ok(Some(room)) => self.bus.announce(Event::RoomUpdated(room.summary())).await,
            Ok(None) => {} // That it closed is told by whoever closed it.
            Err(cause) => {
                warn!(room = %id, error = ?cause, "could not tell of a change; will try again");
                return Err(vec![Work::TellRoom]);
            }
        }
        Ok(())
    }

    async fn discard(&self, room: &RoomId, gif: Gif) -> Result<(), Vec<Work>> {
        self.media.delete(room, &gif).await.map_err(|cause| {
            warn!(%room, error = ?cause, "could not remove a GIF; will try again");
            vec![Work::Discard(gif)]
        })
    }

    async fn greet_together(&self, room: &RoomId, greetings: Vec<(PersonId, Window, Greeting)>) {
        // Those who see the same window are read for together.
        let mut alike: HashMap<Window, (Vec<PersonId>, Vec<Greeting>)> = HashMap::new();
        for (viewer, window, greeting) in greetings {
            let (viewers, waiting) = alike.entry(window).or_default();
            viewers.push(viewer);
            waiting.push(greeting);
        }
        let read = alike.into_iter().map(async |(window, (viewers, waiting))| {
            (waiting, self.store.histories(room, &viewers, window).await)
        });
        let read = join_all(read).await;
        // The room after its messages: whoever came in by the last of them has a seat in it. As it was when
        // they entered, it might still hold somebody whose leaving has been announced since.
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
                (Err(cause), _) => cannot_greet(room, waiting, cause),
                (_, Err(cause)) => cannot_greet(room, waiting, &cause),
            }
        }
    }
}

fn cannot_greet(room: &RoomId, waiting: Vec<Greeting>, cause: &store::Error) {
    warn!(%room, error = ?cause, "could not read what to greet with");
    for greeting in waiting {
        greeting(Err(unavailable()));
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[test]
    fn a_lane_that_failed_is_opened_anew_and_nobody_waits_for_it() {
        let (lanes, room) = (Lanes::default(), RoomId::random());
        let (done, mut waits) = oneshot::channel();
        assert!(lanes.add(&room, Work::Purge));
        assert!(!lanes.add(&room, Work::Signal(done)), "it is open");

        lanes.give_up(&room);

        waits.try_recv().unwrap();
        assert!(lanes.add(&room, Work::Purge), "it opens anew");
    }
}
