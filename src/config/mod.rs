//! The operator's settings. Only this module and `main` read the environment.
//!
//! [`Config`] is the only list of them: a field's name is the variable and the option, its
//! attributes are the default and the parser, its documentation is the help.

mod parse;

use std::{error::Error as _, ffi::OsString, net::IpAddr, path::PathBuf, time::Duration};

use clap::{
    Arg, ArgMatches, Args, Command, FromArgMatches as _,
    error::{ContextKind, ContextValue},
};
use url::Url;

use crate::{chat::Rates, net::Proxies};
use parse::{Limit, Secrets, Sites, Switch};

pub use parse::{MIN_SECRET_BYTES, Secret};

/// The reason why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is invalid. The text is one line; a secret's value is hidden.
    #[error("{variable}={value}: {reason}")]
    Setting {
        /// The name of the variable.
        variable: String,
        /// Its value, or `(hidden)`.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The command line is invalid, or asks for help.
    #[error(transparent)]
    CommandLine(#[from] clap::Error),
}

/// What the listing shows in place of a secret.
const HIDDEN: &str = "(hidden)";
/// The settings whose values are never shown: those of the type [`Secret`].
const SECRETS: [&str; 4] = ["COOKIE_SECRET", "OLD_COOKIE_SECRETS", "MONGODB_URI", "MONGO_PASSWORD"];

/// All settings.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Config {
    /// Address to listen on.
    #[arg(default_value = "127.0.0.1", value_parser = parse::ip)]
    pub host: IpAddr,
    /// Port to listen on; 0 takes any free one.
    #[arg(default_value = "8005", value_parser = parse::port)]
    pub port: u16,
    /// The URL at which visitors reach this server; empty: the address it listens on. With https,
    /// cookies are limited to secure connections.
    #[arg(value_parser = parse::site)]
    pub public_url: Option<Url>,
    /// Other sites whose pages may call this server, comma-separated.
    #[arg(default_value = "", value_parser = parse::sites)]
    pub allowed_origins: Sites,
    /// Folder of the database file and the cookie secret.
    #[arg(default_value = "data")]
    pub data_dir: PathBuf,
    /// The key that signs cookies, at least 32 bytes; empty: one that is generated at the first
    /// start and stored in the data folder.
    #[arg(value_parser = parse::key)]
    pub cookie_secret: Option<Secret>,
    /// Former signing keys, comma-separated. Cookies that they signed stay valid while they are
    /// listed.
    #[arg(default_value = "", value_parser = parse::keys)]
    pub old_cookie_secrets: Secrets,
    /// The MongoDB database, with its name as the path; empty: the embedded store.
    #[arg(value_parser = parse::mongodb_uri)]
    pub mongodb_uri: Option<Secret>,
    /// User name for MongoDB, kept out of the URI.
    pub mongo_id: Option<String>,
    /// Password for MongoDB, kept out of the URI.
    pub mongo_password: Option<Secret>,
    /// Storage of GIFs: a folder, `file:///…` or `s3://bucket/prefix`.
    #[arg(default_value = "uploads")]
    pub uploads_url: String,
    /// Settings of the S3 client: every variable that starts with `AWS_`.
    #[arg(skip)]
    pub s3: Vec<(String, Secret)>,
    /// Seconds for which a seat is kept after its last connection closes.
    #[arg(default_value = "10", value_parser = parse::grace)]
    pub room_grace: Duration,
    /// Most rooms at once.
    #[arg(default_value = "10000", value_parser = parse::whole::<usize>)]
    pub max_rooms: usize,
    /// Largest capacity a room may have, in people.
    #[arg(default_value = "500", value_parser = parse::capacity)]
    pub max_room_capacity: u32,
    /// Most messages that a room keeps; the oldest are removed. `off`: no limit while the room
    /// exists.
    #[arg(default_value = "10000", value_parser = parse::limit)]
    pub max_chats_per_room: Limit,
    /// Largest GIF accepted, in bytes.
    #[arg(default_value = "5242880", value_parser = parse::whole::<usize>)]
    pub max_gif_bytes: usize,
    /// Most bytes of all GIFs and their stills together.
    #[arg(default_value = "2147483648", value_parser = parse::whole::<u64>)]
    pub max_uploads_bytes: u64,
    /// Most connections at once.
    #[arg(default_value = "20000", value_parser = parse::at_least_one)]
    pub max_connections: usize,
    /// Most connections at once from one IPv4 address or IPv6 /64; trusted proxies are exempt.
    #[arg(default_value = "256", value_parser = parse::at_least_one)]
    pub max_connections_per_network: usize,
    /// Most connections at once of one person, in rooms and in the lobby.
    #[arg(default_value = "20", value_parser = parse::at_least_one)]
    pub max_connections_per_person: usize,
    /// Longest lifetime of a bot's token, in days.
    #[arg(default_value = "90", value_parser = parse::days)]
    pub token_days: u16,
    /// Seconds between two heartbeats of a bot, from 0.1 to 600.
    #[arg(default_value = "30", value_parser = parse::heartbeat)]
    pub heartbeat: Duration,
    /// Rate limits of operations.
    #[command(flatten)]
    pub rates: Rates,
    /// Whether a kick also bans the person's network: `on` or `off`.
    #[arg(default_value = "on", value_parser = parse::switch)]
    pub kick_networks: Switch,
    /// Proxies whose forwarded client addresses are trusted: comma-separated addresses and
    /// networks, or `none`.
    #[arg(default_value = "none")]
    pub trusted_proxies: Proxies,
    /// The log filter, in the syntax of `tracing`.
    #[arg(id = "rust_log", default_value = "info")]
    pub log: String,
    /// Each variable with its effective value, secrets hidden.
    #[arg(skip)]
    listing: Vec<(String, String)>,
}

impl Config {
    /// Parses every setting from `vars`, names and values of the environment. An empty value counts
    /// as unset.
    ///
    /// # Errors
    /// The first invalid setting.
    pub fn from_vars<N: Into<OsString>, V: Into<OsString>>(
        vars: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, Error> {
        let command = Command::new("huechat");
        Self::from_command_line(command, ["huechat"], vars).map(|(config, _)| config)
    }

    /// Parses every setting from the options of a command line, and those that it does not name from
    /// `vars`, as [`Self::from_vars`] does. Returns what else `command` takes from the command line, too.
    ///
    /// # Errors
    /// The first invalid setting or option; a request for help.
    pub fn from_command_line<A: Into<OsString> + Clone, N: Into<OsString>, V: Into<OsString>>(
        command: Command,
        command_line: impl IntoIterator<Item = A>,
        vars: impl IntoIterator<Item = (N, V)>,
    ) -> Result<(Self, ArgMatches), Error> {
        let command = Self::augment_args(command);
        let vars = vars.into_iter().filter_map(|(name, value)| read(&command, name, value));
        let vars: Vec<_> = vars.collect::<Result<_, _>>()?;
        let mut command = command.mut_args(|arg| as_option(arg, &vars));
        let matches = command.try_get_matches_from_mut(command_line);
        let matches = matches.map_err(|error| of_setting(error, &command))?;
        let mut config = Self::from_arg_matches(&matches)?;
        let settings = command.get_arguments().filter(|arg| is_setting(arg));
        config.listing = settings.map(|arg| (variable(arg), shown(arg, &matches))).collect();
        let s3 = vars.into_iter().filter(|(name, _)| name.starts_with("AWS_"));
        config.s3 = s3.map(|(name, value)| (name, Secret::from(value))).collect();
        config.check_credentials()?;
        Ok((config, matches))
    }

    /// User name and password for MongoDB, if they are kept out of the URI.
    #[must_use]
    pub fn mongo_credentials(&self) -> Option<(String, String)> {
        let (id, password) = (self.mongo_id.as_ref()?, self.mongo_password.as_ref()?);
        Some((id.clone(), password.reveal().to_owned()))
    }

    fn check_credentials(&self) -> Result<(), Error> {
        let alone = |variable: &str, value: &str, other: &str| {
            let (variable, value) = (variable.to_owned(), value.to_owned());
            Err(Error::Setting { variable, value, reason: format!("set without {other}") })
        };
        match (&self.mongo_id, &self.mongo_password) {
            (Some(id), None) => alone("MONGO_ID", id, "MONGO_PASSWORD"),
            (None, Some(_)) => alone("MONGO_PASSWORD", HIDDEN, "MONGO_ID"),
            _ => Ok(()),
        }
    }

    /// The effective settings as `NAME=value` lines, secrets hidden.
    #[must_use]
    pub fn listing(&self) -> String {
        self.listing.iter().map(|(name, value)| [name, "=", value, "\n"].concat()).collect()
    }

    /// The origins that may call this server, as browsers send them: its own, if known, and the
    /// allowed ones.
    #[must_use]
    pub fn origins(&self) -> Vec<String> {
        let sites = self.public_url.iter().chain(&self.allowed_origins);
        sites.map(|url| url.origin().ascii_serialization()).collect()
    }
}

/// A variable that is set, if this program reads it.
fn read(
    command: &Command,
    name: impl Into<OsString>,
    value: impl Into<OsString>,
) -> Option<Result<(String, String), Error>> {
    let (name, value) = (name.into().into_string().ok()?, value.into());
    let ours = name.starts_with("AWS_") || command.get_arguments().any(|arg| variable(arg) == name);
    if !ours || value.is_empty() {
        return None;
    }
    Some(value.into_string().map(|value| (name.clone(), value)).map_err(|_| {
        let (value, reason) = (HIDDEN.to_owned(), "not text in UTF-8".to_owned());
        Error::Setting { variable: name, value, reason }
    }))
}

fn is_setting(arg: &Arg) -> bool {
    !matches!(arg.get_id().as_str(), "help" | "version")
}

/// The name of a setting in the environment.
fn variable(arg: &Arg) -> String {
    arg.get_id().as_str().to_uppercase()
}

/// Makes an option of a setting. Its default is the value of its variable, if that is set, so that
/// the command line wins over the environment, and both are parsed alike.
fn as_option(arg: Arg, vars: &[(String, String)]) -> Arg {
    if !is_setting(&arg) {
        return arg;
    }
    let name = variable(&arg);
    let value = vars.iter().rev().find(|(variable, _)| *variable == name).map(|(_, value)| value);
    let long = arg.get_id().as_str().replace('_', "-");
    let arg = arg.long(long).value_name(name).global(true).help_heading("Settings").required(false);
    match value {
        Some(value) => arg.default_value(value.clone()).hide_default_value(true),
        None if arg.get_default_values() == [""] => arg.hide_default_value(true),
        None => arg,
    }
}

/// The effective value of a setting, as it was given.
fn shown(arg: &Arg, matches: &ArgMatches) -> String {
    let mut raw = matches.get_raw(arg.get_id().as_str()).into_iter().flatten();
    let value = raw.next().map(|value| value.to_string_lossy().into_owned()).unwrap_or_default();
    if SECRETS.contains(&&*variable(arg)) && !value.is_empty() { HIDDEN.to_owned() } else { value }
}

/// Tells an invalid setting from any other fault of the command line.
fn of_setting(error: clap::Error, command: &Command) -> Error {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let found = context(ContextKind::InvalidArg).zip(error.source());
    let found = found.and_then(|(name, reason)| {
        let arg = command.get_arguments().find(|arg| arg.to_string() == name)?;
        Some((variable(arg), reason.to_string()))
    });
    let Some((variable, reason)) = found else { return Error::CommandLine(error) };
    let secret = SECRETS.contains(&&*variable);
    let value =
        if secret { HIDDEN } else { context(ContextKind::InvalidValue).unwrap_or_default() };
    Error::Setting { value: value.to_owned(), variable, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(vars: &[(&str, &str)]) -> Result<Config, Error> {
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
            ("MAX_CONNECTIONS", "0"),
            ("MAX_CONNECTIONS_PER_NETWORK", "0"),
            ("MAX_CONNECTIONS_PER_PERSON", "0"),
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
