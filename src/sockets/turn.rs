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

/// The line of one socket; an extension of it.
#[derive(Clone, Default)]
pub(super) struct Line(Arc<Mutex<Option<oneshot::Receiver<()>>>>);

/// An event's place in the line. It ends when it is dropped.
pub(super) struct Turn {
    before: Option<oneshot::Receiver<()>>,
    _done: oneshot::Sender<()>,
}

impl Turn {
    /// Waits for those before.
    pub(super) async fn come(&mut self) {
        if let Some(before) = self.before.take() {
            before.await.ok(); // Its end, sent or dropped, is all that counts.
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
        let line = Extension::<Line>::from_message_parts(socket, value, ack).ok();
        let before = line.and_then(|Extension(Line(last))| {
            last.lock().unwrap_or_else(PoisonError::into_inner).replace(end)
        });
        Ok(Self { before, _done: done })
    }
}
