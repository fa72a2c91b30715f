//! The commands of the [room tasks](super::room_task), their queues, and which commands survive a
//! store failure.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;
use tokio::{sync::oneshot, time::Instant};

use super::Error;
use crate::domain::{Connection, Draft, Event, Gif, History, Message, Room, RoomId, Seq, Window};

/// Largest number of messages in one commit. Bounds the latency of the first.
const MAX_BATCH: usize = 256;

/// A batch stops growing at this many bytes of text. The whole batch enters each connection's queue
/// before its writer runs, so it must be far smaller than that queue's limit.
const MAX_BATCH_BYTES: usize = 64 * 1024;

/// Which events to announce once a message is stored.
#[derive(Debug, Clone, Copy)]
pub(super) enum Announce {
    Posted,
    Joined { count: u32 },
    Left { count: u32 },
    OwnerChanged,
}

impl Announce {
    /// Whether its event names the number of people.
    pub(super) fn has_count(self) -> bool {
        match self {
            Self::Joined { .. } | Self::Left { .. } => true,
            Self::Posted | Self::OwnerChanged => false,
        }
    }

    /// The same with the number of people now.
    pub(super) fn with_count(self, count: u32) -> Self {
        match self {
            Self::Joined { .. } => Self::Joined { count },
            Self::Left { .. } => Self::Left { count },
            Self::Posted | Self::OwnerChanged => self,
        }
    }

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

/// A message to store and announce.
pub(super) struct Say {
    pub(super) draft: Draft,
    pub(super) announce: Announce,
    /// Who waits for the result. A message without a waiter is retried until stored.
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

/// The room and a page of its history, as a greeting finds them.
pub(super) type Found = Result<(Room, History), Error>;

/// A visitor who has entered, and waits for the room and its history.
pub(super) struct Greeting {
    pub(super) connection: Connection,
    pub(super) window: Window,
    /// Called between two batches, with the room and its history at that moment.
    pub(super) welcome: Box<dyn FnOnce(Found) + Send>,
}

/// One step for a room task.
pub(super) enum Command {
    /// Stores and announces a message.
    Say(Box<Say>),
    /// Reads the room and its history for a visitor who has entered.
    Greet(Greeting),
    /// Reports that every earlier command is done.
    Signal(oneshot::Sender<()>),
    /// Announces the newest public `seq`: a message may be stored but unannounced.
    AnnounceHead,
    /// Announces an event after all earlier ones.
    Announce(Event),
    /// Announces the room's current state after a change by its owner. The state is read when the
    /// command runs, so of two changes the later one is announced last.
    AnnounceRoom,
    /// Removes the files of a GIF that no message shows any more.
    Discard(Gif),
    /// Removes the messages and files of a closed room.
    Purge,
}

/// The queued commands by room. A room has a queue while its task runs.
#[derive(Default)]
pub(super) struct CommandQueues(Mutex<HashMap<RoomId, VecDeque<Command>>>);

impl CommandQueues {
    /// Queues a command. Returns true when the caller must start the room task.
    pub(super) fn add(&self, room: &RoomId, command: Command) -> bool {
        let mut queues = self.0.lock();
        if let Some(queue) = queues.get_mut(room) {
            queue.push_back(command);
            return false;
        }
        queues.insert(room.clone(), VecDeque::from([command]));
        true
    }

    /// Takes all queued commands of a room, if any.
    pub(super) fn take(&self, room: &RoomId) -> Option<VecDeque<Command>> {
        self.0.lock().get_mut(room).filter(|queue| !queue.is_empty()).map(std::mem::take)
    }

    /// Removes a room's queue if it is empty. Returns true when the room task may end.
    pub(super) fn close(&self, room: &RoomId) -> bool {
        let mut queues = self.0.lock();
        let empty = queues.get(room).is_none_or(VecDeque::is_empty);
        if empty {
            queues.remove(room);
        }
        empty
    }

    /// Removes the queue of a room task that panicked and refuses its commands. The next command
    /// starts a new task.
    pub(super) fn abort(&self, room: &RoomId) {
        let left = self.0.lock().remove(room);
        left.into_iter().flatten().filter_map(refuse).for_each(drop);
    }
}

/// A batch of `first` and the messages queued directly behind it, within the limits.
pub(super) fn batch_of(first: Say, queued: &mut VecDeque<Command>) -> Vec<Say> {
    let mut bytes = first.draft.body.bytes();
    let mut batch = vec![first];
    while batch.len() < MAX_BATCH
        && bytes < MAX_BATCH_BYTES
        && let Some(Command::Say(next)) =
            queued.pop_front_if(|next| matches!(next, Command::Say(_)))
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
    /// A copy of the draft for a retry, if nobody waits for the result.
    retry: Option<Draft>,
}

impl PendingSay {
    pub(super) fn of(say: Say) -> (Draft, Self) {
        let Say { draft, announce, waiter } = say;
        let retry = waiter.is_none().then(|| draft.clone());
        (draft, Self { announce, waiter, retry })
    }

    /// Answers the waiter with an error, or returns the command for a retry.
    pub(super) fn failed(self) -> Option<Command> {
        if let Some(waiter) = self.waiter {
            waiter.answer(Err(unavailable()));
        }
        let retry = Say { draft: self.retry?, announce: self.announce, waiter: None };
        Some(Command::Say(Box::new(retry)))
    }
}

pub(super) fn unavailable() -> Error {
    Error::Unavailable("the store is in trouble".into()) // The cause is already logged.
}

/// The same commands with only the first [`Command::AnnounceHead`].
pub(super) fn dedup_heads(commands: impl Iterator<Item = Command>) -> VecDeque<Command> {
    let mut seen = false;
    let is_first = |command: &Command| {
        !matches!(command, Command::AnnounceHead) || !std::mem::replace(&mut seen, true)
    };
    commands.filter(is_first).collect()
}

/// Answers a waiting requester with an error. Returns the command if nobody waits for it, so that
/// it is retried when the store works again.
pub(super) fn refuse(command: Command) -> Option<Command> {
    match command {
        Command::Say(say) if say.waiter.is_some() => {
            say.waiter?.answer(Err(unavailable()));
            None
        }
        Command::Greet(greeting) => {
            (greeting.welcome)(Err(unavailable()));
            None
        }
        Command::Signal(done) => {
            done.send(()).ok(); // The receiver may be gone.
            None
        }
        Command::Say(_)
        | Command::AnnounceHead
        | Command::Announce(_)
        | Command::AnnounceRoom
        | Command::Discard(_)
        | Command::Purge => Some(command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Author, DraftBody, MessageText, PersonId, Timestamp};

    fn say(words: &str) -> Say {
        let body = DraftBody::Text(MessageText::parse(words).unwrap());
        let (author, at) = (Author::Seated(PersonId::of_session(b"", "me")), Timestamp::now());
        let draft = Draft { author, body, client_id: None, at };
        Say { draft, announce: Announce::Posted, waiter: None }
    }

    fn sizes(words: &str) -> (usize, usize) {
        let mut queued: VecDeque<Command> =
            (0..300).map(|_| Command::Say(Box::new(say(words)))).collect();
        (batch_of(say(words), &mut queued).len(), queued.len())
    }

    #[test]
    fn a_batch_is_bounded_in_messages_and_in_bytes() {
        assert_eq!(sizes("short"), (256, 45));
        assert_eq!(sizes(&"\u{1f600}".repeat(2_000)), (9, 292)); // 8,000 bytes each.
    }
    #[test]
    fn a_failed_room_task_refuses_its_queue_and_starts_again() {
        let (queues, room) = (CommandQueues::default(), RoomId::random());
        let (done, mut waits) = oneshot::channel();
        assert!(queues.add(&room, Command::Purge));
        assert!(!queues.add(&room, Command::Signal(done)), "the task already runs");

        queues.abort(&room);

        waits.try_recv().unwrap();
        assert!(queues.add(&room, Command::Purge), "a new task starts");
    }
}
