//! Handles the events of a socket one at a time, in the order of arrival.
//!
//! socketioxide runs each event's handler in its own task, and tasks overtake one another.
//! Extractors run in the order of arrival, so each event takes its turn in an extractor.

use std::{convert::Infallible, sync::Arc};

use parking_lot::Mutex;

use socketioxide::{
    adapter::Adapter,
    extract::Extension,
    handler::{FromMessageParts, Value},
    socket::Socket,
};
use tokio::sync::oneshot;
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

/// The event queue of one socket; stored as an extension of the socket.
#[derive(Clone, Default)]
pub(super) struct EventQueue {
    last: Arc<Mutex<Option<oneshot::Receiver<()>>>>,
    unanswered: TaskTracker,
}

/// An event's position in the queue. Dropping it lets the next event run.
pub(super) struct Turn {
    before: Option<oneshot::Receiver<()>>,
    done: oneshot::Sender<()>,
    unanswered: Option<TaskTracker>,
    answering: Option<TaskTrackerToken>,
}

impl Turn {
    /// Waits until all earlier turns are dropped. The handler holds the token until it has sent the
    /// acknowledgement.
    pub(super) async fn acquire(&mut self) -> Option<TaskTrackerToken> {
        if let Some(before) = self.before.take() {
            before.await.ok(); // Completes when the sender is dropped.
        }
        self.answering.take()
    }

    /// Ends the turn and waits until every event is acknowledged, so that the connection may close.
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
        let Ok(Extension(queue)) = Extension::<EventQueue>::from_message_parts(socket, value, ack)
        else {
            return Ok(Self { before: None, done, unanswered: None, answering: None });
        };
        let before = queue.last.lock().replace(end);
        let answering = Some(queue.unanswered.token());
        Ok(Self { before, done, unanswered: Some(queue.unanswered), answering })
    }
}
