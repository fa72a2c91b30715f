//! A room's password and its hash.

use std::{cell::RefCell, fmt};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        self, Output, ParamsString, PasswordHash as Phc, Salt, SaltString, rand_core::OsRng,
    },
};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

/// The reason for refusing a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// Longer than [`Password::MAX_CHARS`].
    #[error("a password has at most {} characters", Password::MAX_CHARS)]
    TooLong,
}

thread_local! {
    /// Working memory of Argon2, 19 MiB. Reused, because the allocator would otherwise retain many
    /// such blocks.
    static MEMORY: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

/// The Argon2 digest of a password (RFC 9106).
fn digest(password: &str, salt: Salt<'_>, argon: &Argon2<'_>) -> password_hash::Result<Output> {
    let (mut salt_bytes, mut digest) = ([0; Salt::MAX_LENGTH], [0; Params::DEFAULT_OUTPUT_LEN]);
    let salt = salt.decode_b64(&mut salt_bytes)?;
    MEMORY.with_borrow_mut(|memory| {
        memory.resize(argon.params().block_count(), Block::default());
        argon.hash_password_into_with_memory(password.as_bytes(), salt, &mut digest, memory)
    })?;
    Output::new(&digest)
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

    /// Argon2id with a random salt and the parameters that OWASP recommends, in the PHC string
    /// format. Takes about 30 ms of one core, and 19 MiB that the thread keeps.
    ///
    /// # Panics
    /// Never: the salt and the parameters are valid for Argon2.
    #[must_use]
    #[expect(clippy::expect_used, reason = "nothing that comes from outside can make them fail")]
    pub fn hash(&self) -> PasswordHash {
        let (salt, argon) = (SaltString::generate(OsRng), Argon2::default());
        let params = ParamsString::try_from(argon.params()).expect("the default parameters");
        let digest = digest(&self.0, salt.as_salt(), &argon).expect("a salt of its own making");
        let phc = Phc {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params,
            salt: Some(salt.as_salt()),
            hash: Some(digest),
        };
        PasswordHash(phc.to_string())
    }

    /// Whether `hash` was made from this password. Takes as long as [`Self::hash`], right or wrong.
    #[must_use]
    pub fn opens(&self, hash: &PasswordHash) -> bool {
        self.matches_hash(hash).unwrap_or(false) // A malformed hash matches no password.
    }

    fn matches_hash(&self, hash: &PasswordHash) -> password_hash::Result<bool> {
        let phc = Phc::new(&hash.0)?;
        let algorithm = Algorithm::try_from(phc.algorithm)?;
        let version = phc.version.map(Version::try_from).transpose()?.unwrap_or_default();
        let argon = Argon2::new(algorithm, version, Params::try_from(&phc)?);
        let salt = phc.salt.ok_or(password_hash::Error::PhcStringField)?;
        let expected = phc.hash.ok_or(password_hash::Error::PhcStringField)?;
        Ok(digest(&self.0, salt, &argon)? == expected) // Outputs are compared in constant time.
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
    fn only_the_right_password_opens() {
        let password = Password::parse("sesame").unwrap().unwrap();
        let hash = password.hash();
        assert!(hash.as_str().starts_with("$argon2id$"));
        assert!(password.opens(&hash));
        assert!(!Password::parse("Sesame").unwrap().unwrap().opens(&hash));
    }

    #[test]
    fn a_hash_of_another_program_verifies_and_a_malformed_hash_never_does() {
        let password = Password::parse("sesame").unwrap().unwrap();
        let made_elsewhere = "$argon2id$v=19$m=19456,t=2,p=1$v3Jl5+IojgMqtKBnMIUZtQ$nGiFCLihjkiC0bjxkXkIRrDcuXvzyZSm8C77U48MzUA";
        assert!(password.opens(&PasswordHash::new(made_elsewhere)));
        for broken in
            ["", "sesame", "$argon2id$v=19$m=19456,t=2,p=1", "$argon2id$v=19$m=1,t=0,p=9$YWJj$YWJj"]
        {
            assert!(!password.opens(&PasswordHash::new(broken)), "{broken}");
        }
    }

    #[test]
    fn empty_is_none_and_129_characters_are_too_many() {
        assert_eq!(Password::parse(""), Ok(None));
        assert!(Password::parse(&"é".repeat(128)).is_ok());
        assert_eq!(Password::parse(&"é".repeat(129)), Err(InvalidPassword::TooLong));
    }

    #[test]
    fn password_and_hash_are_hidden_in_debug_output() {
        let password = Password::parse("sesame").unwrap().unwrap();
        let shown = format!("{password:?} {:?}", password.hash());
        assert_eq!(shown, "Password(hidden) PasswordHash(hidden)");
    }
}
