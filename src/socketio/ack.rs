//! The acknowledgement of an event, or the `error` event when the client asked for none; and the
//! bounds of events, which are checked wherever an acknowledgement is made.

use std::{
    convert::Infallible,
    ops::AsyncFnOnce,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use serde::{
    Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use socketioxide::{
    adapter::{Adapter, LocalAdapter},
    extract::{AckSender, Extension, SocketRef, State, TryData},
    handler::{FromMessageParts, Value},
    socket::Socket,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::warn;

use super::{
    Shared, backpressure, emit_error,
    protocol::{Object, Reply},
};
use crate::{
    chat::{Error, Requester},
    domain::{Network, PersonId},
};

/// Largest number of events of one socket that are being answered at the same time. The rate of
/// events is what bounds a client; this bounds memory while the store is slow.
const MAX_UNANSWERED: usize = 16_384;
/// A socket that has this many events refused in a row does not wait as it was told, and is
/// disconnected.
const MAX_REFUSED: u32 = 500;

/// Who sends the events of a socket, and how many are unanswered; an extension of the socket.
#[derive(Clone)]
pub(super) struct Sender {
    person: PersonId,
    network: Network,
    unanswered: Arc<Semaphore>,
    refused: Arc<AtomicU32>,
}

impl Sender {
    pub(super) fn new(person: PersonId, network: Network) -> Self {
        let unanswered = Arc::new(Semaphore::new(MAX_UNANSWERED));
        Self { person, network, unanswered, refused: Arc::default() }
    }

    /// Counts an event; holds the permit until it is answered.
    fn begin(&self, shared: &Shared) -> Result<OwnedSemaphorePermit, Error> {
        let requester = Requester { id: &self.person, pass: None, network: Some(&self.network) };
        shared.chat.may_send_event(requester)?;
        self.unanswered.clone().try_acquire_owned().map_err(|_| Error::too_many_unanswered())
    }
}

/// Sends an event's outcome: as its acknowledgement if the client asked for one; otherwise an error
/// is sent as an `error` event.
pub(super) struct Ack {
    answer: Answer,
    _unanswered: OwnedSemaphorePermit,
}

/// The way back to the client.
struct Answer {
    socket: SocketRef,
    sender: AckSender,
    awaited: bool,
}

/// The data of an event whose fields are all optional: it may come without data.
pub(super) struct OptionalData<T>(pub(super) Result<T, Error>);

impl<T: DeserializeOwned + Default> FromMessageParts<LocalAdapter> for OptionalData<T> {
    type Error = Infallible;

    fn from_message_parts(
        socket: &Arc<Socket<LocalAdapter>>,
        value: &mut Value,
        ack: &Option<i64>,
    ) -> Result<Self, Infallible> {
        let has_data = match value {
            Value::Str(event, _) => {
                serde_json::from_str::<Vec<IgnoredAny>>(event).is_ok_and(|parts| parts.len() > 1)
            }
            Value::Bytes(_) => true,
        };
        if !has_data {
            return Ok(Self(Ok(T::default())));
        }
        let RequestData(data) = RequestData::from_message_parts(socket, value, ack)?;
        Ok(Self(data))
    }
}

/// The data of an event: an object.
pub(super) struct RequestData<T>(pub(super) Result<T, Error>);

impl<T: DeserializeOwned> FromMessageParts<LocalAdapter> for RequestData<T> {
    type Error = Infallible;

    fn from_message_parts(
        socket: &Arc<Socket<LocalAdapter>>,
        value: &mut Value,
        ack: &Option<i64>,
    ) -> Result<Self, Infallible> {
        let TryData(data) = TryData::<Object<T>>::from_message_parts(socket, value, ack)?;
        Ok(Self(data.map(|Object(data)| data).map_err(|_| Error::Malformed)))
    }
}

/// An event is over a bound. It has been answered.
#[derive(Debug, thiserror::Error)]
#[error("an event is over a bound")]
pub(super) struct OverBound;

impl FromMessageParts<LocalAdapter> for Ack {
    type Error = OverBound;

    fn from_message_parts(
        socket: &Arc<Socket<LocalAdapter>>,
        value: &mut Value,
        ack: &Option<i64>,
    ) -> Result<Self, OverBound> {
        let State(shared) =
            State::<Shared>::from_message_parts(socket, value, ack).map_err(|_| OverBound)?;
        let Extension(from) =
            Extension::<Sender>::from_message_parts(socket, value, ack).map_err(|_| OverBound)?;
        let answer = Answer {
            socket: extracted(socket, value, ack).map_err(|never| match never {})?,
            sender: extracted(socket, value, ack).map_err(|never| match never {})?,
            awaited: ack.is_some(),
        };
        match from.begin(&shared) {
            Ok(unanswered) => {
                from.refused.store(0, Ordering::Relaxed);
                Ok(Self { answer, _unanswered: unanswered })
            }
            Err(error) => {
                let socket = answer.socket.clone();
                answer.send::<()>(Err(error));
                if from.refused.fetch_add(1, Ordering::Relaxed) == MAX_REFUSED {
                    tokio::spawn(backpressure::disconnect_when_writable(socket));
                }
                Err(OverBound)
            }
        }
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
        self.answer.send(outcome);
    }
}

impl Answer {
    fn send<T: Serialize>(self, outcome: Result<T, Error>) {
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
