//! Bot tokens.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::rows;
use crate::{
    domain::{Timestamp, TokenHash, TokenId},
    store::TokenRow,
};

pub(super) fn create(db: &Connection, token: &TokenRow, at_most: usize) -> rusqlite::Result<bool> {
    let there: usize = db
        .prepare_cached("SELECT count(*) FROM tokens WHERE session = ? AND expires_at > ?")?
        .query_row(params![token.session, token.created_at.as_millis()], |row| row.get(0))?;
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
}

pub(super) fn find(
    db: &Connection,
    hash: &TokenHash,
    now: Timestamp,
) -> rusqlite::Result<Option<TokenRow>> {
    db.prepare_cached("SELECT * FROM tokens WHERE hash = ? AND expires_at > ?")?
        .query_row(params![hash.as_str(), now.as_millis()], token)
        .optional()
}

pub(super) fn of_session(
    db: &Connection,
    session: &str,
    now: Timestamp,
) -> rusqlite::Result<Vec<TokenRow>> {
    db.prepare_cached(
        "SELECT * FROM tokens WHERE session = ? AND expires_at > ? ORDER BY created_at, id",
    )?
    .query_map(params![session, now.as_millis()], token)?
    .collect()
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

pub(super) fn ended(
    db: &Connection,
    ids: Vec<TokenId>,
    now: Timestamp,
) -> rusqlite::Result<Vec<TokenId>> {
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
