//! How often one person, and one network, may do what costs others: GCRA, by the `governor` crate.

use std::{fmt, hash::Hash, num::NonZeroU32, str::FromStr, time::Duration};

use governor::{
    DefaultKeyedRateLimiter, InsufficientCapacity, Quota, RateLimiter, clock::Clock as _,
};

use super::{Caller, Error};
use crate::domain::{Network, PersonId};

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

/// How often something may be done. `None`: as often as they like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class {
    /// By one person.
    pub person: Option<Rate>,
    /// By everybody who comes from one network.
    pub network: Option<Rate>,
}

/// A network of which nothing else is said may do as much as so many people.
const PEOPLE_OF_A_NETWORK: u32 = 10;

impl FromStr for Class {
    type Err = &'static str;

    /// `30/10,200/10`: one person's rate, and behind the comma a network's, which else is ten times the person's.
    /// Each may be `off`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rate = |text: &str| match text.trim() {
            "off" => Ok(None),
            rate => rate.parse().map(Some),
        };
        let Some((person, network)) = text.split_once(',') else {
            let person: Option<Rate> = rate(text)?;
            let network = person.map(|Rate { count, per }| {
                let count =
                    count.saturating_mul(NonZeroU32::MIN.saturating_add(PEOPLE_OF_A_NETWORK - 1));
                Rate { count, per }
            });
            return Ok(Self { person, network });
        };
        Ok(Self { person: rate(person)?, network: rate(network)? })
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words =
            |rate: Option<Rate>| rate.map_or_else(|| "off".to_owned(), |rate| rate.to_string());
        write!(f, "{},{}", words(self.person), words(self.network))
    }
}

/// How often what costs others may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    /// Making rooms. `RATE_ROOMS`.
    pub rooms: Class,
    /// Entering a room with another connection. `RATE_ENTERING`.
    pub entering: Class,
    /// Trying passwords. `RATE_PASSWORDS`.
    pub passwords: Class,
    /// Saying something. `RATE_CHATS`.
    pub chats: Class,
    /// Whispering. `RATE_WHISPERS`.
    pub whispers: Class,
    /// Sharing GIFs. `RATE_GIFS`.
    pub gifs: Class,
    /// The same in kibibytes. `RATE_GIF_KIB`.
    pub gif_kib: Class,
    /// Telling that one types, which everybody hears. `RATE_TYPING`.
    pub typing: Class,
    /// Deleting a message, and what an owner does. `RATE_ITEMS`.
    pub items: Class,
    /// Reading rooms and history; pages are not counted. `RATE_READS`.
    pub reads: Class,
    /// Making tokens for bots. `RATE_TOKENS`.
    pub tokens: Class,
    /// Whatever a bot sends to the gateway. `RATE_FRAMES`.
    pub frames: Class,
    /// Opening connections for live messages, whoever does. `RATE_HANDSHAKES`.
    pub handshakes: Option<Rate>,
    /// Beginning a session: coming without one, whoever does. `RATE_SESSIONS`.
    pub sessions: Option<Rate>,
}

/// One rate, for each key of its own.
struct Keyed<K: Hash + Eq + Clone>(Option<DefaultKeyedRateLimiter<K>>);

impl<K: Hash + Eq + Clone> Keyed<K> {
    fn new(rate: Option<Rate>) -> Self {
        let quota = rate.and_then(|Rate { count, per }| {
            Some(Quota::with_period(per / count.get())?.allow_burst(count))
        });
        Self(quota.map(RateLimiter::keyed))
    }

    /// Counts so many, unless they are too many. What is more than may ever be done at once counts as all of it.
    fn check(&self, key: &K, count: NonZeroU32) -> Result<(), Error> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        let checked = limiter.check_key_n(key, count).or_else(|InsufficientCapacity(most)| {
            limiter.check_key_n(key, NonZeroU32::new(most).unwrap_or(count))
        });
        let Ok(Err(until)) = checked else { return Ok(()) };
        let retry_after = until.wait_time_from(limiter.clock().now());
        Err(Error::SlowDown { retry_after: retry_after.max(Duration::from_millis(1)) })
    }

    fn forget_the_idle(&self) {
        if let Some(limiter) = &self.0 {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

/// One class of things, counted by person and by network.
pub(super) struct Limit {
    people: Keyed<PersonId>,
    networks: Keyed<Network>,
}

impl Limit {
    fn new(class: Class) -> Self {
        Self { people: Keyed::new(class.person), networks: Keyed::new(class.network) }
    }

    /// Counts one, unless it is one too many.
    pub(super) fn check(&self, who: Caller<'_>) -> Result<(), Error> {
        self.check_many(who, NonZeroU32::MIN)
    }

    /// Counts so many, unless they are too many.
    pub(super) fn check_many(&self, who: Caller<'_>, count: NonZeroU32) -> Result<(), Error> {
        self.people.check(who.id, count)?;
        match who.network.filter(|network| !network.is_a_proxys()) {
            Some(network) => self.networks.check(network, count),
            None => Ok(()),
        }
    }

    fn forget_the_idle(&self) {
        self.people.forget_the_idle();
        self.networks.forget_the_idle();
    }
}

/// All classes.
pub(super) struct Limits {
    pub(super) rooms: Limit,
    pub(super) entering: Limit,
    pub(super) passwords: Limit,
    pub(super) chats: Limit,
    pub(super) whispers: Limit,
    pub(super) gifs: Limit,
    pub(super) gif_kib: Limit,
    pub(super) typing: Limit,
    pub(super) items: Limit,
    pub(super) reads: Limit,
    pub(super) tokens: Limit,
    pub(super) frames: Limit,
    handshakes: Keyed<Network>,
    sessions: Keyed<Network>,
}

impl Limits {
    pub(super) fn new(rates: &Rates) -> Self {
        Self {
            rooms: Limit::new(rates.rooms),
            entering: Limit::new(rates.entering),
            passwords: Limit::new(rates.passwords),
            chats: Limit::new(rates.chats),
            whispers: Limit::new(rates.whispers),
            gifs: Limit::new(rates.gifs),
            gif_kib: Limit::new(rates.gif_kib),
            typing: Limit::new(rates.typing),
            items: Limit::new(rates.items),
            reads: Limit::new(rates.reads),
            tokens: Limit::new(rates.tokens),
            frames: Limit::new(rates.frames),
            handshakes: Keyed::new(rates.handshakes),
            sessions: Keyed::new(rates.sessions),
        }
    }

    /// Counts a connection that is opened, before anybody knows by whom.
    pub(super) fn check_handshake(&self, network: &Network) -> Result<(), Error> {
        if network.is_a_proxys() { Ok(()) } else { self.handshakes.check(network, NonZeroU32::MIN) }
    }

    /// Counts a session that begins.
    pub(super) fn check_session(&self, network: &Network) -> Result<(), Error> {
        if network.is_a_proxys() { Ok(()) } else { self.sessions.check(network, NonZeroU32::MIN) }
    }

    /// Lets go of those who are well within every limit.
    pub(super) fn forget_the_idle(&self) {
        let Self { rooms, entering, passwords, chats, whispers, .. } = self;
        let Self {
            gifs, gif_kib, typing, items, reads, tokens, frames, handshakes, sessions, ..
        } = self;
        let classes = [rooms, entering, passwords, chats, whispers, gifs, gif_kib, typing];
        let others = [items, reads, tokens, frames];
        classes.into_iter().chain(others).for_each(Limit::forget_the_idle);
        handshakes.forget_the_idle();
        sessions.forget_the_idle();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_may_do_what_ten_people_may_unless_it_is_said() {
        for (text, shown) in [
            ("30/10", "30/10,300/10"),
            ("30/10,50/10", "30/10,50/10"),
            ("30/10, off", "30/10,off"),
            ("off", "off,off"),
        ] {
            assert_eq!(text.parse::<Class>().unwrap().to_string(), shown);
        }
        for text in ["", "30", "0/10", "30/10,", "30/10,many", "30/10,1/1,1/1"] {
            assert!(text.parse::<Class>().is_err(), "{text}");
        }
    }

    #[test]
    fn people_of_one_network_share_what_it_may() {
        let limit = Limit::new("2/60,3/60".parse().unwrap());
        let people = ["anna", "ben", "cleo"].map(|name| PersonId::of_session(b"", name));
        let try_as = |person: usize, network: &Network| {
            let caller = Caller { id: &people[person], pass: None, network: Some(network) };
            limit.check(caller).is_ok()
        };
        let (here, there) = (Network::new("192.0.2.1"), Network::new("192.0.2.2"));
        assert!(try_as(0, &here) && try_as(0, &here) && !try_as(0, &here));
        assert!(try_as(1, &here) && !try_as(1, &here));
        assert!(try_as(2, &there));
        let proxy = Network::of_a_proxy("127.0.0.1");
        assert!(people.iter().all(|id| {
            let limit = Limit::new("2/60,1/60".parse().unwrap());
            limit.check(Caller { id, pass: None, network: Some(&proxy) }).is_ok()
        }));
    }

    #[test]
    fn what_is_more_than_may_be_done_at_once_waits_until_all_of_it_may() {
        let limit = Limit::new("10/60".parse().unwrap());
        let anna = PersonId::of_session(b"", "anna");
        let anna = Caller { id: &anna, pass: None, network: None };
        let many = |count| NonZeroU32::new(count).unwrap();
        assert!(limit.check_many(anna, many(25)).is_ok());
        assert!(matches!(limit.check_many(anna, many(1)), Err(Error::SlowDown { .. })));
    }
}
