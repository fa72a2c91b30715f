//! One at a time, in the order of arrival.
//!
//! Each event of a socket is handled in a task of its own, and tasks overtake each other. What is
//! extracted, though, is extracted in the order in which it came: there each event takes its turn.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use socketioxide::{
    adapter::Adapter,
    extract::Extension,
    handler::{FromMessageParts, Value},
    socket::Socket,
};
use tokio::sync::oneshot;
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

/// The line of one socket; an extension of it.
#[derive(Clone, Default)]
pub(super) struct Line {
    last: Arc<Mutex<Option<oneshot::Receiver<()>>>>,
    unanswered: TaskTracker,
}

/// An event's place in the line. It ends when it is dropped.
pub(super) struct Turn {
    before: Option<oneshot::Receiver<()>>,
    done: oneshot::Sender<()>,
    unanswered: Option<TaskTracker>,
    answering: Option<TaskTrackerToken>,
}

impl Turn {
    /// Waits for those before. What it gives is to be held until the event is answered.
    pub(super) async fn come(&mut self) -> Option<TaskTrackerToken> {
        if let Some(before) = self.before.take() {
            before.await.ok(); // Its end, sent or dropped, is all that counts.
        }
        self.answering.take()
    }

    /// Lets those behind come, and waits until all are answered: the connection may end then.
    pub(super) async fn end(self) {
        let Self { unanswered, answering, done, .. } = self;
        drop((answering, done));
        if let Some(unanswered) = unanswered {
            unanswered.close();
            unanswered.wait().await;
        }
    }
}

impl<A: Adapter> FromMessageParts<A> for Turn {
    type Error = Infallible;

    fn from_message_parts(
        socket: &Arc<Socket<A>>,
        value: &mut Value,
        ack: &Option<i64>,
    ) -> Result<Self, Infallible> {
        let (done, end) = oneshot::channel();
        let Ok(Extension(line)) = Extension::<Line>::from_message_parts(socket, value, ack) else {
            return Ok(Self { before: None, done, unanswered: None, answering: None });
        };
        let before = line.last.lock().unwrap_or_else(PoisonError::into_inner).replace(end);
        let answering = Some(line.unanswered.token());
        Ok(Self { before, done, unanswered: Some(line.unanswered), answering })
    }
}
