//! Where somebody comes from, as far as a room remembers it.

use std::{fmt, sync::Arc};

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::RoomId;

/// The network that somebody comes from, in words: an address of IPv4, or a /64 of IPv6. It is never kept.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Network {
    words: String,
    of_a_proxy: bool,
}

impl Network {
    /// Takes the words of an edge.
    #[must_use]
    pub fn new(words: impl Into<String>) -> Self {
        Self { words: words.into(), of_a_proxy: false }
    }

    /// The network of a proxy that is trusted, and did not say for whom it speaks.
    #[must_use]
    pub fn of_a_proxy(words: impl Into<String>) -> Self {
        Self { words: words.into(), of_a_proxy: true }
    }

    /// Whether everybody may be behind it: then it is no use to count what comes from there.
    #[must_use]
    pub fn is_a_proxys(&self) -> bool {
        self.of_a_proxy
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network(hidden)")
    }
}

/// What is kept of a [`Network`], by one room: whoever reads it learns neither where somebody comes from nor
/// whether they are in another room, too.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NetworkHash(String);

impl NetworkHash {
    const CHARS: usize = 24;

    /// Takes a hash that a store kept.
    #[must_use]
    pub fn new(raw: impl Into<String>) -> Self {
        Self(raw.into())
    }

    /// The hash, for a store to keep: 24 characters of base 32.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the hashes of networks are made with.
#[derive(Clone)]
pub struct NetworkKey(Arc<[u8]>);

impl NetworkKey {
    /// A key from the server's secret.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self(secret.into())
    }

    /// HMAC-SHA-256 (RFC 2104) under the secret, salted with the room, cut to 120 bits: without the secret,
    /// trying all addresses of IPv4 leads nowhere.
    #[must_use]
    pub fn hash(&self, room: &RoomId, network: &Network) -> NetworkHash {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any key length");
        mac.update(b"huechat network ");
        mac.update(room.as_str().as_bytes());
        mac.update(b" ");
        mac.update(network.words.as_bytes());
        let mut hash = BASE32_NOPAD.encode(&mac.finalize().into_bytes()).to_ascii_lowercase();
        hash.truncate(NetworkHash::CHARS);
        NetworkHash(hash)
    }
}

impl fmt::Debug for NetworkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NetworkKey(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_one_network_in_one_room_under_one_secret() {
        let (tea, coffee) = (RoomId::random(), RoomId::random());
        let (here, there) = (Network::new("192.0.2.1"), Network::new("192.0.2.2"));
        let key = NetworkKey::new(b"secret");
        let hash = key.hash(&tea, &here);
        assert_eq!(hash, key.hash(&tea, &here));
        for other in [
            key.hash(&tea, &there),
            key.hash(&coffee, &here),
            NetworkKey::new(b"another").hash(&tea, &here),
        ] {
            assert_ne!(hash, other);
        }
        assert_eq!(hash.as_str().len(), NetworkHash::CHARS);
    }

    #[test]
    fn neither_network_nor_key_shows_itself_when_debugged() {
        let shown = format!("{:?} {:?}", Network::new("192.0.2.1"), NetworkKey::new(b"secret"));
        assert_eq!(shown, "Network(hidden) NetworkKey(hidden)");
    }
}
