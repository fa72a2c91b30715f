//! Maintenance: ends expired seats and rooms, and cleans up after a crash. Every step can be
//! repeated.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{ChatService, Error, command::Command};
use crate::{
    domain::{Event, RoomId, SystemCode, Timestamp},
    media,
    store::{self, Closing, LeaveReason},
};

/// Interval of this server's heartbeat, and of the sweep for expired seats and rooms.
const SWEEP_EVERY: Duration = Duration::from_secs(3);
/// A server without a heartbeat for this long is dead: three heartbeats missed.
const DEAD_AFTER: Duration = Duration::from_secs(10);
/// Interval at which active rooms announce their newest `seq`, so that clients notice a gap.
const HEADS_EVERY: Duration = Duration::from_secs(15);
/// Interval of the search for messages and files that a crash left behind.
const ORPHANS_EVERY: Duration = Duration::from_secs(600);
/// How far a stored time may be ahead of this server's clock: more than the clocks of two servers
/// differ, and than the time by which a request without scripts keeps a seat. Times further ahead
/// were stored before the clock was set back, and count as now.
const MAX_AHEAD: Duration = Duration::from_secs(90);
/// How long a new room waits for its first person, and for its owner.
pub(super) const FIRST_PERSON_WITHIN: Duration = Duration::from_secs(60);

/// Why a server cannot take over.
#[derive(Debug, thiserror::Error)]
pub enum TakeOverError {
    /// The store failed, or does not answer.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The uploads belong to another store, or cannot be read or written.
    #[error(transparent)]
    Uploads(#[from] media::OpenError),
    /// The uploads cannot be listed or removed.
    #[error(transparent)]
    Files(#[from] media::StorageError),
}

impl From<TakeOverError> for Error {
    fn from(cause: TakeOverError) -> Self {
        Self::Unavailable(cause.into())
    }
}

impl ChatService {
    /// Prepares the store and the uploads, and takes over from dead servers. Visitors can enter
    /// from then on. If the database does not answer yet, [`ChatService::maintain`] tries again.
    ///
    /// `alone` means that no other server can use this store, so that all others are dead.
    ///
    /// # Errors
    /// When the store or the uploads cannot be used.
    pub async fn take_over(&self, alone: bool) -> Result<(), TakeOverError> {
        let store = self.store.prepare().await?;
        self.media.claim(&store).await?;
        let now = Timestamp::now();
        self.store.heartbeat(&self.node, now).await?;
        let seen_before = if alone { now } else { now.before(DEAD_AFTER) };
        self.store.reap_dead_nodes(&self.node, seen_before, now).await?;
        self.clear_orphans().await?;
        self.admission.taken_over.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Runs the maintenance until `stop`. People who lost their connections in a restart get the
    /// full grace to come back.
    pub async fn maintain(self: &Arc<Self>, stop: CancellationToken) {
        let start = Instant::now();
        let every = |first: Duration, period: Duration| {
            let mut ticks = interval_at(start + first, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        };
        let mut heartbeats = every(SWEEP_EVERY, SWEEP_EVERY);
        let mut reconciling = every(SWEEP_EVERY, SWEEP_EVERY);
        let mut sweeps = every(self.policy.grace, SWEEP_EVERY);
        let mut heads = every(HEADS_EVERY, HEADS_EVERY);
        let mut orphans = every(ORPHANS_EVERY, ORPHANS_EVERY);
        let mut subscriptions = every(SWEEP_EVERY, SWEEP_EVERY);
        let mut checked_up_to = None;
        loop {
            let outcome = tokio::select! {
                // In this order: a server that hung asks its clients to reconnect before anything
                // else, because their seats do not hold their connections any more.
                biased;
                () = stop.cancelled() => return,
                _ = heartbeats.tick() => self.heartbeat().await,
                _ = reconciling.tick() => { self.reconciler.reconcile(self).await; Ok(()) }
                // The other steps are for a store that is prepared.
                _ = sweeps.tick(), if self.admission.has_taken_over() => self.sweep().await,
                _ = orphans.tick(), if self.admission.has_taken_over() => {
                    self.clear_orphans().await.map_err(Error::from)
                }
                _ = subscriptions.tick() => self.check_subscriptions(&mut checked_up_to).await,
                _ = heads.tick() => { self.room_tasks.announce_heads().await; Ok(()) }
            };
            if let Err(error) = outcome {
                warn!(?error, "maintenance failed; will retry");
            }
        }
    }

    pub(super) async fn heartbeat(&self) -> Result<(), Error> {
        if !self.admission.has_taken_over() {
            // The embedded store was there at the start, so this one is shared.
            self.take_over(false).await?;
            info!("the database answers");
        }
        let now = Timestamp::now();
        let known = self.store.heartbeat(&self.node, now).await;
        self.admission.heartbeat_failed.store(known.is_err(), Ordering::Relaxed);
        if !known? {
            warn!("this server missed its heartbeats, and the other servers have declared it dead");
            self.bus.announce(Event::Restarting).await;
        }
        self.store.reap_dead_nodes(&self.node, now.before(DEAD_AFTER), now).await?;
        Ok(())
    }

    async fn sweep(self: &Arc<Self>) -> Result<(), Error> {
        let now = Timestamp::now();
        // A day back, and a seat that was left before would be kept for a day.
        self.store.clamp_times(now.after(MAX_AHEAD), now).await?;
        let away_since = now.before(self.policy.grace);
        for room in self.store.overdue(away_since, now.before(FIRST_PERSON_WITHIN)).await? {
            self.settle(&room).await;
        }
        self.store.delete_expired_sessions(now).await?;
        self.limits.forget_idle();
        Ok(())
    }

    /// Settles a room after a delay.
    pub(super) fn settle_later(self: &Arc<Self>, room: &RoomId, after: Duration) {
        let (chat, room) = (self.clone(), room.clone());
        // A stop does not wait for this task: the next start settles the room.
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            chat.settle(&room).await;
        });
    }

    /// Settles a room: gives up seats whose grace has ended, replaces an owner who never entered,
    /// and closes the room if nobody entered but bots.
    pub(super) async fn settle(&self, room: &RoomId) {
        if let Err(error) = self.try_settle(room).await {
            warn!(%room, ?error, "could not settle a room; the next sweep will retry");
        }
    }

    async fn try_settle(&self, id: &RoomId) -> Result<(), Error> {
        let Some(room) = self.store.room(id).await? else { return Ok(()) };
        let now = Timestamp::now();
        let away_since = now.before(self.policy.grace);
        for seat in &room.people {
            if seat.left_at.is_some_and(|left_at| left_at <= away_since) {
                let _leaving = self.person_locks.lock(id, &seat.person.id).await;
                let reason = LeaveReason::IfAwaySince(away_since);
                let outcome = self.leave(id, &seat.person, reason).await?;
                self.announce_leave(id, outcome, SystemCode::Left).await;
            }
        }
        let unused_since = now.before(FIRST_PERSON_WITHIN);
        if room.empty_since.is_some() {
            let closed = self.store.close(id, Closing::IfUnusedSince(unused_since)).await;
            if closed.inspect_err(|_| self.reconciler.add_room(id, None))? {
                self.announce_closing(id);
            }
        } else if (room.created_at <= unused_since || room.created_at > now.after(MAX_AHEAD))
            && room.seat(&room.owner.id).is_none()
        {
            let owner = self.store.replace_absent_owner(id).await;
            if let Some(owner) = owner.inspect_err(|_| self.reconciler.add_room(id, None))? {
                self.announce_owner(id, &owner).await;
            }
        }
        Ok(())
    }

    /// Purges messages and files of closed rooms: a crash may come between closing and purging.
    async fn clear_orphans(&self) -> Result<(), TakeOverError> {
        for room in self.store.orphans().await? {
            info!(%room, "purging messages of a closed room");
            self.room_tasks.queue(&room, Command::Purge);
        }
        for room in self.media.rooms().await? {
            if self.store.room(&room).await?.is_none() {
                info!(%room, "purging files of a closed room");
                self.room_tasks.queue(&room, Command::Purge);
            }
        }
        Ok(self.media.measure().await?)
    }

    /// Waits until every room task has stored and announced its messages.
    pub async fn finish_what_was_said(&self) {
        self.room_tasks.finish().await;
    }

    /// Stops: finishes the room tasks, then releases every seat that this server holds, so that
    /// the grace of its people begins.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn stop(&self) -> Result<(), Error> {
        self.finish_what_was_said().await;
        Ok(self.store.retire(&self.node, Timestamp::now()).await?)
    }
}
