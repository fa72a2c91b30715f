//! Node heartbeats, and cleaning up after dead nodes.

use futures_util::TryStreamExt as _;
use mongodb::{
    Collection,
    bson::{DateTime, doc},
};
use serde::{Deserialize, Serialize};

use super::{
    room_document::{RoomDocument, date},
    rooms::Named,
};
use crate::{
    domain::{NodeId, Timestamp},
    store::Result,
};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NodeDocument {
    #[serde(rename = "_id")]
    id: String,
    seen_at: DateTime,
}

pub(super) async fn heartbeat(
    nodes: &Collection<NodeDocument>,
    node: &NodeId,
    at: Timestamp,
) -> Result<bool> {
    let beat = NodeDocument { id: node.as_str().to_owned(), seen_at: date(at) };
    let replaced = nodes.replace_one(doc! { "_id": &beat.id }, &beat).upsert(true).await?;
    Ok(replaced.matched_count > 0)
}

/// Every step is idempotent, may be interrupted, and may run on several nodes at once. A node sends
/// a heartbeat before it takes its first connection; reading the holders before the rows therefore
/// never reaps a node that has just started.
pub(super) async fn reap(
    rooms: &Collection<RoomDocument>,
    nodes: &Collection<NodeDocument>,
    alive: &NodeId,
    seen_before: Timestamp,
    at: Timestamp,
) -> Result<()> {
    let silent = doc! { "_id": { "$ne": alive.as_str() }, "seenAt": { "$lte": date(seen_before) } };
    nodes.delete_many(silent).await?;
    let mut dead = holders(rooms).await?;
    let living: Vec<NodeDocument> = nodes.find(doc! {}).await?.try_collect().await?;
    dead.retain(|node| node != alive.as_str() && living.iter().all(|row| row.id != *node));
    free(rooms, &dead, at).await
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

pub(super) async fn retire(
    rooms: &Collection<RoomDocument>,
    nodes: &Collection<NodeDocument>,
    node: &NodeId,
    at: Timestamp,
) -> Result<()> {
    nodes.delete_one(doc! { "_id": node.as_str() }).await?;
    free(rooms, &[node.as_str().to_owned()], at).await
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
