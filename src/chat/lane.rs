//! A room's lane: everything that is said in a room passes here, one batch after another.
//!
//! While one batch is on its way to the store, the next collects, so that batches form by
//! themselves and a lone message waits for nobody. Answers and announcements come in the order of
//! `seq`. Whoever enters is greeted between two batches: what was said before is in their
//! greeting, what is said after reaches them live, and nothing is in neither.
//!
//! When the store is in trouble, whoever waits is told at once, and nobody waits for those before them
//! to fail one by one. What has to be told to the room all the same stays, and is tried again.
//!
//! A lane exists while it has work, as one task.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{
    sync::oneshot,
    task::yield_now,
    time::{Instant, sleep},
};
use tracing::{error, warn};

use super::{Chat, Error, Welcome};
use crate::{
    domain::{Draft, Event, Gif, Message, PersonId, RoomId, Seq, Window},
    store::Appended,
};

/// As many messages go into one commit at most: bounds how long the first of them waits.
const MAX_BATCH: usize = 256;

/// Nothing is added to a batch of so many bytes of words: all of it is told before the tasks that write
/// to connections run, and must be far less than may wait for one of them.
const MAX_BATCH_BYTES: usize = 64 * 1024;

/// A lane whose store is in trouble waits so long before it tries again.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// What to tell everybody once a message is stored.
#[derive(Debug, Clone, Copy)]
pub(super) enum Announce {
    Said,
    Joined { count: u32 },
    Left { count: u32 },
    OwnerChanged,
}

impl Announce {
    /// What everybody hears of a message that was stored.
    fn add_to(self, events: &mut Vec<Event>, message: Message, prev: Seq) {
        let event = match self {
            Self::Said => Event::Said { message, prev },
            Self::Joined { count } => Event::Joined { message, prev, count },
            Self::Left { count } => Event::Left { message, prev, count },
            Self::OwnerChanged => {
                let (room, owner) = (message.room.clone(), message.by.clone());
                events.push(Event::Said { message, prev });
                Event::OwnerChanged { room, owner }
            }
        };
        events.push(event);
    }
}

pub(super) struct Say {
    pub(super) draft: Draft,
    pub(super) announce: Announce,
    /// Who waits for it. What nobody waits for is a note, which is told however long that takes.
    pub(super) asker: Option<Asker>,
}

/// Whoever wants something said, and how long they wait to hear that it is stored.
pub(super) struct Asker {
    pub(super) answer: oneshot::Sender<Result<Message, Error>>,
    pub(super) until: Instant,
}

impl Asker {
    fn answer(self, outcome: Result<Message, Error>) {
        self.answer.send(outcome).ok(); // They have gone; what they said stays.
    }
}

/// Called between two batches, with the room and its history as of that moment.
pub(super) type Greeting = Box<dyn FnOnce(Welcome) + Send>;

pub(super) enum Work {
    Say(Box<Say>),
    Greet {
        viewer: PersonId,
        window: Window,
        greeting: Greeting,
    },
    /// Tells that everything before it is done.
    Signal(oneshot::Sender<()>),
    /// Something may be stored that nobody was told.
    TellHead,
    /// Removes the files of a GIF that no message shows.
    Discard(Gif),
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

    /// Takes what waits in a lane, and leaves it open.
    fn take_waiting(&self, room: &RoomId) -> VecDeque<Work> {
        self.waiting().get_mut(room).map(std::mem::take).unwrap_or_default()
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
                // Whatever has arrived by now shares the first batch.
                yield_now().await;
                while let Some(work) = chat.lanes.take(&room) {
                    chat.run_lane(&room, work).await;
                }
            });
        }
    }

    async fn run_lane(&self, room: &RoomId, mut work: VecDeque<Work>) {
        while let Some(first) = work.pop_front() {
            let done = match first {
                Work::Say(first) => self.say_together(room, batch_of(*first, &mut work)).await,
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
                Work::TellHead => self.tell_head(room).await,
                Work::Discard(gif) => self.discard(room, gif).await,
                Work::Purge => self.purge(room).await.map_err(|cause| {
                    warn!(%room, error = ?cause, "could not clear up after a room; will try again");
                    vec![Work::Purge]
                }),
            };
            if let Err(again) = done {
                let waiting = work.drain(..).chain(self.lanes.take_waiting(room));
                work = once_each(again.into_iter().chain(waiting).filter_map(refuse));
                sleep(TRY_AGAIN_AFTER).await;
            }
        }
    }

    /// Stores a batch, answers, and tells everybody; or, when the store is in trouble, gives what is
    /// to be done once it no longer is.
    async fn say_together(&self, room: &RoomId, batch: Vec<Say>) -> Result<(), Vec<Work>> {
        let now = Instant::now();
        // Whoever has stopped waiting may say it again: stored now, it would be there twice.
        let awaited = |say: &Say| say.asker.as_ref().is_none_or(|asker| now < asker.until);
        let batch: Vec<Say> = batch.into_iter().filter(awaited).collect();
        if batch.is_empty() {
            return Ok(());
        }
        let (drafts, told): (Vec<_>, Vec<_>) = batch.into_iter().map(Told::of).unzip();
        let outcomes = match self.store.append(room, drafts).await {
            Ok(outcomes) => outcomes,
            Err(cause) => {
                error!(%room, error = ?cause, "could not store a batch of messages");
                self.doubts.add(room, None); // It may be stored yet.
                let again = told.into_iter().filter_map(Told::failed);
                return Err(again.chain([Work::TellHead]).collect());
            }
        };
        let mut events = Vec::with_capacity(told.len());
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
                    if message.is_public() {
                        self.lanes.said(room, message.seq);
                    }
                    say.announce.add_to(&mut events, message.clone(), prev);
                    Ok(message)
                }
            };
            if let Some(asker) = say.asker {
                asker.answer(said);
            }
        }
        self.bus.announce_all(&events).await;
        Ok(())
    }

    /// Once the store answers: tells the room how far it has got.
    async fn tell_head(&self, id: &RoomId) -> Result<(), Vec<Work>> {
        match self.store.room(id).await {
            Ok(Some(room)) => {
                self.bus.announce(Event::Head { room: room.id, seq: room.head }).await;
            }
            Ok(None) => self.queue(id, Work::Purge),
            Err(cause) => {
                warn!(room = %id, error = ?cause, "the store is still in trouble");
                return Err(vec![Work::TellHead]);
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
        // Whoever came in before this moment is in the room as it is now; whoever comes after it is
        // announced. As it was when they entered, it might still hold somebody whose leaving has been
        // announced since.
        let found = self.store.room(room).await;
        let newest = found.as_ref().ok().and_then(Option::as_ref).map_or(Seq::MAX, |room| room.seq);
        let histories = greetings
            .iter()
            .map(|(viewer, window, _)| self.store.history(room, viewer, window.up_to(newest)));
        let histories = join_all(histories).await;
        for ((_, _, greeting), history) in greetings.into_iter().zip(histories) {
            greeting(match (&found, history) {
                (Ok(Some(room)), Ok(history)) => Ok((room.clone(), history)),
                (Ok(None), _) => Err(Error::NoSuchRoom),
                (Err(_), _) => Err(unavailable()),
                (_, Err(cause)) => Err(cause.into()),
            });
        }
    }
}

/// A batch that begins with `first`, and takes what follows it as far as it may.
fn batch_of(first: Say, work: &mut VecDeque<Work>) -> Vec<Say> {
    let mut bytes = first.draft.body.bytes();
    let mut batch = vec![first];
    while batch.len() < MAX_BATCH
        && bytes < MAX_BATCH_BYTES
        && let Some(Work::Say(next)) = work.pop_front_if(is_say)
    {
        bytes += next.draft.body.bytes();
        batch.push(*next);
    }
    batch
}

/// What is kept of a [`Say`] while its draft is on its way to the store.
struct Told {
    announce: Announce,
    asker: Option<Asker>,
    /// The draft of a note, which is tried again.
    note: Option<Draft>,
}

impl Told {
    fn of(say: Say) -> (Draft, Self) {
        let Say { draft, announce, asker } = say;
        let note = asker.is_none().then(|| draft.clone());
        (draft, Self { announce, asker, note })
    }

    fn failed(self) -> Option<Work> {
        if let Some(asker) = self.asker {
            asker.answer(Err(unavailable()));
        }
        let note = Say { draft: self.note?, announce: self.announce, asker: None };
        Some(Work::Say(Box::new(note)))
    }
}

fn unavailable() -> Error {
    Error::Unavailable("the store is in trouble".into()) // The log has said what kind of.
}

/// The same work, without telling the same twice.
fn once_each(work: impl Iterator<Item = Work>) -> VecDeque<Work> {
    let mut work: VecDeque<Work> = work.collect();
    let mut telling = false;
    work.retain(|work| !matches!(work, Work::TellHead) || !std::mem::replace(&mut telling, true));
    work
}

/// What stays to be done while the store is in trouble; those who wait are told instead.
fn refuse(work: Work) -> Option<Work> {
    match work {
        Work::Say(say) if say.asker.is_some() => {
            say.asker?.answer(Err(unavailable()));
            None
        }
        Work::Greet { greeting, .. } => {
            greeting(Err(unavailable()));
            None
        }
        Work::Signal(done) => {
            done.send(()).ok(); // Nobody waits any more.
            None
        }
        note @ (Work::Say(_) | Work::TellHead | Work::Discard(_) | Work::Purge) => Some(note),
    }
}

fn is_say(work: &mut Work) -> bool {
    matches!(work, Work::Say(_))
}

fn is_greet(work: &mut Work) -> bool {
    matches!(work, Work::Greet { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Author, DraftBody, MessageText, Timestamp};

    fn say(words: &str) -> Say {
        let body = DraftBody::Text(MessageText::parse(words).unwrap());
        let (author, at) = (Author::Seated(PersonId::of_session(b"", "me")), Timestamp::now());
        let draft = Draft { author, body, client_id: None, at };
        Say { draft, announce: Announce::Said, asker: None }
    }

    fn sizes(words: &str) -> (usize, usize) {
        let mut work: VecDeque<Work> = (0..300).map(|_| Work::Say(Box::new(say(words)))).collect();
        (batch_of(say(words), &mut work).len(), work.len())
    }

    #[test]
    fn a_batch_is_bounded_in_messages_and_in_bytes() {
        assert_eq!(sizes("short"), (256, 45));
        assert_eq!(sizes(&"\u{1f600}".repeat(2_000)), (9, 292)); // 8,000 bytes each.
    }
}
