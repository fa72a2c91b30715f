//! Batches lookups. While one batch is at the server, later requests queue up and form the next
//! batch, which is one command. A single request is sent at once.

use std::{fmt, future::Future, panic::AssertUnwindSafe};

use futures_util::FutureExt as _;
use tokio::sync::{mpsc, oneshot};

use crate::store::{Error, Result};

/// Largest number of requests in one batch.
const MAX_BATCH: usize = 200;

/// A handle to a loader task. Clones share the task, which ends with the last of them.
pub(in crate::store::mongo) struct Loader<K, V>(
    mpsc::UnboundedSender<(K, oneshot::Sender<Result<V>>)>,
);

impl<K, V> Clone for Loader<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, V> fmt::Debug for Loader<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Loader")
    }
}

impl<K: Clone + Send + 'static, V: Send + 'static> Loader<K, V> {
    /// `load` returns one result for each key of a batch, in their order.
    pub(in crate::store::mongo) fn new<F>(load: impl Fn(Vec<K>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Vec<V>>> + Send,
    {
        let (requests, mut queue) = mpsc::unbounded_channel::<(K, oneshot::Sender<Result<V>>)>();
        tokio::spawn(async move {
            let mut waiting = Vec::new();
            while queue.recv_many(&mut waiting, MAX_BATCH).await > 0 {
                let keys = waiting.iter().map(|(key, _)| key.clone()).collect();
                let answered = AssertUnwindSafe(load(keys)).catch_unwind().await;
                let answered: Vec<Result<V>> = match answered {
                    Ok(Ok(answers)) => answers.into_iter().map(Ok).collect(),
                    Ok(Err(cause)) => cause.shared().map(Err).take(waiting.len()).collect(),
                    Err(_) => Vec::new(), // Dropped senders fail the callers.
                };
                for ((_, waiting), answer) in waiting.drain(..).zip(answered) {
                    waiting.send(answer).ok(); // The caller has stopped waiting.
                }
            }
        });
        Self(requests)
    }

    pub(in crate::store::mongo) async fn ask(&self, key: K) -> Result<V> {
        let (answer, answered) = oneshot::channel();
        let ended = || Error::new("nobody answers any more");
        self.0.send((key, answer)).map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_question_that_makes_it_panic_is_an_error_and_the_next_one_is_answered() {
        let halves =
            Loader::new(async |asked: Vec<u32>| Ok(asked.into_iter().map(|of| 100 / of).collect()));

        assert!(halves.ask(0).await.is_err());
        assert_eq!(halves.ask(2).await.unwrap(), 50);
    }
}
