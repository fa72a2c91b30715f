//! Trimming of histories that exceed their limit.

use std::collections::HashMap;

use futures_util::TryStreamExt as _;
use mongodb::{
    Collection,
    bson::{Document, doc},
};
use serde::Deserialize;

use super::chat_document::ChatDocument;
use crate::{
    domain::{Body, Gif, RoomId, Seq},
    store::{Result, Trimmed},
};

#[derive(Deserialize)]
struct Numbered {
    seq: Seq,
}

#[derive(Deserialize)]
struct Showing {
    gif: Shown,
}

#[derive(Deserialize)]
struct Shown {
    hash: String,
}

/// If it is interrupted between its steps, the files of unused GIFs stay until the room is removed.
pub(super) async fn trim(
    chats: &Collection<ChatDocument>,
    room: &RoomId,
    up_to: Seq,
    at_most: usize,
) -> Result<Trimmed> {
    let old = doc! { "room": room.as_str(), "seq": { "$lte": up_to } };
    let numbered = chats.clone_with_type::<Numbered>();
    let numbers = numbered
        .find(old)
        .projection(doc! { "_id": 0, "seq": 1 })
        .sort(doc! { "seq": 1 })
        .limit(i64::try_from(at_most).unwrap_or(i64::MAX));
    let numbers: Vec<Numbered> = numbers.await?.try_collect().await?;
    let Some(last) = numbers.last() else {
        return Ok(Trimmed { unused: Vec::new(), more: false });
    };
    let oldest = doc! { "$lte": last.seq };
    let mut unused = gifs(chats, doc! { "room": room.as_str(), "seq": oldest.clone() }).await?;
    chats.delete_many(doc! { "room": room.as_str(), "seq": oldest }).await?;
    if !unused.is_empty() {
        let hashes: Vec<&String> = unused.keys().collect();
        let shown = doc! { "room": room.as_str(), "gif.hash": { "$in": hashes } };
        let showing = chats.clone_with_type::<Showing>();
        let found = showing.find(shown).projection(doc! { "_id": 0, "gif.hash": 1 });
        let shown: Vec<Showing> = found.await?.try_collect().await?;
        for Showing { gif } in shown {
            unused.remove(&gif.hash);
        }
    }
    Ok(Trimmed { unused: unused.into_values().collect(), more: numbers.len() == at_most })
}

/// The GIFs of the matching messages, by hash.
async fn gifs(
    chats: &Collection<ChatDocument>,
    mut which: Document,
) -> Result<HashMap<String, Gif>> {
    which.extend(doc! { "kind": "gif", "gif": { "$exists": true } });
    let showing: Vec<ChatDocument> = chats.find(which).await?.try_collect().await?;
    let mut found = HashMap::new();
    for document in showing {
        if let Body::Gif(gif) = document.message()?.body {
            found.insert(gif.hash.clone(), gif);
        }
    }
    Ok(found)
}
