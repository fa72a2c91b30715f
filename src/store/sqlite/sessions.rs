//! Sessions, and node heartbeats.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use super::tokens;
use crate::{
    domain::{NodeId, Timestamp},
    store::SessionRow,
};

fn data(session: &SessionRow) -> rusqlite::Result<String> {
    serde_json::to_string(&session.data)
        .map_err(|cause| rusqlite::Error::ToSqlConversionFailure(Box::new(cause)))
}

pub(super) fn create(db: &Connection, session: &SessionRow) -> rusqlite::Result<bool> {
    let created = db
        .prepare_cached("INSERT OR IGNORE INTO sessions (key, data, expires_at) VALUES (?, ?, ?)")?
        .execute(params![session.key, data(session)?, session.expires_at.as_millis()])?;
    Ok(created > 0)
}

pub(super) fn save(db: &Connection, session: &SessionRow) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO sessions (key, data, expires_at) VALUES (?, ?, ?)")?
        .execute(params![session.key, data(session)?, session.expires_at.as_millis()])?;
    Ok(())
}

pub(super) fn load(
    db: &Connection,
    key: &str,
    now: Timestamp,
) -> rusqlite::Result<Option<SessionRow>> {
    db.prepare_cached("SELECT data, expires_at FROM sessions WHERE key = ? AND expires_at > ?")?
        .query_row(params![key, now.as_millis()], |row| {
            let raw: String = row.get(0)?;
            let data = serde_json::from_str(&raw).map_err(|cause| {
                let kind = rusqlite::types::Type::Text;
                rusqlite::Error::FromSqlConversionFailure(0, kind, Box::new(cause))
            })?;
            let expires_at = Timestamp::from_millis(row.get(1)?);
            Ok(SessionRow { key: key.to_owned(), data, expires_at })
        })
        .optional()
}

pub(super) fn ended(
    db: &Connection,
    keys: Vec<Arc<str>>,
    now: Timestamp,
) -> rusqlite::Result<Vec<Arc<str>>> {
    // One transaction takes the read lock once for all lookups.
    let reading = db.unchecked_transaction()?;
    let mut living =
        reading.prepare_cached("SELECT 1 FROM sessions WHERE key = ? AND expires_at > ?")?;
    let mut ended = Vec::new();
    for key in keys {
        if !living.exists(params![key, now.as_millis()])? {
            ended.push(key);
        }
    }
    Ok(ended)
}

pub(super) fn prolong(db: &Connection, key: &str, until: Timestamp) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE sessions SET expires_at = max(expires_at, ?) WHERE key = ?")?
        .execute(params![until.as_millis(), key])?;
    Ok(())
}

pub(super) fn delete(db: &Connection, key: &str) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM sessions WHERE key = ?")?.execute([key])?;
    tokens::delete(db, key, None)?;
    Ok(())
}

pub(super) fn delete_expired(db: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM sessions WHERE expires_at <= ?")?.execute([now.as_millis()])?;
    tokens::delete_expired(db, now)
}

pub(super) fn heartbeat(db: &Connection, node: &NodeId, at: Timestamp) -> rusqlite::Result<bool> {
    let known = db
        .prepare_cached("UPDATE nodes SET seen_at = :at WHERE id = :node")?
        .execute(named_params! { ":node": node.as_str(), ":at": at.as_millis() })?;
    if known == 0 {
        db.prepare_cached("INSERT INTO nodes (id, seen_at) VALUES (?, ?)")?
            .execute(params![node.as_str(), at.as_millis()])?;
    }
    Ok(known > 0)
}
