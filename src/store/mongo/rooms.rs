//! Creating, listing, reading and removing rooms.

use std::collections::HashMap;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use mongodb::{
    Collection,
    bson::{Document, doc},
    options::ReturnDocument,
};
use serde::Deserialize;

use super::{
    MongoStore,
    connection::with_deadline,
    retry::{Attempt, retry_on_conflict},
    room_document::{RoomDocument, SummaryDocument, date, room_id},
};
use crate::{
    domain::{
        OwnerActionError, PersonId, Room, RoomChange, RoomId, RoomSummary, RoomTitle, Timestamp,
    },
    store::{Changed, Closing, LobbyPage, LobbyQuery, NewRoom, Result, RoomStore},
};

#[async_trait]
impl RoomStore for MongoStore {
    async fn open(&self, room: NewRoom, at_most: usize) -> Result<bool> {
        with_deadline(async {
            let there = self.rooms.count_documents(doc! {}).await?;
            if usize::try_from(there).is_ok_and(|there| there < at_most) {
                self.rooms.insert_one(RoomDocument::from(&room)).await?;
                return Ok(true);
            }
            Ok(false)
        })
        .await
    }

    async fn room(&self, id: &RoomId) -> Result<Option<Room>> {
        with_deadline(self.room_loader.ask(id.clone())).await?.map(RoomDocument::room).transpose()
    }

    async fn lobby(&self, query: LobbyQuery) -> Result<LobbyPage> {
        with_deadline(async {
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
    let mut answer = self.rooms.aggregate(pipeline).with_type::<Found>().await?;
    if let Some(found) = answer.try_next().await? {
        let shown = found.page.into_iter().take(query.limit);
        page.rooms = shown.map(SummaryDocument::summary).collect::<Result<_>>()?;
        page.total = found.total.first().map_or(0, |total| total.rooms);
    }
    Ok(page)
}).await
    }

    async fn summaries(&self, ids: Vec<RoomId>) -> Result<Vec<RoomSummary>> {
        with_deadline(async {
            let ids: Vec<&str> = ids.iter().map(RoomId::as_str).collect();
            let pipeline =
                [doc! { "$match": { "_id": { "$in": ids } } }, summary(), first_colors()];
            let found: Vec<SummaryDocument> =
                self.rooms.aggregate(pipeline).with_type().await?.try_collect().await?;
            found.into_iter().map(SummaryDocument::summary).collect()
        })
        .await
    }

    async fn close(&self, room: &RoomId, closing: Closing) -> Result<bool> {
        with_deadline(async {
            let mut which = doc! { "_id": room.as_str() };
            match closing {
                Closing::By(owner) => {
                    which.insert("owner.id", owner.as_str());
                }
                Closing::IfUnusedSince(at) => {
                    which.insert("emptySince", doc! { "$lte": date(at) });
                }
            }
            Ok(self.rooms.delete_one(which).await?.deleted_count > 0)
        })
        .await
    }

    async fn change(
        &self,
        room: &RoomId,
        by: &PersonId,
        change: RoomChange,
    ) -> Result<std::result::Result<Changed, OwnerActionError>> {
        with_deadline(retry_on_conflict(|| try_to_change(&self.rooms, room, by, &change))).await
    }

    async fn overdue(&self, away_since: Timestamp, unused_since: Timestamp) -> Result<Vec<RoomId>> {
        with_deadline(async {
            let which = doc! { "$or": [
                { "people.leftAt": { "$lte": date(away_since) } },
                { "emptySince": { "$lte": date(unused_since) } },
            ] };
            let named = self.rooms.clone_with_type::<Named>();
            let found: Vec<Named> =
                named.find(which).projection(doc! { "_id": 1 }).await?.try_collect().await?;
            found.iter().map(|room| room_id(&room.id)).collect()
        })
        .await
    }

    async fn rooms_of(&self, person: &PersonId) -> Result<Vec<Room>> {
        with_deadline(async {
            let found = self
                .rooms
                .find(doc! { "people.id": person.as_str() })
                .sort(doc! { "_id": 1 })
                .await?;
            let found: Vec<RoomDocument> = found.try_collect().await?;
            found.into_iter().map(RoomDocument::room).collect()
        })
        .await
    }
}

/// A document projected to its id.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    #[serde(rename = "_id")]
    pub id: String,
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

async fn try_to_change(
    rooms: &Collection<RoomDocument>,
    room: &RoomId,
    by: &PersonId,
    change: &RoomChange,
) -> Result<Attempt<std::result::Result<Changed, OwnerActionError>>> {
    let Some(before) = self::room(rooms, room).await? else {
        return Ok(Attempt::Settled(Err(OwnerActionError::NoSuchRoom)));
    };
    if let Err(undone) = before.may_change(by, change) {
        return Ok(Attempt::Settled(Err(undone)));
    }
    let mut still_so = doc! { "_id": room.as_str(), "owner.id": by.as_str() };
    let mut set = doc! {};
    if let Some(title) = &change.title {
        set.insert("title", title.as_str());
    }
    if let Some(max) = change.max {
        still_so.insert(format!("people.{}", max.get()), doc! { "$exists": false });
        set.insert("max", max.get());
    }
    if let Some(locked) = change.locked {
        set.insert("locked", locked);
    }
    let mut update = doc! {};
    match &change.password {
        Some(Some(hash)) => {
            set.insert("password", hash.as_str());
        }
        Some(None) => {
            update.insert("$unset", doc! { "password": "" });
        }
        None => {}
    }
    if !set.is_empty() {
        update.insert("$set", set);
    }
    if update.is_empty() {
        return Ok(Attempt::Settled(Ok(Changed { after: before.clone(), before })));
    }
    let changed =
        rooms.find_one_and_update(still_so, update).return_document(ReturnDocument::After).await?;
    let Some(after) = changed else { return Ok(Attempt::Conflict) };
    Ok(Attempt::Settled(Ok(Changed { before, after: after.room()? })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_a_text_and_never_an_expression() {
        assert_eq!(literally("a.*(차)"), "a\\x2e\\x2a\\x28차\\x29");
    }
}
