//! Messages: stored in their order, once, and read back in stretches.

use std::collections::HashSet;

use futures_util::TryStreamExt as _;
use mongodb::{
    Collection,
    bson::{doc, oid::ObjectId},
    error::{Error as DriverError, ErrorKind},
    options::ReturnDocument,
};
use serde::Deserialize;

use super::{
    chat_document::ChatDocument,
    late::Late,
    room_document::{PersonDocument, RoomDocument, room_id},
    rooms::{self, Named},
    sessions::DUPLICATE_KEY,
};
use crate::{
    domain::{
        Author, Body, Draft, DraftBody, History, Message, Person, PersonId, RoomId, Seq, Window,
    },
    store::{Appended, Error, Result, Unsaid},
};

/// What a batch needs to know of its room once it has its numbers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    /// The batch's last number.
    seq: Seq,
    /// The number of its last message for everybody, if all is stored and it has one.
    head: Seq,
    /// What `head` was before the batch.
    head_before: Seq,
    people: Vec<PersonDocument>,
}

/// A draft on its way into the store.
type Attempt = std::result::Result<Message, Unsaid>;

/// One update takes numbers for the whole batch and tells who is there; one insertion follows.
/// Numbers whose messages are then not stored stay unused.
pub(super) async fn append(
    rooms: &Collection<RoomDocument>,
    chats: &Collection<ChatDocument>,
    late: &Late,
    room: &RoomId,
    drafts: Vec<Draft>,
) -> Result<Vec<Appended>> {
    late.settle(chats, room).await?;
    let Some(place) = take_numbers(rooms, room, &drafts).await? else {
        return Ok(drafts.iter().map(|_| Appended::Unsaid(Unsaid::NoSuchRoom)).collect());
    };
    let first = place.seq - many(&drafts)? + 1;
    let mut attempts = Vec::with_capacity(drafts.len());
    for (seq, draft) in (first..).zip(&drafts) {
        attempts.push(resolve(&place, room, draft, seq)?);
    }
    let stored = insert(chats, late, room, &attempts).await?;

    let mut head = place.head_before;
    let mut outcomes = Vec::with_capacity(drafts.len());
    for ((seq, draft), attempt) in (first..).zip(&drafts).zip(attempts) {
        outcomes.push(match attempt {
            Ok(message) if stored.contains(&seq) => {
                let prev = head;
                head = if message.is_public() { seq } else { head };
                Appended::Stored { message, prev }
            }
            Ok(_) => {
                Appended::Already(said_before(chats, room, draft).await?.ok_or_else(|| {
                    Error::new(format!("a number of {room} was taken by another message"))
                })?)
            }
            Err(unsaid) => match said_before(chats, room, draft).await? {
                // What the same batch says later was not said before.
                Some(message) if message.seq < seq => Appended::Already(message),
                Some(_) | None => Appended::Unsaid(unsaid),
            },
        });
    }
    if head != place.head {
        let unused = doc! { "_id": room.as_str(), "head": place.head };
        rooms.update_one(unused, doc! { "$set": { "head": head } }).await?;
    }
    Ok(outcomes)
}

fn many(drafts: &[Draft]) -> Result<Seq> {
    Seq::try_from(drafts.len()).map_err(Error::new)
}

/// Asks for the room as it is afterwards, and keeps the old head in it: that tells all, and what
/// was before is not told truly by every server that speaks the protocol.
async fn take_numbers(
    rooms: &Collection<RoomDocument>,
    room: &RoomId,
    drafts: &[Draft],
) -> Result<Option<Place>> {
    let mut counters = doc! { "headBefore": "$head", "seq": { "$add": ["$seq", many(drafts)?] } };
    if let Some(last) = drafts.iter().rposition(|draft| draft.body.is_public()) {
        counters.insert("head", doc! { "$add": ["$seq", many(&drafts[..=last])?] });
    }
    let place = rooms
        .clone_with_type::<Place>()
        .find_one_and_update(doc! { "_id": room.as_str() }, vec![doc! { "$set": counters }])
        .projection(doc! {
            "seq": 1, "head": 1, "headBefore": 1,
            "people.id": 1, "people.color": 1, "people.name": 1,
        })
        .return_document(ReturnDocument::After)
        .await?;
    Ok(place)
}

/// Looks up the seats that a draft speaks of.
fn resolve(place: &Place, room: &RoomId, draft: &Draft, seq: Seq) -> Result<Attempt> {
    let by = match &draft.author {
        Author::System(person) => person.clone(),
        Author::Seated(id) => match place.seated(id)? {
            Some(person) => person,
            None => return Ok(Err(Unsaid::NotInRoom)),
        },
    };
    let body = match &draft.body {
        DraftBody::Text(text) => Body::Text(text.as_str().to_owned()),
        DraftBody::Gif(gif) => Body::Gif(gif.clone()),
        DraftBody::System { code, person } => Body::System { code: *code, person: person.clone() },
        DraftBody::Whisper { to, text } => match place.seated(to)? {
            Some(to) => Body::Whisper { to, text: text.as_str().to_owned() },
            None => return Ok(Err(Unsaid::NotHere)),
        },
    };
    Ok(Ok(Message {
        id: ObjectId::new().to_hex(),
        room: room.clone(),
        seq,
        by,
        body,
        client_id: draft.client_id.clone(),
        at: draft.at,
    }))
}

impl Place {
    fn seated(&self, person: &PersonId) -> Result<Option<Person>> {
        let seat = self.people.iter().find(|seat| seat.id == person.as_str());
        seat.map(PersonDocument::person).transpose()
    }
}

/// Stores what can be, all at once, and says which numbers are stored: all but those of messages
/// that the index of client ids knows already.
async fn insert(
    chats: &Collection<ChatDocument>,
    late: &Late,
    room: &RoomId,
    attempts: &[Attempt],
) -> Result<HashSet<Seq>> {
    let messages: Vec<&Message> = attempts.iter().flatten().collect();
    if messages.is_empty() {
        return Ok(HashSet::new());
    }
    let documents: Vec<ChatDocument> =
        messages.iter().map(|message| ChatDocument::of(message)).collect::<Result<_>>()?;
    let under_way = late.begin(room, &documents);
    let doubled = match chats.insert_many(documents).ordered(false).await {
        Ok(_) => HashSet::new(),
        Err(cause) => doubled(&cause).ok_or(cause)?,
    };
    under_way.ended();
    let stored = messages.iter().enumerate().filter(|(index, _)| !doubled.contains(index));
    Ok(stored.map(|(_, message)| message.seq).collect())
}

/// Which documents of an insertion were there already, if that is all that went wrong.
pub(super) fn doubled(error: &DriverError) -> Option<HashSet<usize>> {
    let ErrorKind::InsertMany(failed) = &*error.kind else { return None };
    let errors = failed.write_errors.as_ref().filter(|_| failed.write_concern_error.is_none())?;
    let all = errors.iter().all(|error| error.code == DUPLICATE_KEY);
    all.then(|| errors.iter().map(|error| error.index).collect())
}

/// The first message that this draft repeats.
async fn said_before(
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

pub(super) async fn history(
    chats: &Collection<ChatDocument>,
    room: &RoomId,
    viewer: &PersonId,
    window: Window,
) -> Result<History> {
    let (range, direction) = match window {
        Window::Latest { before, .. } => (doc! { "$lt": before.unwrap_or(Seq::MAX) }, -1),
        Window::After { after, .. } => (doc! { "$gt": after }, 1),
    };
    let said = doc! { "$ne": "void" };
    let visible = doc! { "room": room.as_str(), "seq": range, "kind": said, "$or": [
        { "kind": { "$ne": "whisper" } },
        { "user": viewer.as_str() },
        { "to.id": viewer.as_str() },
    ] };
    let limit = window.limit();
    let one_more = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    let found: Vec<ChatDocument> = chats
        .find(visible)
        .sort(doc! { "seq": direction })
        .limit(one_more)
        .await?
        .try_collect()
        .await?;
    let more = found.len() > limit;
    let mut messages: Vec<Message> =
        found.into_iter().take(limit).map(ChatDocument::message).collect::<Result<_>>()?;
    if direction < 0 {
        messages.reverse();
    }
    Ok(History { messages, more })
}

/// A room's id is never used again: once it is gone, it stays so.
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
