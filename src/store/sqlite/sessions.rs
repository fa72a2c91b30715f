//! Sessions.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, named_params, params};
use serde_json::{Map, Value};

use super::{SqliteStore, rows, tokens};
use crate::{
    domain::{RoomId, Timestamp},
    store::{Result, SessionRow, SessionStore},
};

#[async_trait]
impl SessionStore for SqliteStore {
    async fn create_session(&self, session: SessionRow) -> Result<bool> {
        self.write(move |db| {
            let created = db
                .prepare_cached(
                    "INSERT OR IGNORE INTO sessions (key, data, expires_at) VALUES (?, ?, ?)",
                )?
                .execute(params![
                    session.key,
                    json(&session.data)?,
                    session.expires_at.as_millis()
                ])?;
            Ok(created > 0)
        })
        .await
    }

    async fn patch_session(
        &self,
        key: &str,
        patch: Map<String, Value>,
        until: Timestamp,
    ) -> Result<()> {
        let key = key.to_owned();
        self.write(move |db| {
            db.prepare_cached(
                "UPDATE sessions SET data = json_patch(data, ?), expires_at = max(expires_at, ?)
                 WHERE key = ?",
            )?
            .execute(params![json(&patch)?, until.as_millis(), key])?;
            Ok(())
        })
        .await
    }

    async fn add_pass(
        &self,
        session: &str,
        room: &RoomId,
        pass: &str,
        at_most: usize,
    ) -> Result<()> {
        let (session, room, pass) = (session.to_owned(), room.clone(), pass.to_owned());
        self.write(move |db| {
            // REPLACE inserts a row with a new, highest `nth`.
            db.prepare_cached(
                "INSERT OR REPLACE INTO passes (session, room, pass)
                 SELECT sessions.key, rooms.id, :pass FROM sessions, rooms
                 WHERE sessions.key = :session AND rooms.id = :room",
            )?
            .execute(named_params! {
                ":session": session, ":room": room.as_str(), ":pass": pass,
            })?;
            db.prepare_cached(
                "DELETE FROM passes WHERE nth IN (SELECT nth FROM passes WHERE session = ?
                     ORDER BY nth DESC LIMIT -1 OFFSET ?)",
            )?
            .execute(params![session, at_most])?;
            Ok(())
        })
        .await
    }

    async fn session(&self, key: &str, now: Timestamp) -> Result<Option<SessionRow>> {
        let key = key.to_owned();
        self.read(move |db| {
            let found = db
                .prepare_cached(
                    "SELECT data, expires_at FROM sessions WHERE key = ? AND expires_at > ?",
                )?
                .query_row(params![key, now.as_millis()], |row| {
                    let raw: String = row.get(0)?;
                    let data = serde_json::from_str(&raw).map_err(|cause| {
                        let kind = rusqlite::types::Type::Text;
                        rusqlite::Error::FromSqlConversionFailure(0, kind, Box::new(cause))
                    })?;
                    let expires_at = Timestamp::from_millis(row.get(1)?);
                    Ok(SessionRow { key: key.clone(), data, passes: Vec::new(), expires_at })
                })
                .optional()?;
            let Some(mut session) = found else { return Ok(None) };
            session.passes = db
                .prepare_cached("SELECT room, pass FROM passes WHERE session = ? ORDER BY nth")?
                .query_map([&session.key], |row| {
                    Ok((rows::room_id(row, "room")?, row.get("pass")?))
                })?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Some(session))
        })
        .await
    }

    async fn ended_sessions(&self, keys: Vec<Arc<str>>, now: Timestamp) -> Result<Vec<Arc<str>>> {
        self.read(move |db| {
            // One transaction takes the read lock once for all lookups.
            let reading = db.unchecked_transaction()?;
            let mut living = reading
                .prepare_cached("SELECT 1 FROM sessions WHERE key = ? AND expires_at > ?")?;
            let mut ended = Vec::new();
            for key in keys {
                if !living.exists(params![key, now.as_millis()])? {
                    ended.push(key);
                }
            }
            Ok(ended)
        })
        .await
    }

    async fn prolong_session(&self, key: &str, until: Timestamp) -> Result<()> {
        let key = key.to_owned();
        self.write(move |db| {
            db.prepare_cached("UPDATE sessions SET expires_at = max(expires_at, ?) WHERE key = ?")?
                .execute(params![until.as_millis(), key])?;
            Ok(())
        })
        .await
    }

    async fn delete_session(&self, key: &str) -> Result<()> {
        let key = key.to_owned();
        self.write(move |db| {
            db.prepare_cached("DELETE FROM sessions WHERE key = ?")?.execute([&key])?;
            tokens::delete(db, &key, None)?;
            Ok(())
        })
        .await
    }

    async fn delete_expired_sessions(&self, now: Timestamp) -> Result<()> {
        self.write(move |db| {
            db.prepare_cached("DELETE FROM sessions WHERE expires_at <= ?")?
                .execute([now.as_millis()])?;
            tokens::delete_expired(db, now)
        })
        .await
    }
}

fn json(values: &Map<String, Value>) -> rusqlite::Result<String> {
    serde_json::to_string(values)
        .map_err(|cause| rusqlite::Error::ToSqlConversionFailure(Box::new(cause)))
}
