//! The connection to MongoDB, and the deadline of every store call.
//!
//! Every store call returns within five seconds. The driver alone would wait 30 seconds for an
//! unreachable server, and forever for one that hangs.

use std::{future::Future, time::Duration};

use mongodb::{
    Client, Database,
    options::{ClientOptions, ReadConcern, WriteConcern},
};

use crate::store::{Error, Result};

/// Deadline of a store call. It leaves time for two attempts of the driver with an election in
/// between on a fast network, and stays below the five seconds that visitors are promised.
const DEADLINE: Duration = Duration::from_secs(4);
/// Timeout for finding a primary. Less than half of [`DEADLINE`], so that the driver's own retry
/// fits in and its error, which is more specific than ours, reaches the log.
const SERVER_SELECTION: Duration = Duration::from_millis(1_900);
/// Timeout for a handshake and for the driver's heartbeat. Nearly [`DEADLINE`]: two seconds made a
/// busy server look dead, and the driver then closes the connections of all running calls.
const CONNECT: Duration = Duration::from_millis(3_500);
const DEFAULT_DATABASE: &str = "huechat";

/// The database of a URI. The driver connects when it is used first.
pub(super) async fn open(uri: &str, credentials: Option<(String, String)>) -> Result<Database> {
    with_deadline(async {
        let mut options = match credentials {
            Some((name, password)) => ClientOptions::parse(with(uri, &name, &password)).await?,
            None => ClientOptions::parse(uri).await?,
        };
        options.app_name.get_or_insert_with(|| "huechat".to_owned());
        options.server_selection_timeout.get_or_insert(SERVER_SELECTION);
        options.connect_timeout.get_or_insert(CONNECT);
        // Acknowledged writes are journaled on a majority of the servers.
        let durable = WriteConcern::builder().w(mongodb::options::Acknowledgment::Majority);
        options.write_concern = Some(durable.journal(true).build());
        // Reads return majority-committed data only, which cannot be rolled back.
        options.read_concern = Some(ReadConcern::majority());
        let client = Client::with_options(options)?;
        let database =
            client.default_database().unwrap_or_else(|| client.database(DEFAULT_DATABASE));
        Ok(database)
    })
    .await
}

/// Runs `step`, and fails after [`DEADLINE`].
pub(super) async fn with_deadline<T>(step: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(DEADLINE, step)
        .await
        .unwrap_or_else(|_| Err(Error::away(format!("no answer for {} s", DEADLINE.as_secs()))))
}

/// Replaces the credentials of a URI in its text, not in the parsed options, so that `authSource`
/// and the other options apply to the new ones.
fn with(uri: &str, name: &str, password: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return uri.to_owned(); // The driver's parser reports the error.
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

        let answer: Result<()> = with_deadline(std::future::pending()).await;

        assert!(answer.is_err());
        assert!(asked.elapsed() < Duration::from_secs(5));
    }
}
