//! How often one person may do what costs others: GCRA, by the `governor` crate.

use std::{sync::Arc, time::Duration};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};

use super::Error;
use crate::{
    config::{Rate, Rates},
    domain::PersonId,
};

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
}

impl Limits {
    pub(super) fn new(rates: &Rates) -> Self {
        Self {
            rooms: Limit::new(rates.rooms),
            passwords: Limit::new(rates.passwords),
            chats: Limit::new(rates.chats),
            gifs: Limit::new(rates.gifs),
        }
    }

    /// Lets go of people who are well within every limit.
    pub(super) fn forget_the_idle(&self) {
        for limit in [&self.rooms, &self.passwords, &self.chats, &self.gifs] {
            limit.forget_the_idle();
        }
    }
}
