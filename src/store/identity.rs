//! What is kept of who somebody is: by hashes alone.

use crate::domain::{BotLabel, Timestamp, TokenHash, TokenId};

/// A session as it is kept: by a hash of its id, never by the id.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRow {
    /// SHA-256 of the session's id, in lower-case hexadecimal.
    pub key: String,
    /// What it remembers.
    pub data: serde_json::Map<String, serde_json::Value>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A token of a bot as it is kept: by a hash, never by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// What its maker's list names it by.
    pub id: TokenId,
    /// What it is found by.
    pub hash: TokenHash,
    /// The key of the session that made it, and with which it ends.
    pub session: String,
    /// What its maker calls it.
    pub label: BotLabel,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}
