//! How much of a room's history is kept: so many messages, and the few more that come until somebody looks.

use std::num::NonZeroU32;

use tracing::warn;

use super::{Chat, work::Work};
use crate::domain::{RoomId, Seq};

/// After so many messages of a room at most, those that are too many go: together, as each look at the store
/// costs about the same.
const LOOK_AFTER: Seq = 100;
/// As many of them go in one step: it holds up what else is written.
const AT_ONCE: usize = 1_000;

/// Up to which number a room's messages are too many, now that it has got from one number to another; `None` while
/// it is not time to look. It depends on nothing but the numbers, so that of several servers one looks.
fn too_many(most: Option<NonZeroU32>, before: Seq, last: Seq) -> Option<Seq> {
    let most = Seq::from(most?.get());
    let every = (most / 10).clamp(1, LOOK_AFTER);
    (last > most && before / every < last / every).then(|| last - most)
}

impl Chat {
    /// A room has got from one number to another: its oldest messages go when it has too many, without anybody
    /// waiting for that.
    pub(super) fn bound_history(&self, room: &RoomId, before: Seq, last: Seq) {
        let Some(up_to) = too_many(self.rules.max_chats, before, last) else { return };
        let (chat, room) = (self.clone(), room.clone());
        self.tasks.spawn(async move { chat.trim(&room, up_to).await });
    }

    async fn trim(&self, room: &RoomId, up_to: Seq) {
        loop {
            let trimmed = match self.store.trim(room, up_to, AT_ONCE).await {
                Ok(trimmed) => trimmed,
                // All that is left goes the next time that somebody looks.
                Err(cause) => return warn!(%room, error = ?cause, "could not shorten a history"),
            };
            for gif in trimmed.unused {
                self.queue(room, Work::Discard(gif));
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
    fn the_oldest_are_too_many_once_in_a_while() {
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
            let found = too_many(NonZeroU32::new(most), before, last);
            assert_eq!(found, expected, "{most} {before} {last}");
        }
    }
}
