//! Node heartbeats, and cleaning up after dead nodes.

use async_trait::async_trait;
use rusqlite::{Connection, named_params, params};

use super::{SqliteStore, rows};
use crate::{
    domain::{NodeId, StoreId, Timestamp},
    store::{NodeStore, Result},
};

#[async_trait]
impl NodeStore for SqliteStore {
    async fn prepare(&self) -> Result<StoreId> {
        self.write(|db| {
            db.execute(
                "INSERT INTO store (id) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM store)",
                [StoreId::random().as_str()],
            )?;
            db.query_row("SELECT id FROM store", [], rows::store_id)
        })
        .await
    }

    async fn heartbeat(&self, node: &NodeId, at: Timestamp) -> Result<bool> {
        let node = node.clone();
        self.write(move |db| {
            let known = db
                .prepare_cached("UPDATE nodes SET seen_at = :at WHERE id = :node")?
                .execute(named_params! { ":node": node.as_str(), ":at": at.as_millis() })?;
            if known == 0 {
                db.prepare_cached("INSERT INTO nodes (id, seen_at) VALUES (?, ?)")?
                    .execute(params![node.as_str(), at.as_millis()])?;
            }
            Ok(known > 0)
        })
        .await
    }

    async fn reap_dead_nodes(
        &self,
        alive: &NodeId,
        seen_before: Timestamp,
        at: Timestamp,
    ) -> Result<()> {
        let alive = alive.clone();
        self.write(move |db| {
            db.execute(
                "DELETE FROM nodes WHERE id <> ? AND seen_at <= ?",
                params![alive.as_str(), seen_before.as_millis()],
            )?;
            db.execute(
                "DELETE FROM sockets WHERE node <> ? AND node NOT IN (SELECT id FROM nodes)",
                [alive.as_str()],
            )?;
            leave_socketless_seats(db, at)
        })
        .await
    }

    async fn clamp_times(&self, latest: Timestamp, now: Timestamp) -> Result<()> {
        self.write(move |db| {
            for step in [
                "UPDATE seats SET left_at = :now WHERE left_at > :latest",
                "UPDATE rooms SET empty_since = :now WHERE empty_since > :latest",
                "UPDATE nodes SET seen_at = :now WHERE seen_at > :latest",
            ] {
                let times =
                    named_params! { ":now": now.as_millis(), ":latest": latest.as_millis() };
                db.prepare_cached(step)?.execute(times)?;
            }
            Ok(())
        })
        .await
    }

    async fn retire(&self, node: &NodeId, at: Timestamp) -> Result<()> {
        let node = node.clone();
        self.write(move |db| {
            db.execute("DELETE FROM nodes WHERE id = ?", [node.as_str()])?;
            db.execute("DELETE FROM sockets WHERE node = ?", [node.as_str()])?;
            leave_socketless_seats(db, at)
        })
        .await?;
        self.writer.erase_log_now().await;
        Ok(())
    }

    async fn ready(&self) -> Result<()> {
        self.write(|db| db.query_row("SELECT 1", [], |_| Ok(()))).await
    }
}

fn leave_socketless_seats(db: &Connection, at: Timestamp) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE seats SET left_at = ? WHERE left_at IS NULL AND NOT EXISTS
            (SELECT 1 FROM sockets WHERE sockets.room = seats.room AND sockets.person = seats.person)",
        [at.as_millis()],
    )?;
    Ok(())
}
