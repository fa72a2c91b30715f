//! The check that every connection which hears a room holds a seat in it.
//!
//! Greetings subscribe only connections that hold a seat, and the end of a seat ends its
//! connections. This check repeats the rule periodically, so that a mistake elsewhere cannot leave
//! somebody listening. It expects to find nothing, and logs what it ends.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    time::Duration,
};

use tokio::time::sleep;
use tracing::warn;

use super::{ChatService, Error};
use crate::domain::{Connection, RoomId};

/// Largest number of rooms that one check reads.
const ROOMS_PER_CHECK: usize = 200;
/// Delay before a finding is confirmed: a person may be leaving at the moment of the check.
const CONFIRM_AFTER: Duration = Duration::from_secs(1);

impl ChatService {
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
