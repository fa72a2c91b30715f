//! Rate limits by person and by network: GCRA, by the `governor` crate.

use std::{fmt, hash::Hash, num::NonZeroU32, str::FromStr, time::Duration};

use governor::{
    DefaultKeyedRateLimiter, InsufficientCapacity, Quota, RateLimiter, clock::Clock as _,
};

use super::{Error, Requester};
use crate::domain::{Network, PersonId};

/// A rate: `count` operations in each `per`. The full count is allowed as a burst and refills
/// evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Number of operations.
    pub count: NonZeroU32,
    /// The period.
    pub per: Duration,
}

impl Rate {
    /// A rate with `factor` times the count in the same period.
    fn times(self, factor: u32) -> Self {
        let factor = NonZeroU32::new(factor).unwrap_or(NonZeroU32::MIN);
        Self { count: self.count.saturating_mul(factor), ..self }
    }
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

/// The limits of one class of operations. `None`: no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// For one person.
    pub person: Option<Rate>,
    /// For all people of one network together.
    pub network: Option<Rate>,
}

/// A network's default rate, as a multiple of one person's.
const PEOPLE_OF_A_NETWORK: u32 = 10;

/// The rate of all visitors whose network is unknown together, as a multiple of one network's.
const NETWORKS_OF_A_PROXY: u32 = 10;

impl FromStr for RateLimit {
    type Err = &'static str;

    /// `30/10,200/10`: one person's rate, then a network's, which defaults to ten times the
    /// person's. Each may be `off`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rate = |text: &str| match text.trim() {
            "off" => Ok(None),
            rate => rate.parse().map(Some),
        };
        let Some((person, network)) = text.split_once(',') else {
            let person: Option<Rate> = rate(text)?;
            let network = person.map(|rate| rate.times(PEOPLE_OF_A_NETWORK));
            return Ok(Self { person, network });
        };
        Ok(Self { person: rate(person)?, network: rate(network)? })
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words =
            |rate: Option<Rate>| rate.map_or_else(|| "off".to_owned(), |rate| rate.to_string());
        write!(f, "{},{}", words(self.person), words(self.network))
    }
}

/// The limits of all classes of operations: for each, how often one person and one network may do
/// it. A line here is a setting, too: `chats` is `RATE_CHATS`.
macro_rules! rate_limits {
    ($($(#[doc = $about:literal])+ $class:ident = $default:literal;)+) => {
        /// The rate limits of all classes of operations.
        #[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
        pub struct Rates {
            $(
                $(#[doc = $about])+
                #[arg(id = concat!("rate_", stringify!($class)), default_value = $default)]
                pub $class: RateLimit,
            )+
            /// How often one network may open live connections.
            #[arg(id = "rate_handshakes", default_value = "100/10", value_parser = rate_or_off)]
            pub handshakes: RateOrOff,
            /// How often one network may send requests over HTTP, pages and images among them.
            #[arg(id = "rate_requests", default_value = "1000/10", value_parser = rate_or_off)]
            pub requests: RateOrOff,
            /// How often one network may begin sessions.
            #[arg(id = "rate_sessions", default_value = "300/600", value_parser = rate_or_off)]
            pub sessions: RateOrOff,
        }

        /// The limiters of all classes.
        pub(super) struct RateLimiters {
            $(pub(super) $class: ClassLimiter,)+
            pub(super) handshakes: NetworkLimiter,
            pub(super) requests: NetworkLimiter,
            pub(super) sessions: NetworkLimiter,
        }

        impl RateLimiters {
            pub(super) fn new(rates: &Rates) -> Self {
                Self {
                    $($class: ClassLimiter::new(rates.$class),)+
                    handshakes: NetworkLimiter::new(rates.handshakes),
                    requests: NetworkLimiter::new(rates.requests),
                    sessions: NetworkLimiter::new(rates.sessions),
                }
            }

            /// Drops the state of people and networks that are within every limit.
            pub(super) fn forget_idle(&self) {
                $(self.$class.forget_idle();)+
                self.handshakes.forget_idle();
                self.requests.forget_idle();
                self.sessions.forget_idle();
            }
        }
    };
}

rate_limits! {
    /// Making rooms, as count/seconds: for one person, and behind the comma for one network; or `off`.
    rooms = "10/60,30/60";
    /// Entering a room with another connection.
    entering = "30/10,200/10";
    /// Trying passwords.
    passwords = "10/60,30/60";
    /// Sending messages.
    chats = "30/10,300/10";
    /// Whispering.
    whispers = "30/10,300/10";
    /// Sharing GIFs.
    gifs = "10/60,50/60";
    /// Sharing GIFs, in kibibytes.
    gif_kib = "30720/60,102400/60";
    /// Typing notifications, which go to everybody in the room.
    typing = "20/10,200/10";
    /// Deleting and reporting messages, and an owner's actions.
    items = "30/10,200/10";
    /// Reading rooms and history by programs; pages are not counted.
    reads = "200/10,1000/10";
    /// Making tokens for bots.
    tokens = "10/60,30/60";
    /// Frames that a bot sends to the gateway.
    frames = "120/10,1200/10";
    /// Events that a client sends over its sockets, all together.
    events = "300/10,3000/10";
}

/// A rate; `None` for `off`.
type RateOrOff = Option<Rate>;

fn rate_or_off(raw: &str) -> Result<RateOrOff, &'static str> {
    if raw == "off" { Ok(None) } else { raw.parse().map(Some) }
}

/// One rate, counted separately for each key.
pub(super) struct KeyedRateLimiter<K: Hash + Eq + Clone>(Option<DefaultKeyedRateLimiter<K>>);

impl<K: Hash + Eq + Clone> KeyedRateLimiter<K> {
    fn new(rate: Option<Rate>) -> Self {
        let quota = rate.and_then(|Rate { count, per }| {
            Some(Quota::with_period(per / count.get())?.allow_burst(count))
        });
        Self(quota.map(RateLimiter::keyed))
    }

    /// Counts `count` operations, or refuses them all. More than a full burst counts as a full
    /// burst.
    fn check(&self, key: &K, count: NonZeroU32) -> Result<(), Error> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        let checked = limiter.check_key_n(key, count).or_else(|InsufficientCapacity(most)| {
            limiter.check_key_n(key, NonZeroU32::new(most).unwrap_or(count))
        });
        let Ok(Err(until)) = checked else { return Ok(()) };
        let retry_after = until.wait_time_from(limiter.clock().now());
        Err(Error::SlowDown { retry_after: retry_after.max(Duration::from_millis(1)) })
    }

    fn forget_idle(&self) {
        if let Some(limiter) = &self.0 {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

/// One rate for each network. All visitors whose network is unknown share a higher one.
pub(super) struct NetworkLimiter {
    known: KeyedRateLimiter<String>,
    unknown: KeyedRateLimiter<()>,
}

impl NetworkLimiter {
    fn new(rate: Option<Rate>) -> Self {
        let for_all = rate.map(|rate| rate.times(NETWORKS_OF_A_PROXY));
        Self { known: KeyedRateLimiter::new(rate), unknown: KeyedRateLimiter::new(for_all) }
    }

    pub(super) fn check(&self, network: &Network, count: NonZeroU32) -> Result<(), Error> {
        match network {
            Network::Known(network) => self.known.check(network, count),
            Network::Unknown => self.unknown.check(&(), count),
        }
    }

    fn forget_idle(&self) {
        self.known.forget_idle();
    }
}

/// One class of operations, counted by person and by network.
pub(super) struct ClassLimiter {
    people: KeyedRateLimiter<PersonId>,
    networks: NetworkLimiter,
}

impl ClassLimiter {
    fn new(class: RateLimit) -> Self {
        Self {
            people: KeyedRateLimiter::new(class.person),
            networks: NetworkLimiter::new(class.network),
        }
    }

    /// Counts one operation, or refuses it.
    pub(super) fn check(&self, requester: Requester<'_>) -> Result<(), Error> {
        self.check_many(requester, NonZeroU32::MIN)
    }

    /// Counts `count` operations, or refuses them all.
    pub(super) fn check_many(
        &self,
        requester: Requester<'_>,
        count: NonZeroU32,
    ) -> Result<(), Error> {
        self.people.check(requester.id, count)?;
        self.networks.check(requester.network.unwrap_or(&Network::Unknown), count)
    }

    fn forget_idle(&self) {
        self.people.forget_idle();
        self.networks.forget_idle();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_ten_times_the_rate_of_a_person_by_default() {
        for (text, shown) in [
            ("30/10", "30/10,300/10"),
            ("30/10,50/10", "30/10,50/10"),
            ("30/10, off", "30/10,off"),
            ("off", "off,off"),
        ] {
            assert_eq!(text.parse::<RateLimit>().unwrap().to_string(), shown);
        }
        for text in ["", "30", "0/10", "30/10,", "30/10,many", "30/10,1/1,1/1"] {
            assert!(text.parse::<RateLimit>().is_err(), "{text}");
        }
    }

    #[test]
    fn people_of_one_network_share_its_rate() {
        let limit = ClassLimiter::new("2/60,3/60".parse().unwrap());
        let people = ["anna", "ben", "cleo"].map(|name| PersonId::of_session(b"", name));
        let try_as = |person: usize, network: &Network| {
            let requester = Requester { id: &people[person], pass: None, network: Some(network) };
            limit.check(requester).is_ok()
        };
        let (here, there) = (Network::known("192.0.2.1"), Network::known("192.0.2.2"));
        assert!(try_as(0, &here) && try_as(0, &here) && !try_as(0, &here));
        assert!(try_as(1, &here) && !try_as(1, &here));
        assert!(try_as(2, &there));
        let unknown = (0..40).filter(|nth| {
            let id = PersonId::of_session(b"", &nth.to_string());
            limit.check(Requester { id: &id, pass: None, network: Some(&Network::Unknown) }).is_ok()
        });
        assert_eq!(unknown.count(), 30, "visitors of unknown networks share ten times the rate");
    }

    #[test]
    fn more_than_a_burst_waits_for_a_full_burst() {
        let limit = ClassLimiter::new("10/60".parse().unwrap());
        let anna = PersonId::of_session(b"", "anna");
        let anna = Requester { id: &anna, pass: None, network: None };
        let many = |count| NonZeroU32::new(count).unwrap();
        assert!(limit.check_many(anna, many(25)).is_ok());
        assert!(matches!(limit.check_many(anna, many(1)), Err(Error::SlowDown { .. })));
    }
}
