//! A room's password and what is kept of it.

use std::{cell::RefCell, fmt};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        self, Output, ParamsString, PasswordHash as Phc, Salt, SaltString, rand_core::OsRng,
    },
};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

/// Why a text is no password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// Longer than [`Password::MAX_CHARS`].
    #[error("a password has at most {} characters", Password::MAX_CHARS)]
    TooLong,
}

thread_local! {
    /// What hashes are made in: 19 MiB. Allocated anew for each, it would stay with the system's allocator ten times over.
    static MEMORY: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

/// What Argon2 makes of a password (RFC 9106).
fn digest(password: &str, salt: Salt<'_>, argon: &Argon2<'_>) -> password_hash::Result<Output> {
    let (mut salt_bytes, mut digest) = ([0; Salt::MAX_LENGTH], [0; Params::DEFAULT_OUTPUT_LEN]);
    let salt = salt.decode_b64(&mut salt_bytes)?;
    MEMORY.with_borrow_mut(|memory| {
        memory.resize(argon.params().block_count(), Block::default());
        argon.hash_password_into_with_memory(password.as_bytes(), salt, &mut digest, memory)
    })?;
    Output::new(&digest)
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

    /// Argon2id with a random salt and the parameters that OWASP recommends, in the PHC string format. Takes some
    /// 30 ms of one core, and 19 MiB that the thread keeps.
    ///
    /// # Panics
    /// Never: the salt and the parameters are ones that Argon2 takes.
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

    /// Whether `hash` was made of this password. Takes as long as [`Self::hash`], and as long for a wrong one.
    #[must_use]
    pub fn opens(&self, hash: &PasswordHash) -> bool {
        self.is_behind(hash).unwrap_or(false) // What is no hash was made of no password.
    }

    fn is_behind(&self, hash: &PasswordHash) -> password_hash::Result<bool> {
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
    fn a_hash_that_another_program_made_opens_and_what_is_none_opens_to_nobody() {
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
    fn neither_shows_itself_when_debugged() {
        let password = Password::parse("sesame").unwrap().unwrap();
        let shown = format!("{password:?} {:?}", password.hash());
        assert_eq!(shown, "Password(hidden) PasswordHash(hidden)");
    }
}
