//! Identity records: sessions and bot tokens, stored by hash only.

use std::sync::Arc;

use async_trait::async_trait;

use super::Result;
use crate::domain::{BotLabel, RoomId, Timestamp, TokenHash, TokenId};

/// A stored session. The store holds a hash of the session id, never the id.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRow {
    /// SHA-256 of the session's id, in lower-case hexadecimal.
    pub key: String,
    /// The session's values by name.
    pub data: serde_json::Map<String, serde_json::Value>,
    /// The room passes of the session, with their rooms, oldest first. [`SessionStore::add_pass`]
    /// writes them.
    pub passes: Vec<(RoomId, String)>,
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

/// Sessions.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Stores a new session, without passes, unless its key is taken; returns whether it did.
    async fn create_session(&self, session: SessionRow) -> Result<bool>;

    /// Applies a JSON merge patch (RFC 7396) to the values of an existing session, which then ends
    /// no earlier than `until`. Two requests that change different values at once both have their
    /// effect. A session that has ended stays ended: a request that began before may finish after.
    /// A value's name contains no dot and begins with no `$`.
    async fn patch_session(
        &self,
        key: &str,
        patch: serde_json::Map<String, serde_json::Value>,
        until: Timestamp,
    ) -> Result<()>;

    /// Adds a pass to an existing session, or replaces the one for the same room; drops the oldest
    /// beyond `at_most`. The pass goes with the room. Does nothing without the session or the room.
    async fn add_pass(
        &self,
        session: &str,
        room: &RoomId,
        pass: &str,
        at_most: usize,
    ) -> Result<()>;

    /// A session that has not expired at `now`.
    async fn session(&self, key: &str, now: Timestamp) -> Result<Option<SessionRow>>;

    /// The keys whose sessions are gone or expired at `now`.
    async fn ended_sessions(&self, keys: Vec<Arc<str>>, now: Timestamp) -> Result<Vec<Arc<str>>>;

    /// Extends an existing session to expire no earlier than `until`.
    async fn prolong_session(&self, key: &str, until: Timestamp) -> Result<()>;

    /// Deletes a session and the tokens it created.
    async fn delete_session(&self, key: &str) -> Result<()>;

    /// Removes sessions and tokens that have expired at `now`.
    async fn delete_expired_sessions(&self, now: Timestamp) -> Result<()>;
}

/// Bot tokens.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// Stores a new token unless its session has `at_most` unexpired ones; says whether. Each node
    /// may exceed that by one.
    async fn create_token(&self, token: TokenRow, at_most: usize) -> Result<bool>;

    /// A token that has not expired at `now`.
    async fn token(&self, hash: &TokenHash, now: Timestamp) -> Result<Option<TokenRow>>;

    /// The unexpired tokens of a session at `now`, oldest first.
    async fn tokens(&self, session: &str, now: Timestamp) -> Result<Vec<TokenRow>>;

    /// The tokens that are gone or expired at `now`.
    async fn ended_tokens(&self, ids: Vec<TokenId>, now: Timestamp) -> Result<Vec<TokenId>>;

    /// Deletes one token of a session, or all of them; returns how many.
    async fn delete_tokens(&self, session: &str, only: Option<&TokenId>) -> Result<usize>;
}
