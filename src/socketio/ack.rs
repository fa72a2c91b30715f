//! The acknowledgement of an event, or the `error` event when the client asked for none.

use std::{convert::Infallible, ops::AsyncFnOnce, sync::Arc};

use serde::Serialize;
use socketioxide::{
    adapter::{Adapter, LocalAdapter},
    extract::{AckSender, SocketRef},
    handler::{FromMessageParts, Value},
    socket::Socket,
};
use tracing::warn;

use super::{emit_error, protocol::Reply};
use crate::chat::Error;

/// Sends an event's outcome: as its acknowledgement if the client asked for one; otherwise an error
/// is sent as an `error` event.
pub(super) struct Ack {
    socket: SocketRef,
    sender: AckSender,
    awaited: bool,
}

impl FromMessageParts<LocalAdapter> for Ack {
    type Error = Infallible;

    fn from_message_parts(
        socket: &Arc<Socket<LocalAdapter>>,
        value: &mut Value,
        ack: &Option<i64>,
    ) -> Result<Self, Infallible> {
        Ok(Self {
            socket: extracted(socket, value, ack)?,
            sender: extracted(socket, value, ack)?,
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

impl Ack {
    /// Runs `act` on a request that parsed, and sends the outcome.
    pub(super) async fn respond<Q, E, T: Serialize>(
        self,
        request: Result<Q, E>,
        act: impl AsyncFnOnce(Q) -> Result<T, Error>,
    ) {
        let outcome = match request {
            Ok(request) => act(request).await,
            Err(_) => Err(Error::Malformed),
        };
        self.send(outcome);
    }

    /// Sends the outcome.
    pub(super) fn send<T: Serialize>(self, outcome: Result<T, Error>) {
        if let Err(Error::Unavailable(cause)) = &outcome {
            warn!(%cause, "a socket's request failed");
        }
        if self.awaited {
            self.sender.send(&Reply::from(outcome)).ok(); // Fails when the socket has closed.
        } else if let Err(error) = outcome {
            emit_error(&self.socket, &error);
        }
    }
}
