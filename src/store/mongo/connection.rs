//! The way to the server, and how long to wait for it.
//!
//! Whoever calls a store hears within five seconds whether it worked. The driver alone would wait for
//! half a minute for a server that is gone, and for ever for one that hangs.

use std::{future::Future, time::Duration};

use mongodb::{
    Client, Database,
    bson::doc,
    options::{ClientOptions, ReadConcern, WriteConcern},
};

use crate::store::{Error, Result};

/// A call without an answer by then has failed. Long enough for two attempts of the driver and an
/// election in between on a quick network, and below the five seconds that visitors are promised.
const DEADLINE: Duration = Duration::from_secs(4);
/// To find a primary. Below half of [`DEADLINE`], so that the driver's own retry of a step
/// fits in, and its error, which says more than ours, is the one in the log.
const SERVER_SELECTION: Duration = Duration::from_millis(1_900);
/// To shake hands with a server, and for its answer to the driver's own heartbeat. Nearly as long
/// as [`DEADLINE`]: two seconds made a busy server look like a dead one, and that costs every call
/// under way its connection.
const CONNECT: Duration = Duration::from_millis(3_500);
const DEFAULT_DATABASE: &str = "huechat";

/// Connects, and makes sure that somebody answers.
pub(super) async fn open(uri: &str, credentials: Option<(String, String)>) -> Result<Database> {
    in_time(async {
        let mut options = match credentials {
            Some((name, password)) => ClientOptions::parse(with(uri, &name, &password)).await?,
            None => ClientOptions::parse(uri).await?,
        };
        options.app_name.get_or_insert_with(|| "huechat".to_owned());
        options.server_selection_timeout.get_or_insert(SERVER_SELECTION);
        options.connect_timeout.get_or_insert(CONNECT);
        // Acknowledged means kept: on most servers, and in their journals.
        let durable = WriteConcern::builder().w(mongodb::options::Acknowledgment::Majority);
        options.write_concern = Some(durable.journal(true).build());
        // And what is shown is kept: it cannot be rolled back any more.
        options.read_concern = Some(ReadConcern::majority());
        let client = Client::with_options(options)?;
        let database =
            client.default_database().unwrap_or_else(|| client.database(DEFAULT_DATABASE));
        database.run_command(doc! { "ping": 1 }).await?;
        Ok(database)
    })
    .await
}

/// What `step` returns, or an error when that takes too long.
pub(super) async fn in_time<T>(step: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(DEADLINE, step)
        .await
        .unwrap_or_else(|_| Err(Error::new(format!("no answer for {} s", DEADLINE.as_secs()))))
}

/// The URI with other credentials. They go into the text, and not into the parsed options, so
/// that `authSource` and the rest of the URI mean what they always mean.
fn with(uri: &str, name: &str, password: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return uri.to_owned(); // The parser will say what is wrong with it.
    };
    let authority = rest.find(['/', '?']).unwrap_or(rest.len());
    let hosts = rest[..authority].rfind('@').map_or(0, |at| at + 1);
    format!("{scheme}://{}:{}@{}", escaped(name), escaped(password), &rest[hosts..])
}

fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02X}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn given_credentials_go_before_those_of_the_uri() {
        for uri in [
            "mongodb://a.example,b.example:7/tea?authSource=users",
            "mongodb://old:secret@a.example,b.example:7/tea?authSource=users",
        ] {
            let options = ClientOptions::parse(with(uri, "me", "p@ss/?:%")).await.unwrap();

            let credential = options.credential.unwrap();
            assert_eq!(credential.username.as_deref(), Some("me"));
            assert_eq!(credential.password.as_deref(), Some("p@ss/?:%"));
            assert_eq!(credential.source.as_deref(), Some("users"));
            assert_eq!(options.default_database.as_deref(), Some("tea"));
            assert_eq!(options.hosts.len(), 2);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_without_an_answer_fails_within_five_seconds() {
        let asked = tokio::time::Instant::now();

        let answer: Result<()> = in_time(std::future::pending()).await;

        assert!(answer.is_err());
        assert!(asked.elapsed() < Duration::from_secs(5));
    }
}
