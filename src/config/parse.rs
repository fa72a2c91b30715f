//! Parses the values of settings. An error is the reason, in words for the operator.
//!
//! The aliases hide `Option`, `Vec` and `bool` from the derived command line, which would make
//! something else of them than one value.

use std::{
    fmt,
    net::IpAddr,
    num::{NonZeroU32, NonZeroUsize},
    ops::RangeInclusive,
    str::FromStr,
    time::Duration,
};

use url::Url;

type Parsed<T> = Result<T, &'static str>;

/// A limit of at least one; `None` for `off`.
pub(super) type Limit = Option<NonZeroU32>;
pub(super) type Secrets = Vec<Secret>;
pub(super) type Sites = Vec<Url>;
/// `on` or `off`.
pub(super) type Switch = bool;

/// A value that is never displayed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The value itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Shortest signing key for cookies, in bytes.
pub const MIN_SECRET_BYTES: usize = 32;

fn number<T: FromStr>(raw: &str, reason: &'static str) -> Parsed<T> {
    raw.trim().parse().map_err(|_| reason)
}

pub(super) fn whole<T: FromStr>(raw: &str) -> Parsed<T> {
    number(raw, "not a whole number")
}

pub(super) fn at_least_one(raw: &str) -> Parsed<usize> {
    let count: NonZeroUsize = number(raw, "not a whole number from 1 up")?;
    Ok(count.get())
}

pub(super) fn ip(raw: &str) -> Parsed<IpAddr> {
    number(raw, "not an IP address")
}

pub(super) fn port(raw: &str) -> Parsed<u16> {
    number(raw, "not a port from 0 to 65535")
}

pub(super) fn capacity(raw: &str) -> Parsed<u32> {
    let people = whole(raw)?;
    if people < 2 { Err("a room holds at least 2") } else { Ok(people) }
}

pub(super) fn days(raw: &str) -> Parsed<u16> {
    let days = number(raw, "not a whole number of days")?;
    if (1..=3650).contains(&days) { Ok(days) } else { Err("not from 1 to 3650 days") }
}

fn seconds(raw: &str, allowed: RangeInclusive<Duration>, reason: &'static str) -> Parsed<Duration> {
    let seconds = Duration::try_from_secs_f64(number(raw, "not a number of seconds")?).ok();
    seconds.filter(|seconds| allowed.contains(seconds)).ok_or(reason)
}

pub(super) fn grace(raw: &str) -> Parsed<Duration> {
    let allowed = Duration::ZERO..=Duration::from_secs(3600);
    seconds(raw, allowed, "not from 0 to 3600 seconds")
}

pub(super) fn heartbeat(raw: &str) -> Parsed<Duration> {
    let allowed = Duration::from_millis(100)..=Duration::from_secs(600);
    seconds(raw, allowed, "not from 0.1 to 600 seconds")
}

pub(super) fn switch(raw: &str) -> Parsed<Switch> {
    match raw {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("neither `on` nor `off`"),
    }
}

pub(super) fn limit(raw: &str) -> Parsed<Limit> {
    match raw {
        "off" => Ok(None),
        raw => number(raw, "not a whole number from 1 up, nor `off`").map(Some),
    }
}

/// A URL that consists of a scheme and a host, with an optional port.
pub(super) fn site(raw: &str) -> Parsed<Url> {
    let url = Url::parse(raw).map_err(|_| "not a URL such as https://chat.example")?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.username().is_empty();
    if plain { Ok(url) } else { Err("not http:// or https:// and a host alone") }
}

pub(super) fn sites(raw: &str) -> Parsed<Sites> {
    raw.split(',').map(str::trim).filter(|raw| !raw.is_empty()).map(site).collect()
}

pub(super) fn key(raw: &str) -> Result<Secret, String> {
    if raw.len() < MIN_SECRET_BYTES {
        return Err(format!("shorter than {MIN_SECRET_BYTES} bytes"));
    }
    Ok(Secret(raw.to_owned()))
}

pub(super) fn keys(raw: &str) -> Result<Secrets, String> {
    raw.split(',').filter(|raw| !raw.is_empty()).map(key).collect()
}

pub(super) fn mongodb_uri(raw: &str) -> Parsed<Secret> {
    if raw.starts_with("mongodb://") || raw.starts_with("mongodb+srv://") {
        return Ok(Secret(raw.to_owned()));
    }
    Err("not a URI that starts with mongodb:// or mongodb+srv://")
}
