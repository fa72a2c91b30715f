//! A fresh store for each test.

use std::sync::Arc;

use huechat::store::{Store, sqlite::SqliteStore};

use crate::mongo_server::TestDatabase;

/// Runs a sentence of the contract on a new file.
pub async fn sqlite<F: Future<Output = ()>>(sentence: impl FnOnce(Arc<dyn Store>) -> F) {
    let folder = tempfile::TempDir::new().unwrap();
    let store = SqliteStore::open(&folder.path().join("huechat.db")).unwrap();
    sentence(Arc::new(store)).await;
}

/// Runs a sentence of the contract on a new database.
pub async fn mongo<F: Future<Output = ()> + Send + 'static>(
    sentence: impl FnOnce(Arc<dyn Store>) -> F,
) {
    let database = TestDatabase::new();
    let store = database.store().await;
    let test = sentence(Arc::new(store));
    database.around(test).await;
}
