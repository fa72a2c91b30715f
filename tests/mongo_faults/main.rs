//! MongoDB in trouble: what people are told meanwhile, and what is stored in the end.
//!
//! Each test has a database server of its own, because a fail point holds for a whole server. After
//! each trouble the same chat server must serve again, and hold nothing twice.

#![cfg(test)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../mongo_server/own.rs"]
mod own;

mod applied;
mod cut;
mod entering;
mod leaving;
mod opening;
mod outage;
mod posting;
mod slow;
mod stage;

use std::time::Duration;

/// Whoever asks has an answer by then.
const PROMISED: Duration = Duration::from_secs(5);

async fn with_deadline<T>(answer: impl Future<Output = T>) -> T {
    let answer = Box::pin(answer); // Some hold a whole request.
    tokio::time::timeout(PROMISED, answer).await.expect("an answer within five seconds")
}
