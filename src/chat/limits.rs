//! How often one person may do what costs others: GCRA, by the `governor` crate.

use std::{fmt, num::NonZeroU32, str::FromStr, sync::Arc, time::Duration};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};

use super::Error;
use crate::domain::PersonId;

/// So many of something in so long: a burst of all of them is allowed, then they come back evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In how long.
    pub per: Duration,
}

impl FromStr for Rate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "not a rate such as 30/10 (30 in 10 seconds), nor `off`";
        let (count, seconds) = text.split_once('/').ok_or(WANTED)?;
        let count = count.parse().map_err(|_| WANTED)?;
        let seconds: NonZeroU32 = seconds.parse().map_err(|_| WANTED)?;
        Ok(Self { count, per: Duration::from_secs(seconds.get().into()) })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, self.per.as_secs())
    }
}

/// How often one person may do what costs others. `None`: as often as they like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    /// Making rooms. `RATE_ROOMS`, by default 10 in 60 seconds.
    pub rooms: Option<Rate>,
    /// Trying passwords. `RATE_PASSWORDS`, by default 10 in 60 seconds.
    pub passwords: Option<Rate>,
    /// Saying something. `RATE_CHATS`, by default 30 in 10 seconds.
    pub chats: Option<Rate>,
    /// Sharing GIFs. `RATE_GIFS`, by default 10 in 60 seconds.
    pub gifs: Option<Rate>,
    /// Telling that one types, which everybody hears. `RATE_TYPING`, by default 20 in 10 seconds.
    pub typing: Option<Rate>,
    /// Deleting a message, and what an owner does. `RATE_ITEMS`, by default 30 in 10 seconds.
    pub items: Option<Rate>,
    /// Reading rooms and history; pages are not counted. `RATE_READS`, by default 200 in 10 seconds.
    pub reads: Option<Rate>,
}

/// One class of things, counted by person.
pub(super) struct Limit(Option<Arc<DefaultKeyedRateLimiter<PersonId>>>);

impl Limit {
    fn new(rate: Option<Rate>) -> Self {
        let quota = rate.and_then(|Rate { count, per }| {
            Some(Quota::with_period(per / count.get())?.allow_burst(count))
        });
        Self(quota.map(|quota| Arc::new(RateLimiter::keyed(quota))))
    }

    /// Counts one, unless it is one too many.
    pub(super) fn check(&self, person: &PersonId) -> Result<(), Error> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        limiter.check_key(person).map_err(|until| {
            let retry_after = until.wait_time_from(limiter.clock().now());
            Error::SlowDown { retry_after: retry_after.max(Duration::from_millis(1)) }
        })
    }

    fn forget_the_idle(&self) {
        if let Some(limiter) = &self.0 {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

/// All classes.
pub(super) struct Limits {
    pub(super) rooms: Limit,
    pub(super) passwords: Limit,
    pub(super) chats: Limit,
    pub(super) gifs: Limit,
    pub(super) typing: Limit,
    pub(super) items: Limit,
    pub(super) reads: Limit,
}

impl Limits {
    pub(super) fn new(rates: &Rates) -> Self {
        Self {
            rooms: Limit::new(rates.rooms),
            passwords: Limit::new(rates.passwords),
            chats: Limit::new(rates.chats),
            gifs: Limit::new(rates.gifs),
            typing: Limit::new(rates.typing),
            items: Limit::new(rates.items),
            reads: Limit::new(rates.reads),
        }
    }

    /// Lets go of people who are well within every limit.
    pub(super) fn forget_the_idle(&self) {
        let Self { rooms, passwords, chats, gifs, typing, items, reads } = self;
        for limit in [rooms, passwords, chats, gifs, typing, items, reads] {
            limit.forget_the_idle();
        }
    }
}
