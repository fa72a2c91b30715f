//! Messages: resolving drafts, deletion, and purging removed rooms.

use futures_util::TryStreamExt as _;
use mongodb::{
    Collection,
    bson::{doc, oid::ObjectId},
};
use serde::Deserialize;

use super::{
    chat_document::ChatDocument,
    room_document::{PersonDocument, RoomDocument, room_id},
    rooms::{self, Named},
    sequence::SequenceEnd,
};
use crate::{
    domain::{Author, Body, Draft, DraftBody, Gif, Message, Person, PersonId, RoomId, Seq},
    store::{AppendError, DeleteOutcome, Result},
};

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

    /// Resolves the author and recipient of a draft to seats.
    pub(super) fn resolve(&self, room: &RoomId, draft: &Draft) -> Result<Attempt> {
        let by = match &draft.author {
            Author::System(person) => person.clone(),
            Author::Seated(id) => match self.seated(id)? {
                Some(person) => person,
                None => return Ok(Err(AppendError::NotInRoom)),
            },
        };
        let body = match &draft.body {
            DraftBody::Text(text) => Body::Text(text.as_str().to_owned()),
            DraftBody::Gif(gif) => Body::Gif(gif.clone()),
            DraftBody::System { code, person } => {
                Body::System { code: *code, person: person.clone() }
            }
            DraftBody::Whisper { to, text } => match self.seated(to)? {
                Some(to) => Body::Whisper { to, text: text.as_str().to_owned() },
                None => return Ok(Err(AppendError::NotHere)),
            },
        };
        Ok(Ok(Message {
            id: ObjectId::new().to_hex(),
            room: room.clone(),
            seq: 0,
            by,
            body,
            client_id: draft.client_id.clone(),
            at: draft.at,
        }))
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
    let author = match &draft.author {
        Author::Seated(id) => id,
        Author::System(person) => &person.id,
    };
    let first =
        doc! { "room": room.as_str(), "user": author.as_str(), "clientId": client_id.as_str() };
    chats.find_one(first).await?.map(ChatDocument::message).transpose()
}

pub(super) async fn latest_public_seq(
    rooms: &Collection<RoomDocument>,
    chats: &Collection<ChatDocument>,
    room: &RoomId,
) -> Result<Option<Seq>> {
    let written = rooms.clone_with_type::<SequenceEnd>();
    let written = written.find_one(doc! { "_id": room.as_str() }).projection(SequenceEnd::fields());
    match written.await? {
        Some(end) => Ok(Some(end.refreshed(chats, room).await?.head)),
        None => Ok(None),
    }
}

pub(super) async fn delete(
    chats: &Collection<ChatDocument>,
    room: &RoomId,
    seq: Seq,
    who: &PersonId,
    owner: bool,
) -> Result<DeleteOutcome> {
    let which = doc! { "room": room.as_str(), "seq": seq };
    let found = chats.find_one(which.clone()).await?.map(ChatDocument::message).transpose()?;
    let Some(message) = found.filter(|message| message.is_seen_by(who)) else {
        return Ok(DeleteOutcome::NoSuchMessage);
    };
    // The author of a message never changes, so the update needs no condition on it.
    let Some(deleted) = message.deleted_by(who, owner) else { return Ok(DeleteOutcome::NotTheirs) };
    chats.update_one(which, doc! { "$unset": { "chat": "", "gif": "" } }).await?;
    let unused = match message.body {
        Body::Gif(gif) if !shows(chats, room, &gif).await? => Some(gif),
        _ => None,
    };
    Ok(DeleteOutcome::Deleted { message: deleted, unused })
}

/// Whether any message of the room shows this GIF.
async fn shows(chats: &Collection<ChatDocument>, room: &RoomId, gif: &Gif) -> Result<bool> {
    let shown = doc! { "room": room.as_str(), "gif.hash": &gif.hash };
    Ok(chats.find_one(shown).await?.is_some())
}

/// Safe without a transaction: room ids are never reused, so a missing room stays missing.
pub(super) async fn purge(
    rooms: &Collection<RoomDocument>,
    chats: &Collection<ChatDocument>,
    room: &RoomId,
) -> Result<()> {
    if rooms::room(rooms, room).await?.is_none() {
        chats.delete_many(doc! { "room": room.as_str() }).await?;
    }
    Ok(())
}

pub(super) async fn orphans(chats: &Collection<ChatDocument>) -> Result<Vec<RoomId>> {
    let pipeline = [
        doc! { "$group": { "_id": "$room" } },
        doc! { "$lookup": {
            "from": "rooms", "localField": "_id", "foreignField": "_id", "as": "room",
            "pipeline": [{ "$project": { "_id": 1 } }],
        } },
        doc! { "$match": { "room": { "$size": 0 } } },
    ];
    let found: Vec<Named> = chats.aggregate(pipeline).with_type().await?.try_collect().await?;
    found.iter().map(|room| room_id(&room.id)).collect()
}
