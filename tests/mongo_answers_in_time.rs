//! A MongoDB server that is gone, or hangs: whoever asks hears of it within five seconds.

#![expect(clippy::expect_used, reason = "this is a test: what it takes for granted, it unwraps")]

use std::{net::SocketAddr, time::Duration};

use huechat::store::{self, mongo::MongoStore};
use tokio::net::TcpListener;

const PROMISED: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_server_that_is_gone_is_an_error_within_five_seconds() {
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };

    let outcome = open_in_time(nobody).await;

    assert!(outcome.is_err());
}

#[tokio::test]
async fn a_server_that_takes_connections_and_says_nothing_is_an_error_within_five_seconds() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();

    let outcome = open_in_time(address).await;

    assert!(outcome.is_err());
}

async fn open_in_time(server: SocketAddr) -> store::Result<MongoStore> {
    let uri = format!("mongodb://{server}");
    let opening = MongoStore::open(&uri, None);
    tokio::time::timeout(PROMISED, opening).await.expect("an answer in time")
}
