//! A MongoDB server that is gone, or hangs: whoever asks hears of it within five seconds.

use std::net::SocketAddr;

use huechat::{
    domain::StoreId,
    store::{self, NodeStore as _, mongo::MongoStore},
};
use tokio::net::TcpListener;

use crate::with_deadline;

#[tokio::test]
async fn a_server_that_is_gone_is_an_error_within_five_seconds() {
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };

    let outcome = with_deadline(open(nobody)).await;

    assert!(outcome.is_err_and(|error| error.is_away()));
}

#[tokio::test]
async fn a_server_that_takes_connections_and_says_nothing_is_an_error_within_five_seconds() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();

    let outcome = with_deadline(open(address)).await;

    assert!(outcome.is_err_and(|error| error.is_away()));
}

async fn open(server: SocketAddr) -> store::Result<StoreId> {
    MongoStore::open(&format!("mongodb://{server}"), None).await?.prepare().await
}
