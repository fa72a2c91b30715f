//! The commands of a [room task](super::room_task), and which of them survive a store failure.

use std::collections::VecDeque;

use tokio::{sync::oneshot, time::Instant};

use super::{Error, Welcome};
use crate::domain::{Draft, Event, Gif, Message, PersonId, Seq, Window};

/// Largest number of messages in one commit. Bounds the latency of the first.
const MAX_BATCH: usize = 256;

/// A batch stops growing at this many bytes of text. The whole batch enters each connection's queue
/// before its writer runs, so it must be far smaller than that queue's limit.
const MAX_BATCH_BYTES: usize = 64 * 1024;

/// Which events to publish once a message is stored.
#[derive(Debug, Clone, Copy)]
pub(super) enum Announce {
    Posted,
    Joined { count: u32 },
    Left { count: u32 },
    OwnerChanged,
}

impl Announce {
    /// Appends the events for a stored message.
    pub(super) fn add_to(self, events: &mut Vec<Event>, message: Message, prev: Seq) {
        let event = match self {
            Self::Posted => Event::Posted { message, prev },
            Self::Joined { count } => Event::Joined { message, prev, count },
            Self::Left { count } => Event::Left { message, prev, count },
            Self::OwnerChanged => {
                let (room, owner) = (message.room.clone(), message.by.clone());
                events.push(Event::Posted { message, prev });
                Event::OwnerChanged { room, owner }
            }
        };
        events.push(event);
    }
}

/// A message to store and publish.
pub(super) struct Say {
    pub(super) draft: Draft,
    pub(super) announce: Announce,
    /// Who waits for the result. A message without a waiter is a note, retried until stored.
    pub(super) waiter: Option<Waiter>,
}

/// The sender of a message, and the deadline for the answer.
pub(super) struct Waiter {
    pub(super) answer: oneshot::Sender<Result<Message, Error>>,
    pub(super) until: Instant,
}

impl Waiter {
    pub(super) fn answer(self, outcome: Result<Message, Error>) {
        self.answer.send(outcome).ok(); // The sender may be gone; the message stays.
    }
}

/// Called between two batches, with the room and its history at that moment.
pub(super) type Greeting = Box<dyn FnOnce(Welcome) + Send>;

/// One step for a room task.
pub(super) enum Command {
    /// Stores and publishes a message.
    Say(Box<Say>),
    /// Reads the room and its history for a visitor who has entered.
    Greet { viewer: PersonId, window: Window, greeting: Greeting },
    /// Reports that every earlier command is done.
    Signal(oneshot::Sender<()>),
    /// Publishes the newest public `seq`: a message may be stored but unpublished.
    PublishHead,
    /// Publishes an event after all earlier ones.
    Publish(Event),
    /// Publishes the room's current state after a change by its owner. The state is read when the
    /// command runs, so of two changes the later one is published last.
    PublishRoom,
    /// Removes the files of a GIF that no message shows any more.
    Discard(Gif),
    /// Removes the messages and files of a closed room.
    Purge,
}

/// A batch of `first` and the messages queued directly behind it, within the limits.
pub(super) fn batch_of(first: Say, work: &mut VecDeque<Command>) -> Vec<Say> {
    let mut bytes = first.draft.body.bytes();
    let mut batch = vec![first];
    while batch.len() < MAX_BATCH
        && bytes < MAX_BATCH_BYTES
        && let Some(Command::Say(next)) = work.pop_front_if(is_say)
    {
        bytes += next.draft.body.bytes();
        batch.push(*next);
    }
    batch
}

/// The rest of a [`Say`] while the store holds its draft.
pub(super) struct PendingSay {
    pub(super) announce: Announce,
    pub(super) waiter: Option<Waiter>,
    /// The draft of a note, kept for a retry.
    note: Option<Draft>,
}

impl PendingSay {
    pub(super) fn of(say: Say) -> (Draft, Self) {
        let Say { draft, announce, waiter } = say;
        let note = waiter.is_none().then(|| draft.clone());
        (draft, Self { announce, waiter, note })
    }

    pub(super) fn failed(self) -> Option<Command> {
        if let Some(waiter) = self.waiter {
            waiter.answer(Err(unavailable()));
        }
        let note = Say { draft: self.note?, announce: self.announce, waiter: None };
        Some(Command::Say(Box::new(note)))
    }
}

pub(super) fn unavailable() -> Error {
    Error::Unavailable("the store is in trouble".into()) // The cause is already logged.
}

/// The same commands with only the first [`Command::PublishHead`].
pub(super) fn dedup_heads(work: impl Iterator<Item = Command>) -> VecDeque<Command> {
    let mut work: VecDeque<Command> = work.collect();
    let mut seen = false;
    work.retain(|work| {
        !matches!(work, Command::PublishHead) || !std::mem::replace(&mut seen, true)
    });
    work
}

/// Answers a waiting requester with an error. Returns the command if nobody waits for it, so that
/// it is retried when the store works again.
pub(super) fn refuse(work: Command) -> Option<Command> {
    match work {
        Command::Say(say) if say.waiter.is_some() => {
            say.waiter?.answer(Err(unavailable()));
            None
        }
        Command::Greet { greeting, .. } => {
            greeting(Err(unavailable()));
            None
        }
        Command::Signal(done) => {
            done.send(()).ok(); // The receiver may be gone.
            None
        }
        note @ (Command::Say(_)
        | Command::PublishHead
        | Command::Publish(_)
        | Command::PublishRoom
        | Command::Discard(_)
        | Command::Purge) => Some(note),
    }
}

fn is_say(work: &mut Command) -> bool {
    matches!(work, Command::Say(_))
}

pub(super) fn is_greet(work: &mut Command) -> bool {
    matches!(work, Command::Greet { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Author, DraftBody, MessageText, Timestamp};

    fn say(words: &str) -> Say {
        let body = DraftBody::Text(MessageText::parse(words).unwrap());
        let (author, at) = (Author::Seated(PersonId::of_session(b"", "me")), Timestamp::now());
        let draft = Draft { author, body, client_id: None, at };
        Say { draft, announce: Announce::Posted, waiter: None }
    }

    fn sizes(words: &str) -> (usize, usize) {
        let mut work: VecDeque<Command> =
            (0..300).map(|_| Command::Say(Box::new(say(words)))).collect();
        (batch_of(say(words), &mut work).len(), work.len())
    }

    #[test]
    fn a_batch_is_bounded_in_messages_and_in_bytes() {
        assert_eq!(sizes("short"), (256, 45));
        assert_eq!(sizes(&"\u{1f600}".repeat(2_000)), (9, 292)); // 8,000 bytes each.
    }
}
