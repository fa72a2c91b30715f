//! A visitor's network, and its hash for bans.

use std::{fmt, sync::Arc};

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::RoomId;

/// Where a visitor comes from. It is never stored.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Network {
    /// A network as text: an IPv4 address, or an IPv6 /64.
    Known(String),
    /// A proxy does not say for whom it speaks. Any number of visitors share this, so it cannot be
    /// banned or slowed down like one network.
    Unknown,
}

impl Network {
    /// A known network, as text.
    #[must_use]
    pub fn known(text: impl Into<String>) -> Self {
        Self::Known(text.into())
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network(hidden)")
    }
}

/// The hash of a [`Network`] for one room. It reveals neither the network nor whether the same
/// person is in another room.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NetworkHash(String);

impl NetworkHash {
    const CHARS: usize = 24;

    /// Restores a hash from the store.
    #[must_use]
    pub fn new(raw: impl Into<String>) -> Self {
        Self(raw.into())
    }

    /// The hash, to put into the store: 24 characters of base 32.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The key for hashing networks.
#[derive(Clone)]
pub struct NetworkKey(Arc<[u8]>);

impl NetworkKey {
    /// Derives the key from the server's secret.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self(secret.into())
    }

    /// HMAC-SHA-256 (RFC 2104) under the secret, salted with the room, cut to 120 bits. The secret
    /// prevents recovering a network by hashing all IPv4 addresses. `None` for an unknown network.
    #[must_use]
    pub fn hash(&self, room: &RoomId, network: &Network) -> Option<NetworkHash> {
        let Network::Known(network) = network else { return None };
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any key length");
        mac.update(b"huechat network ");
        mac.update(room.as_str().as_bytes());
        mac.update(b" ");
        mac.update(network.as_bytes());
        let mut hash = BASE32_NOPAD.encode(&mac.finalize().into_bytes()).to_ascii_lowercase();
        hash.truncate(NetworkHash::CHARS);
        Some(NetworkHash(hash))
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
        let (here, there) = (Network::known("192.0.2.1"), Network::known("192.0.2.2"));
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
        assert_eq!(hash.unwrap().as_str().len(), NetworkHash::CHARS);
        assert_eq!(key.hash(&tea, &Network::Unknown), None);
    }

    #[test]
    fn neither_network_nor_key_shows_itself_when_debugged() {
        let shown = format!("{:?} {:?}", Network::known("192.0.2.1"), NetworkKey::new(b"secret"));
        assert_eq!(shown, "Network(hidden) NetworkKey(hidden)");
    }
}
