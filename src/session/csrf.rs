//! CSRF tokens of forms.
//!
//! A token is a salt and its HMAC-SHA-256 under the session's id, which only the visitor's browser
//! and this server know. Each page has its own salt: a constant secret in compressed pages can be
//! guessed from their size (Gluck, Harris and Prado, "BREACH", 2013).

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tower_sessions::session::Id;

use super::{Session, Visitor};

const SALT_BYTES: usize = 16;

impl Visitor {
    /// A token for this visitor's forms: 64 characters of `[A-Za-z0-9_-]`.
    #[must_use]
    pub fn form_token(&self) -> String {
        let Some(id) = self.session.id() else { return String::new() }; // Never valid.
        let mut token = rand::random::<[u8; SALT_BYTES]>().to_vec();
        let mark = mac(id, &token).finalize().into_bytes();
        token.extend(mark);
        BASE64URL_NOPAD.encode(&token)
    }
}

/// Whether the token was issued to this session.
#[must_use]
pub fn is_form_of(session: &Session, token: &str) -> bool {
    let Ok(token) = BASE64URL_NOPAD.decode(token.as_bytes()) else { return false };
    let Some((salt, mark)) = token.split_at_checked(SALT_BYTES) else { return false };
    session.id().is_some_and(|id| mac(id, salt).verify_slice(mark).is_ok())
}

fn mac(id: Id, salt: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(&id.0.to_be_bytes()).expect("any key length");
    mac.update(b"form");
    mac.update(salt);
    mac
}
