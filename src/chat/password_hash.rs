//! Argon2id, which hashes the passwords of rooms.

use std::cell::RefCell;

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        self, Output, ParamsString, PasswordHash as Phc, Salt, SaltString, rand_core::OsRng,
    },
};

use crate::domain::{Password, PasswordHash};

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

impl Password {
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
        let digest =
            digest(self.reveal(), salt.as_salt(), &argon).expect("a salt of its own making");
        let phc = Phc {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params,
            salt: Some(salt.as_salt()),
            hash: Some(digest),
        };
        PasswordHash::new(phc.to_string())
    }

    /// Whether `hash` was made from this password. Takes as long as [`Self::hash`], right or wrong.
    #[must_use]
    pub fn opens(&self, hash: &PasswordHash) -> bool {
        self.matches_hash(hash).unwrap_or(false) // A malformed hash matches no password.
    }

    fn matches_hash(&self, hash: &PasswordHash) -> password_hash::Result<bool> {
        let phc = Phc::new(hash.as_str())?;
        let algorithm = Algorithm::try_from(phc.algorithm)?;
        let version = phc.version.map(Version::try_from).transpose()?.unwrap_or_default();
        let argon = Argon2::new(algorithm, version, Params::try_from(&phc)?);
        let salt = phc.salt.ok_or(password_hash::Error::PhcStringField)?;
        let expected = phc.hash.ok_or(password_hash::Error::PhcStringField)?;
        Ok(digest(self.reveal(), salt, &argon)? == expected) // Outputs are compared in constant time.
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
}
