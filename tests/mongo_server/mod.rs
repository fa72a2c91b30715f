//! A database of a test's own on the MongoDB server that `make test` starts.

use std::panic;

use huechat::store::{NodeStore as _, mongo::MongoStore};
use mongodb::{Client, Database};

/// A database with a name that no other test has.
pub struct TestDatabase {
    uri: String,
    name: String,
}

impl TestDatabase {
    pub fn new() -> Self {
        let server = std::env::var("HUECHAT_TEST_MONGODB_URI")
            .expect("HUECHAT_TEST_MONGODB_URI is not set: `make test` starts a server and sets it");
        let name = format!("huechat_test_{}", huechat::domain::RoomId::random());
        let (hosts, options) = server.split_once('?').unwrap_or((&server, ""));
        Self { uri: format!("{}/{name}?{options}", hosts.trim_end_matches('/')), name }
    }

    /// A store in it.
    pub async fn store(&self) -> MongoStore {
        let store = MongoStore::open(&self.uri, None).await.unwrap();
        store.prepare().await.expect("the test server answers");
        store
    }

    /// The database itself, past the store.
    pub async fn raw(&self) -> Database {
        let client = Client::with_uri_str(&self.uri).await.expect("the test server answers");
        client.database(&self.name)
    }

    /// Runs `test`, and removes the database whether it passed or not.
    pub async fn around(self, test: impl Future<Output = ()> + Send + 'static) {
        let outcome = tokio::spawn(test).await;
        self.raw().await.drop().await.expect("the database is dropped");
        if let Err(failure) = outcome {
            panic::resume_unwind(failure.into_panic());
        }
    }
}
