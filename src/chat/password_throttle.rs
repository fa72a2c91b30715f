//! Throttles wrong passwords: each wrong one in a row doubles the wait before the next try.

use std::time::Duration;

use moka::{ops::compute::Op, sync::Cache};
use tokio::time::Instant;

use super::{Error, Requester};
use crate::domain::{Network, PersonId, RoomId};

/// Number of wrong passwords without a wait, for typing errors.
const FREE_TRIES: u32 = 5;
/// Wait after the first wrong password beyond [`FREE_TRIES`]; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// A guesser's count expires after this long without a try.
const REMEMBERED_FOR: Duration = Duration::from_secs(3_600);
/// Largest number of counts, one for each room and guesser.
const MAX_REMEMBERED: u64 = 100_000;

/// Who guesses: a network, whatever its cookies, or a person if the network is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Guesser {
    From(String),
    Person(PersonId),
}

#[derive(Debug, Clone, Copy)]
struct Tried {
    times: u32,
    next: Instant,
}

/// The tries by room and guesser.
pub(super) struct PasswordThrottle(Cache<(RoomId, Guesser), Tried>);

impl Default for PasswordThrottle {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MAX_REMEMBERED).time_to_idle(REMEMBERED_FOR).build())
    }
}

impl PasswordThrottle {
    /// Counts a try before it is verified, so that concurrent tries are throttled, too.
    pub(super) fn count(&self, room: &RoomId, requester: Requester<'_>) -> Result<(), Error> {
        let now = Instant::now();
        let mut wait = None;
        self.0.entry(key(room, requester)).and_compute_with(|tried| {
            let tried = tried.map_or(Tried { times: 0, next: now }, moka::Entry::into_value);
            if tried.next > now {
                wait = Some(tried.next - now);
                return Op::Nop;
            }
            let times = tried.times + 1;
            Op::Put(Tried { times, next: now + wait_after(times) })
        });
        wait.map_or(Ok(()), |retry_after| Err(Error::SlowDown { retry_after }))
    }

    /// Resets the count after a right password.
    pub(super) fn reset(&self, room: &RoomId, requester: Requester<'_>) {
        self.0.invalidate(&key(room, requester));
    }
}

fn key(room: &RoomId, requester: Requester<'_>) -> (RoomId, Guesser) {
    let guesser = match requester.network {
        Some(Network::Known(network)) => Guesser::From(network.clone()),
        Some(Network::Unknown) | None => Guesser::Person(requester.id.clone()),
    };
    (room.clone(), guesser)
}

fn wait_after(times: u32) -> Duration {
    match times.checked_sub(FREE_TRIES) {
        None | Some(0) => Duration::ZERO,
        Some(more) => FIRST_WAIT.saturating_mul(2_u32.saturating_pow(more - 1)).min(LONGEST_WAIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_guess_doubles_the_wait() {
        let waits: Vec<u64> = (1..20).map(|times| wait_after(times).as_secs()).collect();
        assert_eq!(waits[..9], [0, 0, 0, 0, 0, 1, 2, 4, 8]);
        assert_eq!(waits.last(), Some(&600));
        assert_eq!(wait_after(u32::MAX), LONGEST_WAIT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_guesser_waits_in_one_room_under_any_person_id() {
        let throttle = PasswordThrottle::default();
        let (tea, coffee) = (RoomId::random(), RoomId::random());
        let (here, there) = (Network::known("192.0.2.1"), Network::known("192.0.2.2"));
        let people = ["anna", "ben"].map(|name| PersonId::of_session(b"", name));
        let requester =
            |person: usize, network| Requester { id: &people[person], pass: None, network };
        for guess in 0..6 {
            assert!(throttle.count(&tea, requester(guess % 2, Some(&here))).is_ok());
        }
        let refused = throttle.count(&tea, requester(1, Some(&here))).unwrap_err();
        assert_eq!(refused.retry_after(), Some(FIRST_WAIT));
        assert!(throttle.count(&coffee, requester(1, Some(&here))).is_ok());
        assert!(throttle.count(&tea, requester(1, Some(&there))).is_ok());
        tokio::time::advance(FIRST_WAIT).await;
        assert!(throttle.count(&tea, requester(0, Some(&here))).is_ok());
        let refused = throttle.count(&tea, requester(0, Some(&here))).unwrap_err();
        assert_eq!(refused.retry_after(), Some(2 * FIRST_WAIT));
        throttle.reset(&tea, requester(0, Some(&here)));
        assert!(throttle.count(&tea, requester(1, Some(&here))).is_ok());
        for _ in 0..6 {
            assert!(throttle.count(&tea, requester(0, Some(&Network::Unknown))).is_ok());
        }
        assert!(throttle.count(&tea, requester(0, Some(&Network::Unknown))).is_err());
        assert!(throttle.count(&tea, requester(1, Some(&Network::Unknown))).is_ok());
    }
}
