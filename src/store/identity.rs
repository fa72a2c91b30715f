//! Identity records: sessions and bot tokens, stored by hash only.

use crate::domain::{BotLabel, Timestamp, TokenHash, TokenId};

/// A stored session. The store holds a hash of the session id, never the id.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRow {
    /// SHA-256 of the session's id, in lower-case hexadecimal.
    pub key: String,
    /// The session's values by name.
    pub data: serde_json::Map<String, serde_json::Value>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A stored bot token. The store holds a hash of the token, never the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// The id that the token list shows.
    pub id: TokenId,
    /// The hash that a presented token is looked up by.
    pub hash: TokenHash,
    /// The key of the session that created the token; the token ends with that session.
    pub session: String,
    /// The label that its creator chose.
    pub label: BotLabel,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}
