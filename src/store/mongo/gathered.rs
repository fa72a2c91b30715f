//! Questions that are asked together: while some are on their way to the server, those that come
//! meanwhile collect, and are asked next, with one command. A lone question waits for nobody.

use std::{fmt, future::Future};

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
                let answered: Vec<Result<A>> = match answer(questions).await {
                    Ok(answers) => answers.into_iter().map(Ok).collect(),
                    Err(cause) => cause.shared().map(Err).take(waiting.len()).collect(),
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
