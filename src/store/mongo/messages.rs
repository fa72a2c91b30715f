//! Messages: resolving drafts, deletion, trimming, and purging removed rooms.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use mongodb::{
    Collection,
    bson::{Document, doc, oid::ObjectId},
};
use serde::Deserialize;

use super::{
    MongoStore,
    chat_document::ChatDocument,
    connection::with_deadline,
    room_document::{PersonDocument, room_id},
    rooms::{self, Named},
    sequence::SequenceEnd,
    sessions,
};
use crate::{
    domain::{
        AppendError, Body, Draft, Gif, History, Message, Person, PersonId, RoomId, Seq, Window,
    },
    store::{Appended, DeleteOutcome, Error, MessageStore, Result, Trimmed},
};

#[async_trait]
impl MessageStore for MongoStore {
    async fn delete_message(
        &self,
        room: &RoomId,
        seq: Seq,
        who: &PersonId,
        owner: bool,
    ) -> Result<DeleteOutcome> {
        with_deadline(async {
            let which = doc! { "room": room.as_str(), "seq": seq };
            let found =
                self.chats.find_one(which.clone()).await?.map(ChatDocument::message).transpose()?;
            let Some(message) = found.filter(|message| message.is_seen_by(who)) else {
                return Ok(DeleteOutcome::NoSuchMessage);
            };
            // The author of a message never changes, so the update needs no condition on it.
            let Some(deleted) = message.deleted_by(who, owner) else {
                return Ok(DeleteOutcome::NotTheirs);
            };
            self.chats.update_one(which, doc! { "$unset": { "chat": "", "gif": "" } }).await?;
            let unused = match message.body {
                Body::Gif(gif) if !shows(&self.chats, room, &gif).await? => Some(gif),
                _ => None,
            };
            Ok(DeleteOutcome::Deleted { message: deleted, unused })
        })
        .await
    }

    async fn shows(&self, room: &RoomId, gif: &Gif) -> Result<bool> {
        with_deadline(shows(&self.chats, room, gif)).await
    }

    async fn append(&self, room: &RoomId, drafts: Vec<Draft>) -> Result<Vec<Appended>> {
        with_deadline(self.appender.write(room, drafts)).await
    }

    async fn latest_public_seq(&self, room: &RoomId) -> Result<Option<Seq>> {
        with_deadline(async {
            let written = self.rooms.clone_with_type::<SequenceEnd>();
            let written =
                written.find_one(doc! { "_id": room.as_str() }).projection(SequenceEnd::fields());
            match written.await? {
                Some(end) => Ok(Some(end.refreshed(&self.chats, room).await?.head)),
                None => Ok(None),
            }
        })
        .await
    }

    async fn history(&self, room: &RoomId, viewer: &PersonId, window: Window) -> Result<History> {
        let mut found = self.histories(room, std::slice::from_ref(viewer), window).await?;
        found.pop().ok_or_else(|| Error::new("a history is missing"))
    }

    async fn histories(
        &self,
        room: &RoomId,
        viewers: &[PersonId],
        window: Window,
    ) -> Result<Vec<History>> {
        let end = self.sequences.end(room);
        let found = with_deadline(self.histories.read(room, viewers, window, end)).await?;
        Ok(found.into_iter().map(|found| self.sequences.committed(room, found, window)).collect())
    }

    /// If it is interrupted between its steps, the files of unused GIFs stay until the room is removed.
    async fn trim(&self, room: &RoomId, up_to: Seq, at_most: usize) -> Result<Trimmed> {
        with_deadline(async {
            let old = doc! { "room": room.as_str(), "seq": { "$lte": up_to } };
            let numbered = self.chats.clone_with_type::<Numbered>();
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
            let mut unused =
                gifs(&self.chats, doc! { "room": room.as_str(), "seq": oldest.clone() }).await?;
            self.chats.delete_many(doc! { "room": room.as_str(), "seq": oldest }).await?;
            if !unused.is_empty() {
                let hashes: Vec<&String> = unused.keys().collect();
                let shown = doc! { "room": room.as_str(), "gif.hash": { "$in": hashes } };
                let showing = self.chats.clone_with_type::<Showing>();
                let found = showing.find(shown).projection(doc! { "_id": 0, "gif.hash": 1 });
                let shown: Vec<Showing> = found.await?.try_collect().await?;
                for Showing { gif } in shown {
                    unused.remove(&gif.hash);
                }
            }
            Ok(Trimmed { unused: unused.into_values().collect(), more: numbers.len() == at_most })
        })
        .await
    }

    /// Safe without a transaction: room ids are never reused, so a missing room stays missing.
    async fn purge(&self, room: &RoomId) -> Result<()> {
        with_deadline(async {
            if rooms::room(&self.rooms, room).await?.is_none() {
                self.chats.delete_many(doc! { "room": room.as_str() }).await?;
                sessions::forget_passes(&self.sessions, room.as_str()).await?;
            }
            Ok(())
        })
        .await?;
        self.sequences.forget(room);
        Ok(())
    }

    async fn orphans(&self) -> Result<Vec<RoomId>> {
        with_deadline(async {
            let pipeline = [
                doc! { "$group": { "_id": "$room" } },
                doc! { "$lookup": {
                    "from": "rooms", "localField": "_id", "foreignField": "_id", "as": "room",
                    "pipeline": [{ "$project": { "_id": 1 } }],
                } },
                doc! { "$match": { "room": { "$size": 0 } } },
            ];
            let found: Vec<Named> =
                self.chats.aggregate(pipeline).with_type().await?.try_collect().await?;
            let mut orphans: HashSet<String> = found.into_iter().map(|room| room.id).collect();
            let passed = sessions::passed_rooms(&self.sessions).await?;
            let there = self.rooms.clone_with_type::<Named>();
            let there = there.find(doc! { "_id": { "$in": &passed } });
            let there: Vec<Named> =
                there.projection(doc! { "_id": 1 }).await?.try_collect().await?;
            let there: HashSet<String> = there.into_iter().map(|room| room.id).collect();
            orphans.extend(passed.into_iter().filter(|room| !there.contains(room)));
            orphans.iter().map(|room| room_id(room)).collect()
        })
        .await
    }
}

/// The fields of a room document that an append needs: its counters and seats.
#[derive(Debug, Deserialize)]
pub(super) struct RoomSnapshot {
    #[serde(rename = "_id")]
    pub(super) room: String,
    seq: Seq,
    head: Seq,
    people: Vec<PersonDocument>,
}

/// A resolved draft without a number, or the reason for its rejection.
pub(super) type Attempt = std::result::Result<Message, AppendError>;

impl RoomSnapshot {
    /// The sequence end as last saved to the room document.
    pub(super) fn end(&self) -> SequenceEnd {
        SequenceEnd { seq: self.seq, head: self.head }
    }

    /// Resolves a draft against the seats; the message gets its number when it is inserted.
    pub(super) fn resolve(&self, room: &RoomId, draft: &Draft) -> Result<Attempt> {
        draft.resolve(room, ObjectId::new().to_hex(), 0, |person| self.seated(person))
    }

    fn seated(&self, person: &PersonId) -> Result<Option<Person>> {
        let seat = self.people.iter().find(|seat| seat.id == person.as_str());
        seat.map(PersonDocument::person).transpose()
    }
}

/// The stored message that this draft repeats, by its client id.
pub(super) async fn said_before(
    chats: &Collection<ChatDocument>,
    room: &RoomId,
    draft: &Draft,
) -> Result<Option<Message>> {
    let Some(client_id) = &draft.client_id else { return Ok(None) };
    let author = draft.author_id();
    let first =
        doc! { "room": room.as_str(), "user": author.as_str(), "clientId": client_id.as_str() };
    chats.find_one(first).await?.map(ChatDocument::message).transpose()
}

/// Whether any message of the room shows this GIF.
async fn shows(chats: &Collection<ChatDocument>, room: &RoomId, gif: &Gif) -> Result<bool> {
    let shown = doc! { "room": room.as_str(), "gif.hash": &gif.hash };
    Ok(chats.find_one(shown).await?.is_some())
}

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
