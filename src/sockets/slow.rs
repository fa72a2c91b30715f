//! Sockets that cannot take what is sent to them.
//!
//! Each socket has a bounded queue; what does not fit is lost to it. So whoever's queue is full is cut
//! off: they come back, name the newest message they have, and get what they missed. Until then
//! they cost their room nothing.

use std::time::Duration;

use socketioxide::{SendError, SocketError, SocketIo, extract::SocketRef};
use tokio::time::sleep;
use tracing::info;

use super::protocol::{self, ErrorBody, Head, told};
use crate::{
    chat::Error,
    domain::{RoomId, Seq},
};

/// How often a full queue is tried again: it empties with its client's next read, or never.
const TRY_EVERY: Duration = Duration::from_millis(200);

/// Tells everybody in a room how far it has got, after somebody could not be told of `seq`; whoever
/// cannot take that either is cut off.
pub(super) fn cut_off(io: &SocketIo, room: &RoomId, seq: Seq) {
    let Some(chat) = io.of(protocol::CHAT) else { return };
    for socket in chat.within(room.to_string()).sockets() {
        let told = socket.emit(told::HEAD, &Head { seq });
        if matches!(told, Err(SendError::Socket(SocketError::InternalChannelFull))) {
            info!(%room, socket = %socket.id, "cut off a socket that is too slow");
            socket.leave_all();
            tokio::spawn(part(socket));
        }
    }
}

/// Says why, as soon as there is room for a word, and ends the connection. One that never reads
/// again is ended by the kernel.
async fn part(socket: SocketRef) {
    let why = ErrorBody::from(&Error::TooSlow);
    while socket.connected() {
        if socket.emit(told::ERROR, &why).is_ok() && socket.clone().disconnect().is_ok() {
            return;
        }
        sleep(TRY_EVERY).await;
    }
}
