//! Creating, listing, reading and removing rooms.

use std::collections::HashMap;

use futures_util::TryStreamExt as _;
use mongodb::{
    Collection,
    bson::{Document, doc},
};
use serde::Deserialize;

use super::room_document::{RoomDocument, SummaryDocument, date, room_id};
use crate::{
    domain::{PersonId, Room, RoomId, RoomSummary, RoomTitle, Timestamp},
    store::{Closing, LobbyPage, LobbyQuery, NewRoom, Result},
};

/// A document projected to its id.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    #[serde(rename = "_id")]
    pub id: String,
}

pub(super) async fn open(
    rooms: &Collection<RoomDocument>,
    room: &NewRoom,
    at_most: usize,
) -> Result<bool> {
    let there = rooms.count_documents(doc! {}).await?;
    if usize::try_from(there).is_ok_and(|there| there < at_most) {
        rooms.insert_one(RoomDocument::from(room)).await?;
        return Ok(true);
    }
    Ok(false)
}

pub(super) async fn room(rooms: &Collection<RoomDocument>, id: &RoomId) -> Result<Option<Room>> {
    let found = rooms.find_one(doc! { "_id": id.as_str() }).await?;
    found.map(RoomDocument::room).transpose()
}

/// The rooms with these ids, in the order of the ids.
pub(super) async fn several(
    rooms: Collection<RoomDocument>,
    ids: Vec<RoomId>,
) -> Result<Vec<Option<RoomDocument>>> {
    let names: Vec<&str> = ids.iter().map(RoomId::as_str).collect();
    let found = rooms.find(doc! { "_id": { "$in": names } }).await?;
    let found = found.map_ok(|room| (room.id.clone(), room));
    let found: HashMap<String, RoomDocument> = found.try_collect().await?;
    Ok(ids.iter().map(|id| found.get(id.as_str()).cloned()).collect()) // Ids may repeat.
}

pub(super) async fn of(rooms: &Collection<RoomDocument>, person: &PersonId) -> Result<Vec<Room>> {
    let found = rooms.find(doc! { "people.id": person.as_str() }).sort(doc! { "_id": 1 }).await?;
    let found: Vec<RoomDocument> = found.try_collect().await?;
    found.into_iter().map(RoomDocument::room).collect()
}

/// The result of the lobby's aggregation: a page, and the total.
#[derive(Debug, Deserialize)]
struct Found {
    page: Vec<SummaryDocument>,
    total: Vec<Total>,
}

#[derive(Debug, Deserialize)]
struct Total {
    rooms: usize,
}

pub(super) async fn lobby(
    rooms: &Collection<RoomDocument>,
    query: &LobbyQuery,
) -> Result<LobbyPage> {
    let mut page = LobbyPage { rooms: Vec::new(), total: 0 };
    if query.search.chars().count() > RoomTitle::MAX_CHARS {
        return Ok(page); // No title is that long, and servers reject very long expressions.
    }
    let pipeline = [
        doc! { "$match": { "title": { "$regex": literally(&query.search), "$options": "i" } } },
        summary(),
        doc! { "$sort": { "count": -1, "createdAt": -1, "_id": 1 } },
        doc! { "$facet": {
            "page": [
                { "$skip": amount(query.skip) },
                { "$limit": amount(query.limit).max(1) }, // MongoDB treats 0 as no limit.
                first_colors(),
            ],
            "total": [{ "$count": "rooms" }],
        } },
    ];
    let mut answer = rooms.aggregate(pipeline).with_type::<Found>().await?;
    if let Some(found) = answer.try_next().await? {
        let shown = found.page.into_iter().take(query.limit);
        page.rooms = shown.map(SummaryDocument::summary).collect::<Result<_>>()?;
        page.total = found.total.first().map_or(0, |total| total.rooms);
    }
    Ok(page)
}

/// A regular expression that matches the text literally: ASCII punctuation is escaped by code.
fn literally(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || !c.is_ascii();
    text.chars()
        .map(|c| if plain(c) { c.to_string() } else { format!("\\x{:02x}", u32::from(c)) })
        .collect()
}

/// A count as a pipeline takes it; no store holds more rooms than this.
fn amount(n: usize) -> i64 {
    u32::try_from(n).unwrap_or(u32::MAX).into()
}

/// Projects a room to the fields that the lobby shows. Password hashes stay in the store.
fn summary() -> Document {
    doc! { "$project": {
        "title": 1, "max": 1, "owner": 1, "locked": 1, "createdAt": 1, "people.color": 1,
        "count": { "$size": "$people" },
        "hasPassword": { "$gt": ["$password", null] },
    } }
}

fn first_colors() -> Document {
    doc! { "$set": { "people": { "$slice": ["$people", amount(RoomSummary::MAX_COLORS)] } } }
}

pub(super) async fn summaries(
    rooms: &Collection<RoomDocument>,
    ids: &[RoomId],
) -> Result<Vec<RoomSummary>> {
    let ids: Vec<&str> = ids.iter().map(RoomId::as_str).collect();
    let pipeline = [doc! { "$match": { "_id": { "$in": ids } } }, summary(), first_colors()];
    let found: Vec<SummaryDocument> =
        rooms.aggregate(pipeline).with_type().await?.try_collect().await?;
    found.into_iter().map(SummaryDocument::summary).collect()
}

pub(super) async fn close(
    rooms: &Collection<RoomDocument>,
    room: &RoomId,
    closing: Closing,
) -> Result<bool> {
    let mut which = doc! { "_id": room.as_str() };
    match closing {
        Closing::Always => {}
        Closing::IfUnusedSince(at) => {
            which.insert("emptySince", doc! { "$lte": date(at) });
        }
    }
    Ok(rooms.delete_one(which).await?.deleted_count > 0)
}

pub(super) async fn overdue(
    rooms: &Collection<RoomDocument>,
    away_since: Timestamp,
    unused_since: Timestamp,
) -> Result<Vec<RoomId>> {
    let which = doc! { "$or": [
        { "people.leftAt": { "$lte": date(away_since) } },
        { "emptySince": { "$lte": date(unused_since) } },
    ] };
    let named = rooms.clone_with_type::<Named>();
    let found: Vec<Named> =
        named.find(which).projection(doc! { "_id": 1 }).await?.try_collect().await?;
    found.iter().map(|room| room_id(&room.id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_a_text_and_never_an_expression() {
        assert_eq!(literally("a.*(차)"), "a\\x2e\\x2a\\x28차\\x29");
    }
}
