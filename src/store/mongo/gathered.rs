//! Questions that are asked together: while some are on their way to the server, those that come
//! meanwhile collect, and are asked next, with one command. A lone question waits for nobody.

use std::{fmt, future::Future, panic::AssertUnwindSafe};

use futures_util::FutureExt as _;
use tokio::sync::{mpsc, oneshot};

use crate::store::{Error, Result};

/// So many are asked together.
const MAX_TOGETHER: usize = 200;

/// Whom to ask.
pub(super) struct Gathered<Q, A>(mpsc::UnboundedSender<(Q, oneshot::Sender<Result<A>>)>);

impl<Q, A> Clone for Gathered<Q, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Q, A> fmt::Debug for Gathered<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gathered")
    }
}

impl<Q: Clone + Send + 'static, A: Send + 'static> Gathered<Q, A> {
    /// `answer` has one answer for each question, in their order. It is asked until the last clone of this is dropped.
    pub(super) fn new<F>(answer: impl Fn(Vec<Q>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Vec<A>>> + Send,
    {
        let (ask, mut asked) = mpsc::unbounded_channel::<(Q, oneshot::Sender<Result<A>>)>();
        tokio::spawn(async move {
            let mut waiting = Vec::new();
            while asked.recv_many(&mut waiting, MAX_TOGETHER).await > 0 {
                let questions = waiting.iter().map(|(question, _)| question.clone()).collect();
                let answered = AssertUnwindSafe(answer(questions)).catch_unwind().await;
                let answered: Vec<Result<A>> = match answered {
                    Ok(Ok(answers)) => answers.into_iter().map(Ok).collect(),
                    Ok(Err(cause)) => cause.shared().map(Err).take(waiting.len()).collect(),
                    Err(_) => Vec::new(), // The panic has told what is wrong.
                };
                for ((_, waiting), answer) in waiting.drain(..).zip(answered) {
                    waiting.send(answer).ok(); // They have gone.
                }
            }
        });
        Self(ask)
    }

    pub(super) async fn ask(&self, question: Q) -> Result<A> {
        let (answer, answered) = oneshot::channel();
        let ended = || Error::new("nobody answers any more");
        self.0.send((question, answer)).map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_question_that_makes_it_panic_is_an_error_and_the_next_one_is_answered() {
        let halves = Gathered::new(async |asked: Vec<u32>| {
            Ok(asked.into_iter().map(|of| 100 / of).collect())
        });

        assert!(halves.ask(0).await.is_err());
        assert_eq!(halves.ask(2).await.unwrap(), 50);
    }
}
