//! Bot tokens.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{SqliteStore, rows};
use crate::{
    domain::{Timestamp, TokenHash, TokenId},
    store::{Result, TokenRow, TokenStore},
};

#[async_trait]
impl TokenStore for SqliteStore {
    async fn create_token(&self, token: TokenRow, at_most: usize) -> Result<bool> {
        self.write(move |db| {
            let there: usize = db
                .prepare_cached("SELECT count(*) FROM tokens WHERE session = ? AND expires_at > ?")?
                .query_row(params![token.session, token.created_at.as_millis()], |row| {
                    row.get(0)
                })?;
            if there >= at_most {
                return Ok(false);
            }
            db.prepare_cached(
                "INSERT INTO tokens (id, hash, session, label, created_at, expires_at)
                 VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                token.id.as_str(),
                token.hash.as_str(),
                token.session,
                token.label.as_str(),
                token.created_at.as_millis(),
                token.expires_at.as_millis(),
            ])?;
            Ok(true)
        })
        .await
    }

    async fn token(&self, hash: &TokenHash, now: Timestamp) -> Result<Option<TokenRow>> {
        let hash = hash.clone();
        self.read(move |db| {
            db.prepare_cached("SELECT * FROM tokens WHERE hash = ? AND expires_at > ?")?
                .query_row(params![hash.as_str(), now.as_millis()], token)
                .optional()
        })
        .await
    }

    async fn tokens(&self, session: &str, now: Timestamp) -> Result<Vec<TokenRow>> {
        let session = session.to_owned();
        self.read(move |db| {
            db.prepare_cached(
                "SELECT * FROM tokens WHERE session = ? AND expires_at > ? ORDER BY created_at, id",
            )?
            .query_map(params![session, now.as_millis()], token)?
            .collect()
        })
        .await
    }

    async fn ended_tokens(&self, ids: Vec<TokenId>, now: Timestamp) -> Result<Vec<TokenId>> {
        self.read(move |db| {
            // One transaction takes the read lock once for all lookups.
            let reading = db.unchecked_transaction()?;
            let mut living =
                reading.prepare_cached("SELECT 1 FROM tokens WHERE id = ? AND expires_at > ?")?;
            let mut ended = Vec::new();
            for id in ids {
                if !living.exists(params![id.as_str(), now.as_millis()])? {
                    ended.push(id);
                }
            }
            Ok(ended)
        })
        .await
    }

    async fn delete_tokens(&self, session: &str, only: Option<&TokenId>) -> Result<usize> {
        let (session, only) = (session.to_owned(), only.cloned());
        self.write(move |db| delete(db, &session, only.as_ref())).await
    }
}

fn token(row: &Row<'_>) -> rusqlite::Result<TokenRow> {
    Ok(TokenRow {
        id: rows::token_id(row)?,
        hash: rows::token_hash(row)?,
        session: row.get("session")?,
        label: rows::label(row)?,
        created_at: rows::timestamp(row, "created_at")?,
        expires_at: rows::timestamp(row, "expires_at")?,
    })
}

pub(super) fn delete(
    db: &Connection,
    session: &str,
    only: Option<&TokenId>,
) -> rusqlite::Result<usize> {
    db.prepare_cached("DELETE FROM tokens WHERE session = ?1 AND (?2 IS NULL OR id = ?2)")?
        .execute(params![session, only.map(TokenId::as_str)])
}

pub(super) fn delete_expired(db: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM tokens WHERE expires_at <= ?")?.execute([now.as_millis()])?;
    Ok(())
}
