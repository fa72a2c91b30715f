//! What a room's [lane](super::lane) has to do, and what of it outlives trouble with the store.

use std::collections::VecDeque;

use tokio::{sync::oneshot, time::Instant};

use super::{Error, Welcome};
use crate::domain::{Draft, Event, Gif, Message, PersonId, Seq, Window};

/// As many messages go into one commit at most: bounds how long the first of them waits.
const MAX_BATCH: usize = 256;

/// Nothing is added to a batch of so many bytes of words: all of it is told before the tasks that write
/// to connections run, and must be far less than may wait for one of them.
const MAX_BATCH_BYTES: usize = 64 * 1024;

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
    pub(super) fn add_to(self, events: &mut Vec<Event>, message: Message, prev: Seq) {
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
    pub(super) fn answer(self, outcome: Result<Message, Error>) {
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
    /// Tells what happened to the room as everybody knows it by now.
    Tell(Event),
    /// Its owner has changed the room. It is told as it is by then: of two changes, the later one last.
    TellRoom,
    /// Removes the files of a GIF that no message shows.
    Discard(Gif),
    Purge,
}

/// A batch that begins with `first`, and takes what follows it as far as it may.
pub(super) fn batch_of(first: Say, work: &mut VecDeque<Work>) -> Vec<Say> {
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
pub(super) struct Told {
    pub(super) announce: Announce,
    pub(super) asker: Option<Asker>,
    /// The draft of a note, which is tried again.
    note: Option<Draft>,
}

impl Told {
    pub(super) fn of(say: Say) -> (Draft, Self) {
        let Say { draft, announce, asker } = say;
        let note = asker.is_none().then(|| draft.clone());
        (draft, Self { announce, asker, note })
    }

    pub(super) fn failed(self) -> Option<Work> {
        if let Some(asker) = self.asker {
            asker.answer(Err(unavailable()));
        }
        let note = Say { draft: self.note?, announce: self.announce, asker: None };
        Some(Work::Say(Box::new(note)))
    }
}

pub(super) fn unavailable() -> Error {
    Error::Unavailable("the store is in trouble".into()) // The log has said what kind of.
}

/// The same work, without telling the same twice.
pub(super) fn once_each(work: impl Iterator<Item = Work>) -> VecDeque<Work> {
    let mut work: VecDeque<Work> = work.collect();
    let mut telling = false;
    work.retain(|work| !matches!(work, Work::TellHead) || !std::mem::replace(&mut telling, true));
    work
}

/// What stays to be done while the store is in trouble; those who wait are told instead.
pub(super) fn refuse(work: Work) -> Option<Work> {
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
        note @ (Work::Say(_)
        | Work::TellHead
        | Work::Tell(_)
        | Work::TellRoom
        | Work::Discard(_)
        | Work::Purge) => Some(note),
    }
}

fn is_say(work: &mut Work) -> bool {
    matches!(work, Work::Say(_))
}

pub(super) fn is_greet(work: &mut Work) -> bool {
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
