//! The answer that an event waits for, or the complaint to one that does not.

use std::{convert::Infallible, ops::AsyncFnOnce, sync::Arc};

use serde::Serialize;
use socketioxide::{
    adapter::{Adapter, LocalAdapter},
    extract::{AckSender, SocketRef},
    handler::{FromMessageParts, Value},
    socket::Socket,
};
use tracing::warn;

use super::{complain, protocol::Reply};
use crate::chat::Error;

/// Where an event's outcome goes: into its acknowledgement if it asked for one, else, when it
/// failed, into an `error` event.
pub(super) struct Answer {
    socket: SocketRef,
    ack: AckSender,
    awaited: bool,
}

impl FromMessageParts<LocalAdapter> for Answer {
    type Error = Infallible;

    fn from_message_parts(
        socket: &Arc<Socket<LocalAdapter>>,
        value: &mut Value,
        ack: &Option<i64>,
    ) -> Result<Self, Infallible> {
        Ok(Self {
            socket: extracted(socket, value, ack)?,
            ack: extracted(socket, value, ack)?,
            awaited: ack.is_some(),
        })
    }
}

#[expect(clippy::ref_option, reason = "socketioxide passes it so")]
fn extracted<A: Adapter, T: FromMessageParts<A>>(
    socket: &Arc<Socket<A>>,
    value: &mut Value,
    ack: &Option<i64>,
) -> Result<T, T::Error> {
    T::from_message_parts(socket, value, ack)
}

impl Answer {
    /// Does what was asked, if it can be understood, and answers.
    pub(super) async fn after<Q, E, T: Serialize>(
        self,
        request: Result<Q, E>,
        act: impl AsyncFnOnce(Q) -> Result<T, Error>,
    ) {
        let outcome = match request {
            Ok(request) => act(request).await,
            Err(_) => Err(Error::Malformed),
        };
        self.give(outcome);
    }

    /// Answers.
    pub(super) fn give<T: Serialize>(self, outcome: Result<T, Error>) {
        if let Err(Error::Unavailable(cause)) = &outcome {
            warn!(%cause, "could not do what a socket asked");
        }
        if self.awaited {
            self.ack.send(&Reply::from(outcome)).ok(); // An error means that they have gone.
        } else if let Err(error) = outcome {
            complain(&self.socket, &error);
        }
    }
}
