//! Ids: opaque, with a fixed alphabet, never parsed for meaning.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The text is not an id of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct InvalidId;

/// Whether a text is lower-case base 32 (RFC 4648): safe in a URL, a file name and a CSS class.
fn is_base32(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'))
}

fn base32(bytes: &[u8]) -> String {
    BASE32_NOPAD.encode(bytes).to_ascii_lowercase()
}

macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The id's text, on the wire and in the store.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// The id of 80 random bits, which the caller draws: the domain has no random numbers.
macro_rules! from_bits {
    ($($name:ident)+) => {$(
        impl $name {
            /// The id with these bits.
            #[must_use]
            pub fn from_bits(bits: [u8; 10]) -> Self {
                Self(base32(&bits))
            }
        }
    )+};
}

from_bits!(RoomId TokenId SocketId NodeId StoreId);

macro_rules! parsed_id {
    ($name:ident) => {
        impl $name {
            /// # Errors
            /// When `raw` is not 16 characters of `[a-z2-7]`.
            pub fn parse(raw: &str) -> Result<Self, InvalidId> {
                if raw.len() != 16 || !is_base32(raw) {
                    return Err(InvalidId);
                }
                Ok(Self(raw.to_owned()))
            }
        }
    };
}

opaque_id! {
    /// A room: 16 characters of base 32, 80 random bits. A link to a room cannot be guessed.
    RoomId
}

parsed_id!(RoomId);

opaque_id! {
    /// A person: 12 characters of base 32, a keyed hash of their session.
    PersonId
}

impl PersonId {
    const CHARS: usize = 12;

    /// The public id of a session: HMAC-SHA-256 (RFC 2104) under the server's secret, cut to
    /// 60 bits. The key prevents searching for an id, or recovering a session from its id.
    #[must_use]
    pub fn of_session(secret: &[u8], session: &str) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any key length");
        mac.update(b"huechat person ");
        mac.update(session.as_bytes());
        let mut id = base32(&mac.finalize().into_bytes());
        id.truncate(Self::CHARS);
        Self(id)
    }

    /// # Errors
    /// When `raw` is not 12 characters of `[a-z2-7]`.
    pub fn parse(raw: &str) -> Result<Self, InvalidId> {
        if raw.len() != Self::CHARS || !is_base32(raw) {
            return Err(InvalidId);
        }
        Ok(Self(raw.to_owned()))
    }
}

opaque_id! {
    /// A store: 16 characters of base 32, drawn when it is used for the first time.
    StoreId
}

parsed_id!(StoreId);

opaque_id! {
    /// The id of a bot's token: 16 characters of base 32. It is not the secret.
    TokenId
}

parsed_id!(TokenId);

opaque_id! {
    /// One connection of a person: a tab, a phone, a bot.
    SocketId
}

impl SocketId {
    /// Restores an id from the store.
    #[must_use]
    pub fn new(raw: impl Into<String>) -> Self {
        Self(raw.into())
    }
}

opaque_id! {
    /// One server process, from start to stop. A restarted server is a new node.
    NodeId
}

impl NodeId {
    /// Restores an id from the store.
    #[must_use]
    pub fn new(raw: impl Into<String>) -> Self {
        Self(raw.into())
    }
}

opaque_id! {
    /// A client's id for its own message, so that a resent message is stored once: 1 to 64 visible
    /// ASCII characters.
    ClientId
}

impl ClientId {
    const MAX_CHARS: usize = 64;

    /// # Errors
    /// When `raw` is empty, longer than 64 characters, or contains anything but visible ASCII.
    pub fn parse(raw: &str) -> Result<Self, InvalidId> {
        let visible = raw.bytes().all(|b| b.is_ascii_graphic());
        if raw.is_empty() || raw.len() > Self::MAX_CHARS || !visible {
            return Err(InvalidId);
        }
        Ok(Self(raw.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_id_survives_being_written_and_read() {
        let id = RoomId::random();
        assert_eq!(RoomId::parse(id.as_str()), Ok(id));
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        for raw in [
            "",
            "short",
            "ABCDEFGHIJKLMNOP",
            "aaaaaaaaaaaaaaa1",
            "../../etc/passwd",
            "가나다라마바사아자차카타파하거너",
        ] {
            assert_eq!(RoomId::parse(raw), Err(InvalidId), "{raw}");
            assert_eq!(PersonId::parse(raw), Err(InvalidId), "{raw}");
        }
    }

    #[test]
    fn the_same_session_is_the_same_person_and_another_secret_is_another() {
        let one = PersonId::of_session(b"secret", "session");
        assert_eq!(one, PersonId::of_session(b"secret", "session"));
        assert_ne!(one, PersonId::of_session(b"other", "session"));
        assert_ne!(one, PersonId::of_session(b"secret", "other"));
        assert_eq!(PersonId::parse(one.as_str()), Ok(one));
    }

    #[test]
    fn a_client_id_is_short_and_visible() {
        assert!(ClientId::parse("a-1").is_ok());
        for raw in ["", " ", "a b", "\u{0}", "é", &"x".repeat(65)] {
            assert!(ClientId::parse(raw).is_err(), "{raw:?}");
        }
    }
}
