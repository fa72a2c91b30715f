//! What a lane has stored, on its way to everybody in the room.
//!
//! What is told fills the queues of those who listen, and a task for each of them writes what is in it. Until
//! they have all run, what is stored next collects, and is told then at once: a write costs much more than
//! the words in it. A message that finds nothing under way waits for nobody.
//!
//! In a large room that takes some milliseconds. So it is told in parts, and between two of them whoever was
//! answered can go on. Meanwhile the lane stores twice: at once, and again when nearly all have been told.

use std::{pin::pin, time::Duration};

use tokio::{task::yield_now, time::sleep};

use super::Chat;
use crate::{
    bus::{Part, yields},
    domain::{Event, RoomId, Seq},
};

/// What is stored waits so long at most for what is being stored, to be told with it.
const HOLD: Duration = Duration::from_millis(5);

/// What is told in one lane.
pub(super) struct Telling {
    chat: Chat,
    room: RoomId,
    /// What is to be told next, in the order of `seq`.
    stored: Vec<Event>,
    /// What is being told,
    told: Vec<Event>,
    /// to whom next,
    next: usize,
    /// of so many parts.
    of: usize,
    /// So often the lane yields until those have been written to who were told last,
    yields: usize,
    /// and so often for each part.
    yields_a_part: usize,
    /// Whether something was stored since this is being told.
    stored_since: bool,
}

impl Telling {
    pub(super) fn new(chat: Chat, room: RoomId) -> Self {
        Self {
            chat,
            room,
            stored: Vec::new(),
            told: Vec::new(),
            next: 1,
            of: 1,
            yields: 0,
            yields_a_part: 1,
            stored_since: false,
        }
    }

    /// Nothing is left to be told, and nothing under way.
    pub(super) fn is_over(&self) -> bool {
        self.stored.is_empty() && !self.is_under_way()
    }

    fn is_under_way(&self) -> bool {
        self.yields > 0 || self.next < self.of
    }

    /// Whether what waits in the lane had better be stored now.
    pub(super) fn leaves_time(&self) -> bool {
        let early = !self.stored_since;
        let late = (self.of - self.next) * 4 < self.of;
        !self.is_under_way() || self.of > 1 && (early || late)
    }

    /// Tells of what was stored, as soon as nothing is under way.
    pub(super) async fn add(&mut self, stored: Vec<Event>) {
        self.stored.extend(stored);
        self.stored_since = true;
        if !self.is_under_way() {
            if self.of > 1 {
                yield_now().await; // The answers first: few, and they bring what is said next.
            }
            self.begin().await;
        }
    }

    /// Tells everybody at once all that has collected.
    pub(super) async fn tell(&mut self) {
        while self.next < self.of {
            self.tell_a_part().await;
        }
        if !self.stored.is_empty() {
            self.begin().await;
            while self.next < self.of {
                self.tell_a_part().await;
            }
        }
        if self.yields > 0 {
            self.yields = self.yields_a_part * self.of; // All write at once.
        }
    }

    /// Tells what has collected, if anything, the first part.
    async fn begin(&mut self) {
        self.told = std::mem::take(&mut self.stored);
        let Some(last) = self.told.last() else { return };
        let listeners = self.chat.bus.listeners(last);
        // Whatever only some hear, a whisper, must not come before what was said before it.
        let for_all =
            |event: &Event| matches!(event, Event::Said { message, .. } if message.is_public());
        let for_all = self.told.iter().all(for_all);
        self.of = if for_all { self.chat.bus.parts(last, listeners) } else { 1 };
        self.yields_a_part = yields(listeners / self.of);
        self.next = 0;
        self.stored_since = false;
        self.tell_a_part().await;
    }

    async fn tell_a_part(&mut self) {
        let part = Part { nth: self.next, of: self.of };
        self.chat.bus.hand_out(&self.told, part).await;
        self.next += 1;
        self.yields = self.yields_a_part;
        if part.is_last()
            && let Some(head) = self.told.iter().rev().find_map(head_of)
        {
            self.chat.lanes.told(&self.room, head);
        }
    }

    /// Lets those run for a while who write, or tells the next.
    pub(super) async fn go_on(&mut self) {
        if self.yields > 0 {
            yield_now().await;
            self.yields -= 1;
        } else if self.next < self.of {
            self.tell_a_part().await;
        } else {
            self.begin().await;
        }
    }

    /// Goes on until a batch is stored.
    pub(super) async fn until<T>(&mut self, storing: impl Future<Output = T>) -> T {
        let mut storing = pin!(storing);
        while !self.is_over() {
            if self.yields > 0 {
                tokio::select! {
                    biased;
                    outcome = &mut storing => return outcome,
                    () = yield_now() => self.yields -= 1,
                }
            } else if self.next < self.of {
                self.tell_a_part().await;
            } else {
                tokio::select! {
                    biased;
                    outcome = &mut storing => return outcome,
                    () = sleep(HOLD) => self.begin().await,
                }
            }
        }
        storing.await
    }
}

/// The number of a message that everybody sees.
fn head_of(event: &Event) -> Option<Seq> {
    match event {
        Event::Said { message, .. }
        | Event::Joined { message, .. }
        | Event::Left { message, .. } => message.is_public().then_some(message.seq),
        _ => None,
    }
}
