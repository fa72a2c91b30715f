//! Connections as an edge has them: who hears the room, and what they hear.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use huechat::{
    bus::{Edge, Part},
    chat::{Error, SeatGuard, Subscriber},
    domain::{Connection, Ended, Event, History, PersonId, Room, Seq},
};
use parking_lot::Mutex;

/// The connections of one server process.
#[derive(Default)]
pub struct Connections {
    /// In the order in which they came: a seed repeats it.
    hearing: Mutex<Vec<Tab>>,
    /// How many the periodic check of subscriptions has ended.
    pub ended_by_check: AtomicUsize,
    /// What was wrong with what a connection heard.
    wrong: Mutex<Vec<String>>,
    /// The connections that an event has ended since the scheduler last looked.
    ended: Mutex<Vec<Connection>>,
    /// The number of people, as the last event had it.
    count: Mutex<Option<u32>>,
}

/// One connection: a tab of a visitor, or a bot's connection in the room.
#[derive(Clone)]
pub struct Tab(Arc<State>);

struct State {
    all: Arc<Connections>,
    guard: SeatGuard,
    /// The newest message that it has; unknown when it has been out of the room.
    seen: Mutex<Option<Seq>>,
    is_exiting: AtomicBool,
    /// Whether its token has ended: it still holds the seat until its bot has left.
    is_ended: AtomicBool,
}

impl Tab {
    pub fn new(all: &Arc<Connections>, guard: SeatGuard) -> Self {
        let (seen, is_exiting, is_ended) = Default::default();
        Self(Arc::new(State { all: all.clone(), guard, seen, is_exiting, is_ended }))
    }

    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn connection(&self) -> Connection {
        self.0.guard.connection()
    }

    pub fn person(&self) -> &PersonId {
        &self.0.guard.person.id
    }

    /// True for the first of its requests to leave: a client sends one after the other.
    pub fn begins_exit(&self) -> bool {
        !self.0.is_exiting.swap(true, Ordering::SeqCst)
    }

    pub fn stays(&self) {
        self.0.is_exiting.store(false, Ordering::SeqCst);
    }

    /// The connection closes: by its client, or by the server.
    pub fn close(&self) {
        self.0.guard.let_go();
        self.unsubscribe();
    }

    /// The connection closes, and keeps its hold on the seat.
    pub fn end(&self) {
        self.0.is_ended.store(true, Ordering::SeqCst);
        self.unsubscribe();
    }

    fn hear(&self, seq: Seq, prev: Seq) -> Option<String> {
        let seen = self.0.seen.lock().replace(seq)?;
        let missed = seen != prev;
        missed.then(|| format!("{} has {seen} and hears {seq} after {prev}", self.person()))
    }
}

impl Subscriber for Tab {
    fn seat(&self) -> &SeatGuard {
        &self.0.guard
    }

    fn welcome(&self, _: &Room, history: &History) -> bool {
        *self.0.seen.lock() = history.messages.last().map(|message| message.seq);
        !self.0.is_ended.load(Ordering::SeqCst)
    }

    fn subscribe(&self, _: &Room) {
        let mut hearing = self.0.all.hearing.lock();
        if hearing.iter().all(|other| !other.is(self)) {
            hearing.push(self.clone());
        }
    }

    fn unsubscribe(&self) {
        self.0.all.hearing.lock().retain(|other| !other.is(self));
        *self.0.seen.lock() = None;
    }

    fn refuse(&self, _: &Error) {
        self.close();
    }
}

impl Connections {
    pub fn hearing(&self) -> BTreeSet<Connection> {
        self.hearing.lock().iter().map(Tab::connection).collect()
    }

    /// Lets go of everything: a server, its connections and their seats hold each other.
    pub fn forget(&self) {
        drop(std::mem::take(&mut *self.hearing.lock()));
    }

    pub fn take_ended(&self) -> Vec<Connection> {
        std::mem::take(&mut self.ended.lock())
    }

    /// The number of people, as the last event had it.
    pub fn count(&self) -> Option<u32> {
        *self.count.lock()
    }

    pub fn take_wrong(&self) -> Vec<String> {
        std::mem::take(&mut self.wrong.lock())
    }

    fn those(&self, ended: Ended<'_>) -> Vec<Tab> {
        let is_ended = |one: &Connection| match ended {
            Ended::Seat { room, person } => one.room == *room && one.person == *person,
            Ended::Room(room) => one.room == *room,
        };
        let hearing = self.hearing.lock();
        hearing.iter().filter(|tab| is_ended(&tab.connection())).cloned().collect()
    }
}

#[async_trait]
impl Edge for Connections {
    async fn deliver(&self, event: &Event, _: Part) {
        if let Event::Joined { count, .. } | Event::Left { count, .. } = event {
            *self.count.lock() = Some(*count);
        }
        match event {
            Event::Joined { message, prev, .. }
            | Event::Left { message, prev, .. }
            | Event::Posted { message, prev } => {
                let wrong: Vec<_> = self
                    .those(Ended::Room(&message.room))
                    .iter()
                    .filter_map(|tab| tab.hear(message.seq, *prev))
                    .collect();
                self.wrong.lock().extend(wrong);
            }
            Event::Restarting => {
                let all = self.hearing.lock().clone();
                all.iter().for_each(Tab::close);
            }
            Event::RoomOpened(_)
            | Event::RoomChanged(_)
            | Event::RoomClosed(_)
            | Event::Kicked { .. }
            | Event::Deleted { .. }
            | Event::RoomUpdated(_)
            | Event::OwnerChanged { .. }
            | Event::Typing { .. }
            | Event::Head { .. } => {}
        }
    }

    async fn end(&self, ended: Ended<'_>) {
        for tab in self.those(ended) {
            tab.close();
            self.ended.lock().push(tab.connection());
        }
    }

    fn listeners(&self, _: &Event) -> usize {
        self.hearing.lock().len()
    }

    fn subscribers(&self) -> Vec<Connection> {
        self.hearing.lock().iter().map(Tab::connection).collect()
    }

    fn unsubscribe(&self, subscriber: &Connection) {
        let hearing = self.hearing.lock().clone();
        for tab in hearing.iter().filter(|tab| tab.connection() == *subscriber) {
            self.ended_by_check.fetch_add(1, Ordering::SeqCst);
            tab.close();
        }
    }

    fn is_divided(&self, _: &Event) -> bool {
        true
    }
}
