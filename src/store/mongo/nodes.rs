//! Node heartbeats, and cleaning up after dead nodes.

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use mongodb::{
    Collection,
    bson::{DateTime, doc},
};
use serde::{Deserialize, Serialize};

use super::{
    MongoStore,
    connection::with_deadline,
    room_document::{RoomDocument, date, parsed},
    rooms::Named,
    schema,
};
use crate::{
    domain::{NodeId, StoreId, Timestamp},
    store::{NodeStore, Result},
};

#[async_trait]
impl NodeStore for MongoStore {
    async fn prepare(&self) -> Result<StoreId> {
        // Fails in time when no server answers; the schema has no deadline.
        self.ready().await?;
        schema::apply(&self.database).await?;
        with_deadline(async {
            // Several servers may do so at once: the first one's id stays.
            let drawn = doc! { "$setOnInsert": {
                "id": StoreId::random().as_str(), "createdAt": date(Timestamp::now()),
            } };
            self.store.update_one(doc! { "_id": STORE }, drawn).upsert(true).await?;
            let found = self.store.find_one(doc! { "_id": STORE }).await?;
            let id = found.map(|store| store.id).unwrap_or_default();
            parsed(&id, "store id", StoreId::parse(&id).ok())
        })
        .await
    }

    async fn heartbeat(&self, node: &NodeId, at: Timestamp) -> Result<bool> {
        with_deadline(async {
            let beat = NodeDocument { id: node.as_str().to_owned(), seen_at: date(at) };
            let replaced =
                self.nodes.replace_one(doc! { "_id": &beat.id }, &beat).upsert(true).await?;
            Ok(replaced.matched_count > 0)
        })
        .await
    }

    /// Every step is idempotent, may be interrupted, and may run on several nodes at once. A node sends
    /// a heartbeat before it takes its first connection; reading the holders before the rows therefore
    /// never reaps a node that has just started.
    async fn reap_dead_nodes(
        &self,
        alive: &NodeId,
        seen_before: Timestamp,
        at: Timestamp,
    ) -> Result<()> {
        with_deadline(async {
            let silent =
                doc! { "_id": { "$ne": alive.as_str() }, "seenAt": { "$lte": date(seen_before) } };
            self.nodes.delete_many(silent).await?;
            let mut dead = holders(&self.rooms).await?;
            let living: Vec<NodeDocument> = self.nodes.find(doc! {}).await?.try_collect().await?;
            dead.retain(|node| node != alive.as_str() && living.iter().all(|row| row.id != *node));
            free(&self.rooms, &dead, at).await
        })
        .await
    }

    async fn clamp_times(&self, latest: Timestamp, now: Timestamp) -> Result<()> {
        with_deadline(async {
            let (late, now) = (doc! { "$gt": date(latest) }, date(now));
            let away = doc! { "people.leftAt": late.clone() };
            let left = doc! { "$set": { "people.$[late].leftAt": now } };
            let filter = doc! { "late.leftAt": late.clone() };
            self.rooms.update_many(away, left).array_filters([filter]).await?;
            let waiting = doc! { "emptySince": late.clone() };
            self.rooms.update_many(waiting, doc! { "$set": { "emptySince": now } }).await?;
            self.nodes
                .update_many(doc! { "seenAt": late }, doc! { "$set": { "seenAt": now } })
                .await?;
            Ok(())
        })
        .await
    }

    async fn retire(&self, node: &NodeId, at: Timestamp) -> Result<()> {
        with_deadline(async {
            self.nodes.delete_one(doc! { "_id": node.as_str() }).await?;
            free(&self.rooms, &[node.as_str().to_owned()], at).await
        })
        .await
    }

    /// Pings the primary: a replica set without one accepts no writes, and is not ready.
    async fn ready(&self) -> Result<()> {
        with_deadline(async {
            self.database.run_command(doc! { "ping": 1 }).await?;
            Ok(())
        })
        .await
    }
}

/// The key of the only document of `store`.
const STORE: &str = "store";

#[derive(Debug, Deserialize)]
pub(super) struct StoreDocument {
    id: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NodeDocument {
    #[serde(rename = "_id")]
    id: String,
    seen_at: DateTime,
}

/// The nodes that hold a connection in any room.
async fn holders(rooms: &Collection<RoomDocument>) -> Result<Vec<String>> {
    let pipeline = [
        doc! { "$unwind": "$people" },
        doc! { "$unwind": "$people.sockets" },
        doc! { "$group": { "_id": "$people.sockets.node" } },
    ];
    let found: Vec<Named> = rooms.aggregate(pipeline).with_type().await?.try_collect().await?;
    Ok(found.into_iter().map(|node| node.id).collect())
}

/// Removes the connections of dead nodes from all seats. People without other connections are away.
async fn free(rooms: &Collection<RoomDocument>, dead: &[String], at: Timestamp) -> Result<()> {
    if dead.is_empty() {
        return Ok(());
    }
    let held = doc! { "people.sockets.node": { "$in": dead } };
    let update = doc! {
        "$set": { "people.$[gone].leftAt": date(at) },
        "$pull": { "people.$[].sockets": { "node": { "$in": dead } } },
    };
    let gone = doc! {
        "gone.sockets.node": { "$in": dead },
        "gone.sockets": { "$not": { "$elemMatch": { "node": { "$nin": dead } } } },
    };
    rooms.update_many(held, update).array_filters([gone]).await?;
    Ok(())
}
