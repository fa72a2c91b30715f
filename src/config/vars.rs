//! Parses environment variables into settings.

use std::{collections::HashMap, num::NonZeroU32, str::FromStr, time::Duration};

use url::Url;

use super::{Invalid, MIN_SECRET_BYTES, MongoCredentials, Secret};
use crate::{
    chat::{Rate, RateLimit},
    net::Proxies,
};

/// Every variable that has a value.
pub(super) struct Vars(HashMap<String, String>);

impl Vars {
    /// Ignores variables with an empty value.
    pub(super) fn new(vars: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(vars.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }

    pub(super) fn take(&self, variable: &str) -> Option<String> {
        self.0.get(variable).cloned()
    }

    pub(super) fn invalid(&self, variable: &'static str, reason: impl Into<String>) -> Invalid {
        let value = self.0.get(variable).cloned().unwrap_or_default();
        Invalid { variable, value, reason: reason.into() }
    }

    pub(super) fn invalid_secret(variable: &'static str, reason: impl Into<String>) -> Invalid {
        Invalid { variable, value: "(hidden)".to_owned(), reason: reason.into() }
    }

    pub(super) fn parse<T: FromStr>(
        &self,
        variable: &'static str,
        default: T,
        reason: &str,
    ) -> Result<T, Invalid> {
        match self.take(variable) {
            None => Ok(default),
            Some(raw) => raw.trim().parse().map_err(|_| self.invalid(variable, reason)),
        }
    }

    pub(super) fn class(
        &self,
        variable: &'static str,
        default: &str,
    ) -> Result<RateLimit, Invalid> {
        let raw = self.take(variable).unwrap_or_else(|| default.to_owned());
        raw.parse().map_err(|reason: &str| self.invalid(variable, reason))
    }

    pub(super) fn rate(
        &self,
        variable: &'static str,
        default: &str,
    ) -> Result<Option<Rate>, Invalid> {
        let raw = self.take(variable).unwrap_or_else(|| default.to_owned());
        if raw == "off" {
            return Ok(None);
        }
        raw.parse().map(Some).map_err(|reason: &str| self.invalid(variable, reason))
    }

    pub(super) fn switch(&self, variable: &'static str, default: bool) -> Result<bool, Invalid> {
        match self.take(variable).as_deref() {
            None => Ok(default),
            Some("on") => Ok(true),
            Some("off") => Ok(false),
            Some(_) => Err(self.invalid(variable, "neither `on` nor `off`")),
        }
    }

    pub(super) fn proxies(&self) -> Result<Proxies, Invalid> {
        let named = self.take("TRUSTED_PROXIES").unwrap_or_else(|| "127.0.0.0/8,::1".to_owned());
        named.parse().map_err(|reason: &str| self.invalid("TRUSTED_PROXIES", reason))
    }

    pub(super) fn days(&self, variable: &'static str, default: u16) -> Result<u16, Invalid> {
        let days = self.parse(variable, default, "not a whole number of days")?;
        if (1..=3650).contains(&days) {
            return Ok(days);
        }
        Err(self.invalid(variable, "not from 1 to 3650 days"))
    }

    pub(super) fn heartbeat(&self) -> Result<Duration, Invalid> {
        let seconds: f64 = self.parse("HEARTBEAT", 30.0, "not a number of seconds")?;
        let allowed = Duration::from_millis(100)..=Duration::from_secs(600);
        Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|heartbeat| allowed.contains(heartbeat))
            .ok_or_else(|| self.invalid("HEARTBEAT", "not from 0.1 to 600 seconds"))
    }

    pub(super) fn grace(&self) -> Result<Duration, Invalid> {
        let seconds: f64 = self.parse("ROOM_GRACE", 10.0, "not a number of seconds")?;
        Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|grace| *grace <= Duration::from_secs(3600))
            .ok_or_else(|| self.invalid("ROOM_GRACE", "not from 0 to 3600 seconds"))
    }

    pub(super) fn public_url(&self) -> Result<Option<Url>, Invalid> {
        self.take("PUBLIC_URL").map(|raw| self.site("PUBLIC_URL", &raw)).transpose()
    }

    pub(super) fn allowed_origins(&self) -> Result<Vec<Url>, Invalid> {
        let named = self.take("ALLOWED_ORIGINS").unwrap_or_default();
        let named = named.split(',').map(str::trim).filter(|raw| !raw.is_empty());
        named.map(|raw| self.site("ALLOWED_ORIGINS", raw)).collect()
    }

    /// A URL that consists of a scheme and a host, with an optional port.
    pub(super) fn site(&self, variable: &'static str, raw: &str) -> Result<Url, Invalid> {
        let url = Url::parse(raw)
            .map_err(|_| self.invalid(variable, "not a URL such as https://chat.example"))?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.path() == "/"
            && url.query().is_none()
            && url.username().is_empty();
        if !plain {
            return Err(self.invalid(variable, "not http:// or https:// and a host alone"));
        }
        Ok(url)
    }

    /// A limit of at least one; `None` for `off`.
    pub(super) fn bound(
        &self,
        variable: &'static str,
        default: &str,
    ) -> Result<Option<NonZeroU32>, Invalid> {
        match self.take(variable).as_deref().unwrap_or(default) {
            "off" => Ok(None),
            raw => {
                let count = raw.parse().map_err(|_| {
                    self.invalid(variable, "not a whole number from 1 up, nor `off`")
                })?;
                Ok(Some(count))
            }
        }
    }

    pub(super) fn cookie_secret(&self) -> Result<Option<Secret>, Invalid> {
        let raw = self.take("COOKIE_SECRET");
        raw.map(|raw| Self::long_enough("COOKIE_SECRET", &raw)).transpose()
    }

    pub(super) fn old_cookie_secrets(&self) -> Result<Vec<Secret>, Invalid> {
        let all = self.take("OLD_COOKIE_SECRETS").unwrap_or_default();
        let each = all.split(',').filter(|raw| !raw.is_empty());
        each.map(|raw| Self::long_enough("OLD_COOKIE_SECRETS", raw)).collect()
    }

    fn long_enough(variable: &'static str, raw: &str) -> Result<Secret, Invalid> {
        if raw.len() < MIN_SECRET_BYTES {
            let reason = format!("shorter than {MIN_SECRET_BYTES} bytes");
            return Err(Self::invalid_secret(variable, reason));
        }
        Ok(Secret(raw.to_owned()))
    }

    pub(super) fn mongodb_uri(&self) -> Result<Option<Secret>, Invalid> {
        let Some(raw) = self.take("MONGODB_URI") else { return Ok(None) };
        if !raw.starts_with("mongodb://") && !raw.starts_with("mongodb+srv://") {
            let reason = "not a URI that starts with mongodb:// or mongodb+srv://";
            return Err(Self::invalid_secret("MONGODB_URI", reason));
        }
        Ok(Some(Secret(raw)))
    }

    pub(super) fn mongo_credentials(&self) -> Result<Option<MongoCredentials>, Invalid> {
        match (self.take("MONGO_ID"), self.take("MONGO_PASSWORD")) {
            (None, None) => Ok(None),
            (Some(id), Some(password)) => {
                Ok(Some(MongoCredentials { id, password: Secret(password) }))
            }
            (Some(_), None) => Err(self.invalid("MONGO_ID", "set without MONGO_PASSWORD")),
            (None, Some(_)) => Err(Self::invalid_secret("MONGO_PASSWORD", "set without MONGO_ID")),
        }
    }

    pub(super) fn s3(&self) -> Vec<(String, Secret)> {
        let aws = self.0.iter().filter(|(name, _)| name.starts_with("AWS_"));
        aws.map(|(name, value)| (name.clone(), Secret(value.clone()))).collect()
    }
}
