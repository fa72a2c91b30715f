//! A room's password and what is kept of it.

use std::fmt;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

/// Why a text is no password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// Longer than [`Password::MAX_CHARS`].
    #[error("a password has at most {} characters", Password::MAX_CHARS)]
    TooLong,
}

/// What somebody typed. It is hashed or compared, and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The longest, in Unicode scalar values.
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

    /// Argon2id with a random salt, in the PHC string format. Takes some 30 ms of one core.
    #[must_use]
    pub fn hash(&self) -> PasswordHash {
        PasswordHash(password_auth::generate_hash(&self.0))
    }

    /// Whether `hash` was made of this password. Takes as long as [`Self::hash`].
    #[must_use]
    pub fn opens(&self, hash: &PasswordHash) -> bool {
        password_auth::verify_password(&self.0, &hash.0).is_ok()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

/// What is kept of a password: an Argon2id hash in the PHC string format. It never leaves the store.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a hash that a store kept.
    #[must_use]
    pub fn new(phc: impl Into<String>) -> Self {
        Self(phc.into())
    }

    /// The PHC string, for a store to keep.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A short mark of this very hash: what a session remembers of having passed it. Another
    /// password, or the same one set again, has another stamp.
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
    fn only_the_right_password_opens() {
        let password = Password::parse("sesame").unwrap().unwrap();
        let hash = password.hash();
        assert!(hash.as_str().starts_with("$argon2id$"));
        assert!(password.opens(&hash));
        assert!(!Password::parse("Sesame").unwrap().unwrap().opens(&hash));
    }

    #[test]
    fn empty_is_none_and_129_characters_are_too_many() {
        assert_eq!(Password::parse(""), Ok(None));
        assert!(Password::parse(&"é".repeat(128)).is_ok());
        assert_eq!(Password::parse(&"é".repeat(129)), Err(InvalidPassword::TooLong));
    }

    #[test]
    fn neither_shows_itself_when_debugged() {
        let password = Password::parse("sesame").unwrap().unwrap();
        let shown = format!("{password:?} {:?}", password.hash());
        assert_eq!(shown, "Password(hidden) PasswordHash(hidden)");
    }
}
