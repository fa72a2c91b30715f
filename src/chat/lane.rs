//! A room's lane: everything that is said in a room passes here, one batch after another.
//!
//! While one batch is on its way to the store, the next collects, so that batches form by
//! themselves and a lone message waits for nobody. Answers and announcements come in the order of
//! `seq`. Whoever enters is greeted between two batches: what was said before is in their
//! greeting, what is said after reaches them live, and nothing is in neither.
//!
//! A lane exists while it has work, as one task.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures_util::future::join_all;
use tokio::sync::oneshot;
use tracing::error;

use super::{Chat, Error};
use crate::{
    domain::{Draft, Event, History, Message, PersonId, RoomId, Seq, Window},
    store::Appended,
};

/// As many messages go into one commit at most: bounds how long the first of them waits.
const MAX_BATCH: usize = 256;

/// What to tell everybody once a message is stored.
#[derive(Debug, Clone, Copy)]
pub(super) enum Announce {
    Said,
    Joined { count: u32 },
    Left { count: u32 },
    OwnerChanged,
}

pub(super) struct Say {
    pub(super) draft: Draft,
    pub(super) announce: Announce,
    pub(super) answer: oneshot::Sender<Result<Message, Error>>,
}

/// Called between two batches, with the history as of that moment.
pub(super) type Greeting = Box<dyn FnOnce(Result<History, Error>) + Send>;

pub(super) enum Work {
    Say(Box<Say>),
    Greet {
        viewer: PersonId,
        window: Window,
        greeting: Greeting,
    },
    /// Tells that everything before it is done.
    Signal(oneshot::Sender<()>),
    Purge,
}

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

    /// Takes what waits in a lane; closes it when that is nothing.
    fn take(&self, room: &RoomId) -> Option<VecDeque<Work>> {
        let mut waiting = self.waiting();
        let work = waiting.get_mut(room).map(std::mem::take)?;
        if work.is_empty() {
            waiting.remove(room);
            return None;
        }
        Some(work)
    }

    /// The rooms where something was said since this was last asked, and how far they have got.
    pub(super) fn take_heads(&self) -> HashMap<RoomId, Seq> {
        std::mem::take(&mut *self.heads.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn said(&self, room: &RoomId, seq: Seq) {
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
                while let Some(work) = chat.lanes.take(&room) {
                    chat.run_lane(&room, work).await;
                }
            });
        }
    }

    async fn run_lane(&self, room: &RoomId, mut work: VecDeque<Work>) {
        while let Some(first) = work.pop_front() {
            match first {
                Work::Say(first) => {
                    let mut batch = vec![*first];
                    while batch.len() < MAX_BATCH
                        && let Some(Work::Say(next)) = work.pop_front_if(is_say)
                    {
                        batch.push(*next);
                    }
                    self.say_together(room, batch).await;
                }
                Work::Greet { viewer, window, greeting } => {
                    let mut greetings = vec![(viewer, window, greeting)];
                    while let Some(Work::Greet { viewer, window, greeting }) =
                        work.pop_front_if(is_greet)
                    {
                        greetings.push((viewer, window, greeting));
                    }
                    self.greet_together(room, greetings).await;
                }
                Work::Signal(done) => done.send(()).unwrap_or(()), // Nobody waits any more.
                Work::Purge => self.purge(room).await,
            }
        }
    }

    async fn say_together(&self, room: &RoomId, batch: Vec<Say>) {
        let (drafts, rest): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|say| (say.draft, (say.announce, say.answer))).unzip();
        let outcomes = match self.store.append(room, drafts).await {
            Ok(outcomes) => outcomes,
            Err(cause) => {
                error!(%room, error = ?cause, "could not store a batch of messages");
                let text = cause.to_string();
                for (_, answer) in rest {
                    answer.send(Err(Error::Unavailable(text.clone().into()))).ok(); // They have gone.
                }
                return;
            }
        };
        let mut events = Vec::new();
        for ((announce, answer), outcome) in rest.into_iter().zip(outcomes) {
            let said = match outcome {
                Appended::Unsaid(unsaid) => Err(unsaid.into()),
                Appended::Already(message) => Ok(message),
                Appended::Stored { message, prev } => {
                    events.push((announce, message.clone(), prev));
                    Ok(message)
                }
            };
            answer.send(said).ok(); // They have gone; what they said stays.
        }
        for (announce, message, prev) in events {
            if message.is_public() {
                self.lanes.said(room, message.seq);
            }
            self.announce_stored(announce, message, prev).await;
        }
    }

    async fn announce_stored(&self, announce: Announce, message: Message, prev: Seq) {
        let event = match announce {
            Announce::Said => Event::Said { message, prev },
            Announce::Joined { count } => Event::Joined { message, prev, count },
            Announce::Left { count } => Event::Left { message, prev, count },
            Announce::OwnerChanged => {
                let (room, owner) = (message.room.clone(), message.by.clone());
                self.bus.announce(Event::Said { message, prev }).await;
                Event::OwnerChanged { room, owner }
            }
        };
        self.bus.announce(event).await;
    }

    async fn greet_together(&self, room: &RoomId, greetings: Vec<(PersonId, Window, Greeting)>) {
        let histories =
            greetings.iter().map(|(viewer, window, _)| self.store.history(room, viewer, *window));
        let histories = join_all(histories).await;
        for ((_, _, greeting), history) in greetings.into_iter().zip(histories) {
            greeting(history.map_err(Error::from));
        }
    }
}

fn is_say(work: &mut Work) -> bool {
    matches!(work, Work::Say(_))
}

fn is_greet(work: &mut Work) -> bool {
    matches!(work, Work::Greet { .. })
}
