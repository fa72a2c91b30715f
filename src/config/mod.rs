//! The operator's settings. Only this module and `main` read the environment.

mod vars;

use std::{fmt, net::IpAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use url::Url;

use crate::{
    chat::{Rate, Rates},
    net::Proxies,
};
use vars::Vars;

/// An invalid setting. Its text is one line: the variable, the value and the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}={value}: {reason}")]
pub struct Invalid {
    variable: &'static str,
    value: String,
    reason: String,
}

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

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Credentials for MongoDB, kept out of its URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MongoCredentials {
    /// `MONGO_ID`.
    pub id: String,
    /// `MONGO_PASSWORD`.
    pub password: Secret,
}

/// All settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Address to listen on. `HOST`, by default 127.0.0.1.
    pub host: IpAddr,
    /// Port to listen on; 0 takes any free one. `PORT`, by default 8005.
    pub port: u16,
    /// The URL at which visitors reach this server. `PUBLIC_URL`, by default the address it listens
    /// on. With https, cookies are limited to secure connections.
    pub public_url: Option<Url>,
    /// Other sites whose pages may call this server, comma-separated. `ALLOWED_ORIGINS`, by default
    /// none.
    pub allowed_origins: Vec<Url>,
    /// Folder of the database file and the cookie secret. `DATA_DIR`, by default `data`.
    pub data_dir: PathBuf,
    /// The key that signs cookies; at least 32 bytes. `COOKIE_SECRET`, by default one that is
    /// generated at the first start and stored in the data folder.
    pub cookie_secret: Option<Secret>,
    /// Former signing keys, comma-separated; cookies that they signed stay valid while they are
    /// listed. `OLD_COOKIE_SECRETS`, by default none.
    pub old_cookie_secrets: Vec<Secret>,
    /// The database, with its name as the path. `MONGODB_URI`, by default none: the embedded store.
    pub mongodb_uri: Option<Secret>,
    /// Credentials kept out of the URI. `MONGO_ID` and `MONGO_PASSWORD`, by default none.
    pub mongo_credentials: Option<MongoCredentials>,
    /// Storage of GIFs: a folder, `file:///…` or `s3://bucket/prefix`. `UPLOADS_URL`, by default
    /// `uploads`.
    pub uploads_url: String,
    /// Settings of the S3 client: every variable that starts with `AWS_`.
    pub s3: Vec<(String, Secret)>,
    /// How long a seat is kept after its last connection closes. `ROOM_GRACE`, in seconds, by
    /// default 10.
    pub room_grace: Duration,
    /// Most rooms at once. `MAX_ROOMS`, by default 10,000.
    pub max_rooms: usize,
    /// Most connections at once. `MAX_CONNECTIONS`, by default 20,000.
    pub max_connections: usize,
    /// Most connections at once from one IPv4 address or IPv6 /64; trusted proxies are exempt.
    /// `MAX_CONNECTIONS_PER_NETWORK`, by default 256.
    pub max_connections_per_network: usize,
    /// Most connections at once of one person, in rooms and in the lobby.
    /// `MAX_CONNECTIONS_PER_PERSON`, by default 20.
    pub max_connections_per_person: usize,
    /// Largest capacity a room may have. `MAX_ROOM_CAPACITY`, by default 500.
    pub max_room_capacity: u32,
    /// Most messages that a room keeps; the oldest are removed. `MAX_CHATS_PER_ROOM`, by default
    /// 10,000; `None` is `off`: no limit while the room exists.
    pub max_chats_per_room: Option<NonZeroU32>,
    /// Largest GIF accepted, in bytes. `MAX_GIF_BYTES`, by default 5 MiB.
    pub max_gif_bytes: usize,
    /// Most bytes of all GIFs and their stills together. `MAX_UPLOADS_BYTES`, by default 2 GiB.
    pub max_uploads_bytes: u64,
    /// Longest lifetime of a bot's token, in days. `TOKEN_DAYS`, by default 90.
    pub token_days: u16,
    /// Interval of a bot's heartbeats. `HEARTBEAT`, in seconds, by default 30.
    pub heartbeat: Duration,
    /// Rate limits of operations.
    pub rates: Rates,
    /// Whether a kick also bans the person's network. `KICK_NETWORKS`, `on` or `off`, by default
    /// `on`.
    pub kick_networks: bool,
    /// Proxies whose forwarded client addresses are trusted: comma-separated addresses and
    /// networks, or `none`. `TRUSTED_PROXIES`, by default this machine.
    pub trusted_proxies: Proxies,
    /// The log filter, in the syntax of `tracing`. `RUST_LOG`, by default `info`.
    pub log: String,
}

/// Shortest signing key for cookies, in bytes.
pub const MIN_SECRET_BYTES: usize = 32;

impl Config {
    /// Parses every setting from `vars`, names and values of the environment. An empty value counts
    /// as unset.
    ///
    /// # Errors
    /// The first invalid setting.
    pub fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, Invalid> {
        let vars = Vars::new(vars);
        let max_room_capacity = vars.parse("MAX_ROOM_CAPACITY", 500, "not a whole number")?;
        if max_room_capacity < 2 {
            return Err(vars.invalid("MAX_ROOM_CAPACITY", "a room holds at least 2"));
        }
        Ok(Self {
            host: vars.parse("HOST", IpAddr::from([127, 0, 0, 1]), "not an IP address")?,
            port: vars.parse("PORT", 8005, "not a port from 0 to 65535")?,
            public_url: vars.public_url()?,
            allowed_origins: vars.allowed_origins()?,
            data_dir: vars.take("DATA_DIR").unwrap_or_else(|| "data".to_owned()).into(),
            cookie_secret: vars.cookie_secret()?,
            old_cookie_secrets: vars.old_cookie_secrets()?,
            mongodb_uri: vars.mongodb_uri()?,
            mongo_credentials: vars.mongo_credentials()?,
            uploads_url: vars.take("UPLOADS_URL").unwrap_or_else(|| "uploads".to_owned()),
            s3: vars.s3(),
            room_grace: vars.grace()?,
            max_rooms: vars.parse("MAX_ROOMS", 10_000, "not a whole number")?,
            max_connections: vars.parse("MAX_CONNECTIONS", 20_000, "not a whole number")?,
            max_connections_per_network: vars.parse(
                "MAX_CONNECTIONS_PER_NETWORK",
                256,
                "not a whole number",
            )?,
            max_connections_per_person: vars.parse(
                "MAX_CONNECTIONS_PER_PERSON",
                20,
                "not a whole number",
            )?,
            max_room_capacity,
            max_chats_per_room: vars.bound("MAX_CHATS_PER_ROOM", "10000")?,
            max_gif_bytes: vars.parse("MAX_GIF_BYTES", 5 << 20, "not a whole number of bytes")?,
            max_uploads_bytes: vars.parse(
                "MAX_UPLOADS_BYTES",
                2 << 30,
                "not a whole number of bytes",
            )?,
            token_days: vars.days("TOKEN_DAYS", 90)?,
            heartbeat: vars.heartbeat()?,
            rates: Rates {
                rooms: vars.class("RATE_ROOMS", "10/60,30/60")?,
                entering: vars.class("RATE_ENTERING", "30/10,200/10")?,
                passwords: vars.class("RATE_PASSWORDS", "10/60,30/60")?,
                chats: vars.class("RATE_CHATS", "30/10,300/10")?,
                whispers: vars.class("RATE_WHISPERS", "30/10,300/10")?,
                gifs: vars.class("RATE_GIFS", "10/60,50/60")?,
                gif_kib: vars.class("RATE_GIF_KIB", "30720/60,102400/60")?,
                typing: vars.class("RATE_TYPING", "20/10,200/10")?,
                items: vars.class("RATE_ITEMS", "30/10,200/10")?,
                reads: vars.class("RATE_READS", "200/10,1000/10")?,
                tokens: vars.class("RATE_TOKENS", "10/60,30/60")?,
                frames: vars.class("RATE_FRAMES", "120/10")?,
                handshakes: vars.rate("RATE_HANDSHAKES", "100/10")?,
                sessions: vars.rate("RATE_SESSIONS", "300/600")?,
            },
            kick_networks: vars.switch("KICK_NETWORKS", true)?,
            trusted_proxies: vars.proxies()?,
            log: vars.take("RUST_LOG").unwrap_or_else(|| "info".to_owned()),
        })
    }

    /// The effective settings as `NAME=value` lines, secrets hidden.
    #[must_use]
    pub fn listing(&self) -> String {
        let secret = |present: bool| if present { "(hidden)" } else { "" };
        let rate = |rate: Option<Rate>| rate.map_or_else(|| "off".to_owned(), |r| r.to_string());
        let bound =
            |bound: Option<NonZeroU32>| bound.map_or_else(|| "off".to_owned(), |b| b.to_string());
        let credentials = self.mongo_credentials.as_ref();
        let lines = [
            ("HOST", self.host.to_string()),
            ("PORT", self.port.to_string()),
            ("PUBLIC_URL", self.public_url.as_ref().map(Url::to_string).unwrap_or_default()),
            ("ALLOWED_ORIGINS", words(&self.allowed_origins)),
            ("DATA_DIR", self.data_dir.display().to_string()),
            ("COOKIE_SECRET", secret(self.cookie_secret.is_some()).to_owned()),
            ("OLD_COOKIE_SECRETS", secret(!self.old_cookie_secrets.is_empty()).to_owned()),
            ("MONGODB_URI", secret(self.mongodb_uri.is_some()).to_owned()),
            ("MONGO_ID", credentials.map(|c| c.id.clone()).unwrap_or_default()),
            ("MONGO_PASSWORD", secret(credentials.is_some()).to_owned()),
            ("UPLOADS_URL", self.uploads_url.clone()),
            ("ROOM_GRACE", self.room_grace.as_secs_f64().to_string()),
            ("MAX_ROOMS", self.max_rooms.to_string()),
            ("MAX_CONNECTIONS", self.max_connections.to_string()),
            ("MAX_CONNECTIONS_PER_NETWORK", self.max_connections_per_network.to_string()),
            ("MAX_CONNECTIONS_PER_PERSON", self.max_connections_per_person.to_string()),
            ("MAX_ROOM_CAPACITY", self.max_room_capacity.to_string()),
            ("MAX_CHATS_PER_ROOM", bound(self.max_chats_per_room)),
            ("MAX_GIF_BYTES", self.max_gif_bytes.to_string()),
            ("MAX_UPLOADS_BYTES", self.max_uploads_bytes.to_string()),
            ("TOKEN_DAYS", self.token_days.to_string()),
            ("HEARTBEAT", self.heartbeat.as_secs_f64().to_string()),
            ("RATE_ROOMS", self.rates.rooms.to_string()),
            ("RATE_ENTERING", self.rates.entering.to_string()),
            ("RATE_PASSWORDS", self.rates.passwords.to_string()),
            ("RATE_CHATS", self.rates.chats.to_string()),
            ("RATE_WHISPERS", self.rates.whispers.to_string()),
            ("RATE_GIFS", self.rates.gifs.to_string()),
            ("RATE_GIF_KIB", self.rates.gif_kib.to_string()),
            ("RATE_TYPING", self.rates.typing.to_string()),
            ("RATE_ITEMS", self.rates.items.to_string()),
            ("RATE_READS", self.rates.reads.to_string()),
            ("RATE_TOKENS", self.rates.tokens.to_string()),
            ("RATE_FRAMES", self.rates.frames.to_string()),
            ("RATE_HANDSHAKES", rate(self.rates.handshakes)),
            ("RATE_SESSIONS", rate(self.rates.sessions)),
            ("KICK_NETWORKS", if self.kick_networks { "on" } else { "off" }.to_owned()),
            ("TRUSTED_PROXIES", self.trusted_proxies.to_string()),
            ("RUST_LOG", self.log.clone()),
        ];
        lines.map(|(name, value)| format!("{name}={value}\n")).concat()
    }

    /// The origins that may call this server, as browsers send them: its own, if known, and the
    /// allowed ones.
    #[must_use]
    pub fn origins(&self) -> Vec<String> {
        let sites = self.public_url.iter().chain(&self.allowed_origins);
        sites.map(|url| url.origin().ascii_serialization()).collect()
    }
}

fn words(sites: &[Url]) -> String {
    let sites: Vec<String> = sites.iter().map(|url| url.origin().ascii_serialization()).collect();
    sites.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(vars: &[(&str, &str)]) -> Result<Config, Invalid> {
        Config::from_vars(
            vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    #[test]
    fn nothing_set_is_a_server_on_a_laptop() {
        let config = config(&[]).unwrap();
        assert_eq!((config.host.to_string(), config.port), ("127.0.0.1".to_owned(), 8005));
        assert_eq!(config.mongodb_uri, None);
        assert_eq!(config.room_grace, Duration::from_secs(10));
        assert_eq!(config, self::config(&[("PORT", ""), ("MONGODB_URI", "")]).unwrap());
    }

    #[test]
    fn a_wrong_value_is_named_with_its_variable() {
        for (variable, value) in [
            ("HOST", "localhost"),
            ("PORT", "80000"),
            ("PUBLIC_URL", "chat.example"),
            ("PUBLIC_URL", "https://chat.example/rooms"),
            ("ALLOWED_ORIGINS", "https://one.example,two.example"),
            ("ALLOWED_ORIGINS", "https://one.example/rooms"),
            ("MAX_CONNECTIONS", "many"),
            ("ROOM_GRACE", "soon"),
            ("ROOM_GRACE", "-1"),
            ("ROOM_GRACE", "NaN"),
            ("MAX_ROOMS", "many"),
            ("MAX_ROOM_CAPACITY", "1"),
            ("MAX_CHATS_PER_ROOM", "0"),
            ("MAX_GIF_BYTES", "5MB"),
            ("TOKEN_DAYS", "0"),
            ("TOKEN_DAYS", "5000"),
            ("HEARTBEAT", "0"),
            ("HEARTBEAT", "often"),
            ("RATE_CHATS", "30"),
            ("RATE_CHATS", "0/10"),
            ("KICK_NETWORKS", "yes"),
            ("TRUSTED_PROXIES", "proxy"),
            ("MONGO_ID", "admin"),
        ] {
            let error = config(&[(variable, value)]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{variable}={value}: ")), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_secret_is_shown_neither_when_it_is_wrong_nor_in_the_listing() {
        let error = config(&[("COOKIE_SECRET", "hunter2")]).unwrap_err().to_string();
        assert_eq!(error, "COOKIE_SECRET=(hidden): shorter than 32 bytes");

        let secret = "0123456789abcdef0123456789abcdef";
        let config = config(&[
            ("COOKIE_SECRET", secret),
            ("OLD_COOKIE_SECRETS", "an-old-one-0123456789abcdef012345"),
            ("MONGODB_URI", "mongodb://u:hunter2@db/huechat"),
            ("MONGO_ID", "admin"),
            ("MONGO_PASSWORD", "hunter2"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ])
        .unwrap();
        for shown in [config.listing(), format!("{config:?}")] {
            assert!(
                !shown.contains("hunter2") && !shown.contains(secret) && !shown.contains("an-old"),
                "{shown}"
            );
        }
        assert!(config.listing().contains("COOKIE_SECRET=(hidden)\n"));
    }

    #[test]
    fn origins_are_named_as_browsers_do() {
        let config = config(&[
            ("PUBLIC_URL", "https://Chat.example:443/"),
            ("ALLOWED_ORIGINS", "http://localhost:3000, https://blog.example"),
        ]);
        let origins = config.unwrap().origins();
        assert_eq!(
            origins,
            ["https://chat.example", "http://localhost:3000", "https://blog.example"]
        );
    }

    #[test]
    fn a_rate_can_be_turned_off() {
        assert_eq!(config(&[("RATE_CHATS", "off")]).unwrap().rates.chats.person, None);
        assert_eq!(config(&[("RATE_HANDSHAKES", "off")]).unwrap().rates.handshakes, None);
    }

    #[test]
    fn the_history_is_bounded_unless_that_is_turned_off() {
        assert!(config(&[]).unwrap().listing().contains("MAX_CHATS_PER_ROOM=10000\n"));
        let off = config(&[("MAX_CHATS_PER_ROOM", "off")]).unwrap();
        assert_eq!(off.max_chats_per_room, None);
        assert!(off.listing().contains("MAX_CHATS_PER_ROOM=off\n"));
    }
}
