//! A room's password and its hash.

use std::fmt;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

/// The reason for refusing a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// Longer than [`Password::MAX_CHARS`].
    #[error("a password has at most {} characters", Password::MAX_CHARS)]
    TooLong,
}

/// A password in plain text. It is hashed or compared, and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Largest length, in Unicode scalar values.
    pub const MAX_CHARS: usize = 128;

    /// `None` for an empty text: no password.
    ///
    /// # Errors
    /// When it has more than 128 characters.
    pub fn parse(raw: &str) -> Result<Option<Self>, InvalidPassword> {
        match raw.chars().count() {
            0 => Ok(None),
            n if n > Self::MAX_CHARS => Err(InvalidPassword::TooLong),
            _ => Ok(Some(Self(raw.to_owned()))),
        }
    }

    /// The password itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

/// An Argon2id hash in the PHC string format. It never leaves the server.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Restores a hash from the store.
    #[must_use]
    pub fn new(phc: impl Into<String>) -> Self {
        Self(phc.into())
    }

    /// The PHC string, to put into the store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A short digest of this hash, which a session stores as its pass. Setting a password again,
    /// even the same one, changes the stamp.
    #[must_use]
    pub fn stamp(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(self.0.as_bytes())[..8])
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_is_none_and_129_characters_are_too_many() {
        assert_eq!(Password::parse(""), Ok(None));
        assert!(Password::parse(&"é".repeat(128)).is_ok());
        assert_eq!(Password::parse(&"é".repeat(129)), Err(InvalidPassword::TooLong));
    }

    #[test]
    fn password_and_hash_are_hidden_in_debug_output() {
        let password = Password::parse("sesame").unwrap().unwrap();
        let shown = format!("{password:?} {:?}", PasswordHash::new("$argon2id$"));
        assert_eq!(shown, "Password(hidden) PasswordHash(hidden)");
    }
}
