//! Retention: bounds the number of messages that a room keeps. Between two trims a room may exceed
//! its limit by about 100 messages.

use std::{num::NonZeroU32, sync::Arc};

use tracing::warn;

use super::{command::Command, room_task::RoomTasks};
use crate::{
    domain::{RoomId, Seq},
    store::Store,
};

/// Largest number of messages between two trims of a room. Each trim costs about the same,
/// whatever the number of messages that it removes.
const MAX_INTERVAL: Seq = 100;
/// Number of messages removed in one transaction. Bounds how long other writes wait.
const MAX_REMOVED_AT_ONCE: usize = 1_000;

/// The removal of a room's messages up to this `seq`.
#[derive(Debug, PartialEq)]
pub(super) struct Trim(Seq);

impl Trim {
    /// The trim that is due once a room's newest `seq` goes from `before` to `last`. It depends on
    /// the numbers alone, so that only one of several servers trims.
    pub(super) fn if_due(most: Option<NonZeroU32>, before: Seq, last: Seq) -> Option<Self> {
        let most = Seq::from(most?.get());
        let every = (most / 10).clamp(1, MAX_INTERVAL);
        (last > most && before / every < last / every).then(|| Self(last - most))
    }

    pub(super) async fn run(self, room: &RoomId, store: &dyn Store, tasks: &Arc<RoomTasks>) {
        loop {
            let trimmed = match store.trim(room, self.0, MAX_REMOVED_AT_ONCE).await {
                Ok(trimmed) => trimmed,
                // The next trim removes the rest.
                Err(cause) => return warn!(%room, error = ?cause, "could not trim a history"),
            };
            for gif in trimmed.unused {
                tasks.queue(room, Command::Discard(gif));
            }
            if !trimmed.more {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trim_is_due_at_intervals() {
        for (most, before, last, expected) in [
            (0, 999_998, 999_999, None),
            (10_000, 9_999, 10_000, None),
            (10_000, 10_000, 10_001, None),
            (10_000, 10_098, 10_099, None),
            (10_000, 10_099, 10_100, Some(100)),
            (10_000, 10_050, 10_306, Some(306)),
            (10, 9, 10, None),
            (10, 10, 11, Some(1)),
            (50, 53, 54, None),
            (50, 54, 55, Some(5)),
        ] {
            let found = Trim::if_due(NonZeroU32::new(most), before, last);
            assert_eq!(found, expected.map(Trim), "{most} {before} {last}");
        }
    }
}
