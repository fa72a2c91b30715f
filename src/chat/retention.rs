//! Retention: bounds the number of messages that a room keeps. Between two trims a room may exceed
//! its limit by about 100 messages.

use std::num::NonZeroU32;

use tracing::warn;

use super::{ChatService, command::Command};
use crate::domain::{RoomId, Seq};

/// Largest number of messages between two trims of a room. Each trim costs about the same,
/// whatever the number of messages that it removes.
const MAX_INTERVAL: Seq = 100;
/// Number of messages removed in one transaction. Bounds how long other writes wait.
const MAX_REMOVED_AT_ONCE: usize = 1_000;

/// The largest `seq` to remove once a room's newest `seq` goes from `before` to `last`; `None` when
/// no trim is due. It depends on the numbers alone, so that only one of several servers trims.
fn trim_up_to(most: Option<NonZeroU32>, before: Seq, last: Seq) -> Option<Seq> {
    let most = Seq::from(most?.get());
    let every = (most / 10).clamp(1, MAX_INTERVAL);
    (last > most && before / every < last / every).then(|| last - most)
}

impl ChatService {
    /// Starts a trim in the background if one is due, now that the room's newest `seq` went from
    /// `before` to `last`.
    pub(super) fn bound_history(&self, room: &RoomId, before: Seq, last: Seq) {
        let Some(up_to) = trim_up_to(self.rules.max_chats, before, last) else { return };
        let (chat, room) = (self.clone(), room.clone());
        self.tasks.spawn(async move { chat.trim(&room, up_to).await });
    }

    async fn trim(&self, room: &RoomId, up_to: Seq) {
        loop {
            let trimmed = match self.store.trim(room, up_to, MAX_REMOVED_AT_ONCE).await {
                Ok(trimmed) => trimmed,
                // The next trim removes the rest.
                Err(cause) => return warn!(%room, error = ?cause, "could not trim a history"),
            };
            for gif in trimmed.unused {
                self.queue(room, Command::Discard(gif));
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
            let found = trim_up_to(NonZeroU32::new(most), before, last);
            assert_eq!(found, expected, "{most} {before} {last}");
        }
    }
}
