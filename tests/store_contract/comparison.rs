//! Thousands of random steps, done on both stores and compared answer by answer.

mod side;
mod step;

use std::sync::Arc;

use huechat::store::{Store, sqlite::SqliteStore};
use proptest::{
    collection::vec,
    test_runner::{Config, TestCaseError, TestRunner},
};

use crate::mongo_server::TestDatabase;
use side::{Side, Stage};
use step::Step;

/// Two thousand steps in all: as many as fit into half a minute.
const STORIES: u32 = 25;
const STEPS: usize = 80;
/// A failure is told by a shorter story, but not by the shortest: each try takes a second.
const SHRINKS: u32 = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_stores_answer_alike_whatever_is_done() {
    let folder = tempfile::TempDir::new().unwrap();
    let sqlite: Arc<dyn Store> =
        Arc::new(SqliteStore::open(&folder.path().join("huechat.db")).unwrap());
    let database = TestDatabase::new();
    let mongo: Arc<dyn Store> = Arc::new(database.store().await);

    let runtime = tokio::runtime::Handle::current();
    let compare = async move {
        tokio::task::block_in_place(|| {
            let config = Config {
                cases: STORIES,
                max_shrink_iters: SHRINKS,
                failure_persistence: None,
                ..Config::default()
            };
            TestRunner::new(config)
                .run(&vec(step::any_step(), STEPS), |story| {
                    runtime.block_on(compare(&sqlite, &mongo, &story))
                })
                .unwrap_or_else(|failure| panic!("{failure}"));
        });
    };
    database.around(compare).await;
}

async fn compare(
    sqlite: &Arc<dyn Store>,
    mongo: &Arc<dyn Store>,
    story: &[Step],
) -> Result<(), TestCaseError> {
    let mut stage = Stage::default();
    let mut sides = [Side::new(sqlite), Side::new(mongo)];
    let mut outcome = Ok(());
    for (moment, step) in (1..).zip(story) {
        stage.set(step);
        let [left, right] = &mut sides;
        let (one, other) =
            tokio::join!(left.perform(&stage, step, moment), right.perform(&stage, step, moment),);
        if one != other {
            let words = format!("{step:?} at {moment}\n  sqlite: {one}\n  mongo:  {other}");
            outcome = Err(TestCaseError::fail(words));
            break;
        }
    }
    for side in &sides {
        side.clear(&stage).await;
    }
    outcome
}
