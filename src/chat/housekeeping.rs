//! What time, or a crash, has left to do. Every step can be repeated.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Chat, Error, FIRST_PERSON_WITHIN, work::Work};
use crate::{
    domain::{Event, RoomId, Timestamp},
    store::{Closing, Departing},
};

/// How often this server says that it is alive, and looks for what is overdue.
const SWEEP_EVERY: Duration = Duration::from_secs(3);
/// A server that has been silent for so long is dead: three beats missed.
const DEAD_AFTER: Duration = Duration::from_secs(10);
/// How often rooms where something was said are told how far they have got.
const HEADS_EVERY: Duration = Duration::from_secs(15);
/// How often what a crash may have left behind is looked for.
const ORPHANS_EVERY: Duration = Duration::from_secs(600);

impl Chat {
    /// Takes over from whoever ran here before: once at start, before anybody can come in.
    ///
    /// `alone` says that no other server can be using this store, so that all others are dead.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn take_over(&self, alone: bool) -> Result<(), Error> {
        let now = Timestamp::now();
        self.store.beat(&self.node, now).await?;
        let seen_before = if alone { now } else { now.before(DEAD_AFTER) };
        self.store.bury_nodes(&self.node, seen_before, now).await?;
        self.clear_orphans().await
    }

    /// Keeps house until `stop`. Seats that a restart has emptied get a whole grace to come back.
    pub async fn keep_house(&self, stop: CancellationToken) {
        let start = Instant::now();
        let every = |first: Duration, period: Duration| {
            let mut ticks = interval_at(start + first, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        };
        let mut beats = every(SWEEP_EVERY, SWEEP_EVERY);
        let mut sweeps = every(self.rules.grace, SWEEP_EVERY);
        let mut heads = every(HEADS_EVERY, HEADS_EVERY);
        let mut orphans = every(ORPHANS_EVERY, ORPHANS_EVERY);
        loop {
            let outcome = tokio::select! {
                () = stop.cancelled() => return,
                _ = beats.tick() => self.beat().await,
                _ = sweeps.tick() => self.sweep().await,
                _ = orphans.tick() => self.clear_orphans().await,
                _ = heads.tick() => { self.tell_heads().await; Ok(()) }
            };
            if let Err(error) = outcome {
                warn!(?error, "housekeeping failed; will try again");
            }
        }
    }

    async fn beat(&self) -> Result<(), Error> {
        let now = Timestamp::now();
        if !self.store.beat(&self.node, now).await? {
            warn!("was silent for so long that the other servers took this one for dead");
            self.bus.announce(Event::Restarting).await;
        }
        self.store.bury_nodes(&self.node, now.before(DEAD_AFTER), now).await?;
        Ok(())
    }

    async fn sweep(&self) -> Result<(), Error> {
        self.look_into_doubts().await;
        let now = Timestamp::now();
        let (away_since, unused_since) =
            (now.before(self.rules.grace), now.before(FIRST_PERSON_WITHIN));
        for room in self.store.overdue(away_since, unused_since).await? {
            self.settle(&room).await;
        }
        self.store.delete_expired_sessions(now).await?;
        self.limits.forget_the_idle();
        Ok(())
    }

    async fn tell_heads(&self) {
        for (room, seq) in self.lanes.take_heads() {
            self.bus.announce(Event::Head { room, seq }).await;
        }
    }

    /// Does what is overdue in a room, after a while.
    pub(super) fn settle_later(&self, room: &RoomId, after: Duration) {
        let (chat, room) = (self.clone(), room.clone());
        // Not among the tasks that a stop waits for: the next start does the same.
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            chat.settle(&room).await;
        });
    }

    /// Does what is overdue in a room: gives up seats whose grace has ended, finds an owner if
    /// theirs never came, removes it if nobody did.
    pub(super) async fn settle(&self, room: &RoomId) {
        if let Err(error) = self.try_settle(room).await {
            warn!(%room, ?error, "could not settle a room; the next sweep will");
        }
    }

    async fn try_settle(&self, id: &RoomId) -> Result<(), Error> {
        let Some(room) = self.store.room(id).await? else { return Ok(()) };
        let now = Timestamp::now();
        let away_since = now.before(self.rules.grace);
        for seat in &room.people {
            if seat.left_at.is_some_and(|left_at| left_at <= away_since) {
                let departing = Departing::IfAwaySince(away_since);
                let departure = self.depart(id, &seat.person, departing).await?;
                self.departed(id, departure).await;
            }
        }
        let unused_since = now.before(FIRST_PERSON_WITHIN);
        if room.people.is_empty() {
            let closed = self.store.close(id, Closing::IfUnusedSince(unused_since)).await;
            if closed.inspect_err(|_| self.doubts.add(id, None))? {
                self.closed(id);
            }
        } else if room.created_at <= unused_since && room.seat(&room.owner.id).is_none() {
            let owner = self.store.replace_absent_owner(id).await;
            if let Some(owner) = owner.inspect_err(|_| self.doubts.add(id, None))? {
                self.owned_by(id, &owner).await;
            }
        }
        Ok(())
    }

    /// Clears up after rooms that are gone: a crash may have come between the two.
    async fn clear_orphans(&self) -> Result<(), Error> {
        for room in self.store.orphans().await? {
            info!(%room, "clearing messages that a room left behind");
            self.queue(&room, Work::Purge);
        }
        for room in self.media.rooms().await? {
            if self.store.room(&room).await?.is_none() {
                info!(%room, "clearing files that a room left behind");
                self.queue(&room, Work::Purge);
            }
        }
        Ok(self.media.measure().await?)
    }

    /// Removes the messages and files of a room that is gone.
    pub(super) async fn purge(&self, room: &RoomId) -> Result<(), Error> {
        if self.store.room(room).await?.is_none() {
            self.store.purge(room).await?;
            self.media.delete_room(room).await?;
        }
        Ok(())
    }

    /// Waits until all that was said is stored and told.
    pub async fn finish_what_was_said(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Stops: finishes what is being said, and lets go of every seat that this server holds, so
    /// that its people have their grace to come back.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn stop(&self) -> Result<(), Error> {
        self.finish_what_was_said().await;
        Ok(self.store.retire(&self.node, Timestamp::now()).await?)
    }
}
