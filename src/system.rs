//! The machine's clock and random numbers, for the types of [`domain`](crate::domain), which has
//! neither.

use time::OffsetDateTime;

use crate::domain::{NodeId, RoomId, SocketId, StoreId, Timestamp, Token, TokenId};

impl Timestamp {
    /// The current time of this machine's clock.
    #[must_use]
    pub fn now() -> Self {
        Self::from(OffsetDateTime::now_utc())
    }
}

macro_rules! random {
    ($($id:ident)+) => {$(
        impl $id {
            /// A new random id.
            #[must_use]
            pub fn random() -> Self {
                Self::from_bits(rand::random())
            }
        }
    )+};
}

random!(RoomId TokenId SocketId NodeId StoreId);

impl Token {
    /// A new random token.
    #[must_use]
    pub fn random() -> Self {
        Self::from_secret(&rand::random())
    }
}
