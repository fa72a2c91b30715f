//! Messages: stored in their order, once, and read back in stretches.

use std::{collections::HashSet, ops::RangeInclusive, sync::Arc};

use futures_util::{TryStreamExt as _, future::try_join_all};
use mongodb::{
    Collection,
    bson::{Document, doc, oid::ObjectId},
    error::{Error as DriverError, ErrorKind},
};
use serde::Deserialize;

use super::{
    chat_document::ChatDocument,
    room_document::{PersonDocument, RoomDocument, room_id},
    rooms::{self, Named},
    sessions::DUPLICATE_KEY,
    together::Together,
};
use crate::{
    domain::{
        Author, Body, Draft, DraftBody, Gif, History, Message, Person, PersonId, RoomId, Seq,
        Window,
    },
    store::{Appended, Emptying, Error, Result, Unsaid},
};

/// What a batch needs to know of its room once it has its numbers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Place {
    #[serde(rename = "_id")]
    pub(super) room: String,
    /// The batch's last number.
    seq: Seq,
    /// The number of its last message for everybody, if all is stored and it has one.
    head: Seq,
    /// What `head` was before the batch.
    head_before: Seq,
    people: Vec<PersonDocument>,
}

/// A draft on its way into the store.
pub(super) type Attempt = std::result::Result<Message, Unsaid>;

/// A batch is overtaken by servers that believe its own to be dead; it tries again so often.
const ATTEMPTS: usize = 5;

/// Numbers are taken for the whole batch, and then its messages are inserted. Numbers whose messages
/// are then not stored stay unused. Those that another server has made void in the meantime are taken
/// anew: that server makes the last ones void first, so they stay in their order.
pub(super) async fn append(
    together: &Together,
    rooms: &Collection<RoomDocument>,
    chats: &Collection<ChatDocument>,
    room: &RoomId,
    drafts: Vec<Draft>,
) -> Result<Vec<Appended>> {
    let mut outcomes: Vec<Option<Appended>> = drafts.iter().map(|_| None).collect();
    for _ in 0..ATTEMPTS {
        let open: Vec<usize> = (0..drafts.len()).filter(|nth| outcomes[*nth].is_none()).collect();
        if open.is_empty() {
            break;
        }
        let again = open.iter().map(|nth| drafts[*nth].clone()).collect();
        let attempts = try_to_append(together, rooms, chats, room, again).await?;
        for (nth, outcome) in open.into_iter().zip(attempts) {
            outcomes[nth] = outcome;
        }
    }
    let all: Option<Vec<Appended>> = outcomes.into_iter().collect();
    all.ok_or_else(|| Error::new(format!("numbers of {room} were made void {ATTEMPTS} times")))
}

/// What became of each draft; of those whose numbers were made void, nothing.
async fn try_to_append(
    together: &Together,
    rooms: &Collection<RoomDocument>,
    chats: &Collection<ChatDocument>,
    room: &RoomId,
    drafts: Arc<[Draft]>,
) -> Result<Vec<Option<Appended>>> {
    let Some((place, attempts, stored)) = together.write(room, drafts.clone()).await? else {
        return Ok(drafts.iter().map(|_| Some(Appended::Unsaid(Unsaid::NoSuchRoom))).collect());
    };
    let mut head = place.head_before;
    let mut outcomes = Vec::with_capacity(drafts.len());
    for ((seq, draft), attempt) in place.numbers(&drafts).zip(drafts.iter()).zip(attempts) {
        outcomes.push(match attempt {
            Ok(message) if stored.contains(&seq) => {
                let prev = head;
                head = if message.is_public() { seq } else { head };
                Some(Appended::Stored { message, prev })
            }
            Ok(_) => said_before(chats, room, draft).await?.map(Appended::Already),
            Err(unsaid) => match said_before(chats, room, draft).await? {
                // What the same batch says later was not said before.
                Some(message) if message.seq < seq => Some(Appended::Already(message)),
                Some(_) | None => Some(Appended::Unsaid(unsaid)),
            },
        });
    }
    if head != place.head {
        let unused = doc! { "_id": room.as_str(), "head": place.head };
        rooms.update_one(unused, doc! { "$set": { "head": head } }).await?;
    }
    Ok(outcomes)
}

fn many(drafts: &[Draft]) -> Seq {
    Seq::try_from(drafts.len()).unwrap_or(Seq::MAX) // A lane's batch is some hundred at most.
}

/// What taking numbers for a batch makes of a room's counters.
pub(super) fn counters(drafts: &[Draft], taker: &str) -> Document {
    let seq = doc! { "$add": ["$seq", many(drafts)] };
    let mut counters = doc! { "headBefore": "$head", "seq": seq, "takenBy": taker };
    if let Some(last) = drafts.iter().rposition(|draft| draft.body.is_public()) {
        counters.insert("head", doc! { "$add": ["$seq", many(&drafts[..=last])] });
    }
    counters
}

impl Place {
    /// What has to be asked for.
    pub(super) fn fields() -> Document {
        doc! {
            "seq": 1, "head": 1, "headBefore": 1,
            "people.id": 1, "people.color": 1, "people.name": 1,
        }
    }

    /// The numbers of a batch, in their order.
    pub(super) fn numbers(&self, drafts: &[Draft]) -> RangeInclusive<Seq> {
        self.seq - many(drafts) + 1..=self.seq
    }

    /// Looks up the seats that each draft speaks of.
    pub(super) fn resolve(&self, room: &RoomId, drafts: &[Draft]) -> Result<Vec<Attempt>> {
        let numbers = self.numbers(drafts);
        numbers.zip(drafts).map(|(seq, draft)| self.resolve_one(room, draft, seq)).collect()
    }

    fn resolve_one(&self, room: &RoomId, draft: &Draft, seq: Seq) -> Result<Attempt> {
        let by = match &draft.author {
            Author::System(person) => person.clone(),
            Author::Seated(id) => match self.seated(id)? {
                Some(person) => person,
                None => return Ok(Err(Unsaid::NotInRoom)),
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

    fn seated(&self, person: &PersonId) -> Result<Option<Person>> {
        let seat = self.people.iter().find(|seat| seat.id == person.as_str());
        seat.map(PersonDocument::person).transpose()
    }
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

pub(super) async fn empty(
    chats: &Collection<ChatDocument>,
    room: &RoomId,
    seq: Seq,
    who: &PersonId,
    owner: bool,
) -> Result<Emptying> {
    let which = doc! { "room": room.as_str(), "seq": seq, "kind": { "$ne": "void" } };
    let found = chats.find_one(which.clone()).await?.map(ChatDocument::message).transpose()?;
    let Some(message) = found.filter(|message| message.is_seen_by(who)) else {
        return Ok(Emptying::NoSuchMessage);
    };
    // Whose it is never changes.
    let Some(emptied) = message.emptied_by(who, owner) else { return Ok(Emptying::NotTheirs) };
    chats.update_one(which, doc! { "$unset": { "chat": "", "gif": "" } }).await?;
    let unused = match message.body {
        Body::Gif(gif) if !shows(chats, room, &gif).await? => Some(gif),
        _ => None,
    };
    Ok(Emptying::Emptied { message: emptied, unused })
}

/// Whether any message of the room shows this GIF.
async fn shows(chats: &Collection<ChatDocument>, room: &RoomId, gif: &Gif) -> Result<bool> {
    let shown = doc! { "room": room.as_str(), "gif.hash": &gif.hash };
    Ok(chats.find_one(shown).await?.is_some())
}

/// What each of these people sees of a window. Whispers are rare, so mostly one reading serves them all.
pub(super) async fn histories(
    chats: &Collection<ChatDocument>,
    room: &RoomId,
    viewers: &[PersonId],
    window: Window,
) -> Result<Vec<History>> {
    let (limit, latest) = (window.limit(), matches!(window, Window::Latest { .. }));
    // The one beyond the window says whether there are more, if they see it.
    let one_more = window.with_limit(limit.saturating_add(1));
    let found = history(chats, room, viewers, one_more).await?.messages;
    let beyond = found.len().saturating_sub(limit);
    let shown = if latest { &found[beyond..] } else { &found[..found.len() - beyond] };
    let each = viewers.iter().map(async |viewer| {
        if found.iter().all(|message| message.is_seen_by(viewer)) {
            return Ok(History { messages: shown.to_vec(), more: beyond > 0 });
        }
        history(chats, room, std::slice::from_ref(viewer), window).await
    });
    try_join_all(each).await
}

/// What any of these people sees of a window.
pub(super) async fn history(
    chats: &Collection<ChatDocument>,
    room: &RoomId,
    viewers: &[PersonId],
    window: Window,
) -> Result<History> {
    let Window::Latest { before: Some(before), limit } = window else {
        return stretch(chats, room, viewers, window, None).await;
    };
    // Nearly all numbers are used, and there is no need to look at all that is older.
    let room_for_gaps = Seq::try_from(limit.saturating_mul(2)).unwrap_or(Seq::MAX);
    let near = before.saturating_sub(room_for_gaps).max(0);
    let found = stretch(chats, room, viewers, window, Some(near)).await?;
    if found.more || near == 0 {
        return Ok(found);
    }
    stretch(chats, room, viewers, window, None).await
}

/// The messages of a window, of those that have at least the number `from`.
async fn stretch(
    chats: &Collection<ChatDocument>,
    room: &RoomId,
    viewers: &[PersonId],
    window: Window,
    from: Option<Seq>,
) -> Result<History> {
    let (range, direction) = match window {
        Window::Latest { before, .. } => {
            (doc! { "$gte": from.unwrap_or(0), "$lt": before.unwrap_or(Seq::MAX) }, -1)
        }
        Window::After { after, .. } => (doc! { "$gt": after }, 1),
    };
    let said = doc! { "$ne": "void" };
    let viewers: Vec<&str> = viewers.iter().map(PersonId::as_str).collect();
    let theirs = doc! { "$or": [
        { "kind": { "$ne": "whisper" } },
        { "user": { "$in": &viewers } },
        { "to.id": { "$in": &viewers } },
    ] };
    // A `$or` beside the others leads some servers away from the index, and through the whole collection.
    let visible = doc! { "room": room.as_str(), "seq": range, "kind": said, "$and": [theirs] };
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
