//! What the black-box tests share: servers, browsers, sockets.

#![allow(dead_code, unused_imports, reason = "each test binary uses its own part")]

pub mod bot;
pub mod browser;
pub mod gifs;
pub mod server;
pub mod socket;

pub use bot::Bot;
pub use browser::Browser;
pub use server::{BEHIND_A_PROXY, Backend, Server, WITHOUT_A_PROXY};
pub use socket::Socket;

use std::{future::Future, time::Duration};

/// Longer than anything here takes on a busy machine: when it is over, what was waited for is not
/// coming.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for something that is coming.
pub async fn soon<T>(what: &str, coming: impl Future<Output = T>) -> T {
    let came = tokio::time::timeout(PATIENCE, coming).await;
    came.unwrap_or_else(|_| panic!("waited too long for {what}"))
}

/// Asks again and again, each time as soon as the last answer is there, until it is the one.
pub async fn until<F: Future<Output = bool>>(what: &str, mut ask: impl FnMut() -> F) {
    soon(what, async {
        while !ask().await {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Runs each test on the embedded store and on MongoDB.
#[macro_export]
macro_rules! on_both_stores {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name($crate::common::Backend::Sqlite).await })*
        }
        mod mongo {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name($crate::common::Backend::Mongo).await })*
        }
    };
}
