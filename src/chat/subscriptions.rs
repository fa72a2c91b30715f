//! Subscriptions: which connections hear a room.
//!
//! A connection hears a room only while its seat there holds it. This module alone subscribes
//! connections; an edge carries it out, as a [`Subscriber`]. The end of a seat ends its connections
//! by the events of [`Event::ends`](crate::domain::Event::ends).
//!
//! A check repeats the rule periodically, so that a mistake elsewhere cannot leave somebody
//! listening. It expects to find nothing, and logs what it ends.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
    time::Duration,
};

use tokio::time::sleep;
use tracing::warn;

use super::{
    ChatService, Error, SeatGuard,
    command::{Command, Found, Greeting},
    seats::MAX_WINDOW,
};
use crate::domain::{Connection, History, Room, RoomId, Seq, Window};

/// Number of newest messages in a greeting for a visitor who names no last seen message.
const GREETING_WINDOW: usize = 50;
/// Largest number of rooms that one check reads.
const ROOMS_PER_CHECK: usize = 200;
/// Delay before a finding is confirmed: a person may be leaving at the moment of the check.
const CONFIRM_AFTER: Duration = Duration::from_secs(1);

/// A connection in a room, as its edge lets it hear the room. The chat service decides when.
pub trait Subscriber: Send + Sync + 'static {
    /// The connection's hold on its seat.
    fn seat(&self) -> &SeatGuard;

    /// Sends the room and a page of its history; false when the connection has closed.
    fn welcome(&self, room: &Room, history: &History) -> bool;

    /// Adds the connection to those that receive the events of the room.
    fn subscribe(&self, room: &Room);

    /// Removes it from them. Does nothing if it is not one of them.
    fn unsubscribe(&self);

    /// Ends the connection's part in the room, because it may not hear it.
    fn refuse(&self, error: &Error);
}

/// What a connection's exit found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exited {
    /// Its person had a seat, and has left.
    Left,
    /// Its person had left already.
    HadLeft,
}

impl ChatService {
    /// Greets a connection that has entered: sends the room and the messages after `after`, or the
    /// newest ones, and subscribes it, if it holds the seat in the room just read; else refuses it
    /// with [`Error::NotInRoom`]. The room task announces nothing meanwhile: every later event
    /// reaches the connection, and so does the end of its seat.
    pub fn greet(&self, subscriber: Arc<dyn Subscriber>, after: Option<Seq>) {
        let window = match after {
            Some(after) => Window::After { after, limit: MAX_WINDOW },
            None => Window::Latest { before: None, limit: GREETING_WINDOW },
        };
        self.subscribe(subscriber, window, Subscriber::welcome);
    }

    /// Gives up the seat of a connection, like [`ChatService::exit`], when the connection asks for
    /// it. The connection hears nothing more, so that nothing follows the answer. After an error it
    /// stays, and hears the room again while it holds the seat.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn exit_by(&self, subscriber: &Arc<dyn Subscriber>) -> Result<Exited, Error> {
        let seat = subscriber.seat();
        subscriber.unsubscribe();
        self.all_stored(&seat.room).await;
        subscriber.unsubscribe(); // It may have been greeted meanwhile.
        match self.give_up(&seat.room, &seat.person).await {
            Ok(()) => Ok(Exited::Left),
            Err(Error::NotInRoom) => Ok(Exited::HadLeft),
            Err(error) => {
                let nothing = Window::After { after: Seq::MAX, limit: MAX_WINDOW };
                self.subscribe(subscriber.clone(), nothing, |_, _, _| true);
                Err(error)
            }
        }
    }

    /// Subscribes a connection between two events of its room, after `welcome`.
    fn subscribe(
        &self,
        subscriber: Arc<dyn Subscriber>,
        window: Window,
        welcome: impl FnOnce(&dyn Subscriber, &Room, &History) -> bool + Send + 'static,
    ) {
        let seat = subscriber.seat();
        let (connection, id) = (seat.connection(), seat.room.clone());
        let greeted = move |found: Found| match found {
            Ok(_) if subscriber.seat().has_let_go() => {} // It is closing.
            Ok((room, history)) => {
                if welcome(&*subscriber, &room, &history) {
                    subscriber.subscribe(&room);
                    if subscriber.seat().has_let_go() {
                        subscriber.unsubscribe(); // It has closed meanwhile.
                    }
                }
            }
            Err(error) => subscriber.refuse(&error),
        };
        let greeting = Greeting { connection, window, welcome: Box::new(greeted) };
        self.room_tasks.queue(&id, Command::Greet(greeting));
    }

    /// Ends connections that hear a room without a seat in it. Checks the next rooms after
    /// `checked_up_to`, which then names the last one; `None` means that all have been checked.
    pub(super) async fn check_subscriptions(
        &self,
        checked_up_to: &mut Option<RoomId>,
    ) -> Result<(), Error> {
        let mut rooms: BTreeMap<RoomId, Vec<Connection>> = BTreeMap::new();
        for connection in self.bus.subscribers() {
            rooms.entry(connection.room.clone()).or_default().push(connection);
        }
        let from = checked_up_to.take().map_or(Bound::Unbounded, Bound::Excluded);
        let next = rooms.range((from, Bound::Unbounded)).take(ROOMS_PER_CHECK);
        let mut seatless = BTreeSet::new();
        let mut checked = 0;
        for (id, connections) in next {
            seatless.extend(self.without_seat(id, connections).await?);
            *checked_up_to = Some(id.clone());
            checked += 1;
        }
        if checked < ROOMS_PER_CHECK {
            *checked_up_to = None;
        }
        if seatless.is_empty() {
            return Ok(());
        }
        sleep(CONFIRM_AFTER).await;
        // A server that hung asks its clients to reconnect: their seats hold no connection any more.
        self.heartbeat().await?;
        for connection in self.bus.subscribers() {
            let found = seatless.contains(&connection);
            if found && !self.without_seat(&connection.room, [&connection]).await?.is_empty() {
                let Connection { room, person, .. } = &connection;
                warn!(%room, %person, "ended a connection that heard a room without a seat in it");
                self.bus.unsubscribe(&connection);
            }
        }
        Ok(())
    }

    /// Those of a room's connections that hold no seat in it.
    async fn without_seat<'a>(
        &self,
        room: &RoomId,
        connections: impl IntoIterator<Item = &'a Connection>,
    ) -> Result<Vec<Connection>, Error> {
        let room = self.store.room(room).await?;
        let holds = |connection: &&Connection| room.as_ref().is_some_and(|r| r.holds(connection));
        Ok(connections.into_iter().filter(|connection| !holds(connection)).cloned().collect())
    }
}
