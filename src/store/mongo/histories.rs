//! Message histories, read in windows.

use std::collections::HashMap;

use futures_util::{TryStreamExt as _, future::try_join_all};
use mongodb::{
    Collection,
    bson::{Document, doc},
};

use super::{
    batching::loader::Loader, chat_document::ChatDocument, connection::with_deadline,
    sequence::SequenceEnd,
};
use crate::{
    domain::{History, Message, PersonId, RoomId, Seq, Window},
    store::Result,
};

/// Messages read in addition to a window's limit, to make up for whispers that the viewer cannot
/// see.
const WHISPER_MARGIN: usize = 8;
/// Largest number of messages expected since the sequence end was cached.
const STALE_MARGIN: Seq = 200;

/// A range of one room's message numbers, `from` inclusive and `before` exclusive, for any viewer.
#[derive(Debug, Clone)]
struct Part {
    room: RoomId,
    from: Seq,
    before: Seq,
}

impl Part {
    /// The range of a window, if it is close to the last known end.
    fn with(room: &RoomId, window: Window, end: Option<SequenceEnd>) -> Option<Self> {
        let many = Seq::try_from(window.limit().saturating_add(WHISPER_MARGIN)).unwrap_or(Seq::MAX);
        let (from, before) = match window {
            Window::Latest { before, .. } => {
                let past_end = before.or(end.map(|end| end.seq + 1))?;
                (
                    past_end.saturating_sub(many).max(1),
                    before.unwrap_or(past_end.saturating_add(STALE_MARGIN)),
                )
            }
            Window::After { after, .. } => {
                end.filter(|end| end.seq.saturating_sub(after) <= many)?;
                (after.saturating_add(1), after.saturating_add(many).saturating_add(STALE_MARGIN))
            }
        };
        Some(Self { room: room.clone(), from, before })
    }

    fn filter(&self) -> Document {
        let range = doc! { "$gte": self.from, "$lt": self.before };
        doc! { "room": self.room.as_str(), "seq": range }
    }

    fn contains(&self, document: &ChatDocument) -> bool {
        document.room == self.room.as_str() && (self.from..self.before).contains(&document.seq)
    }
}

/// Reads histories; viewers of the same range share one query.
#[derive(Debug)]
pub(super) struct Histories {
    chats: Collection<ChatDocument>,
    parts: Loader<Part, Vec<ChatDocument>>,
}

impl Histories {
    pub(super) fn new(chats: Collection<ChatDocument>) -> Self {
        let asked = chats.clone();
        let parts = Loader::new(move |parts| with_deadline(read(asked.clone(), parts)));
        Self { chats, parts }
    }

    /// The window as each viewer sees it. `end` is the last known end of the room, if any.
    pub(super) async fn read(
        &self,
        room: &RoomId,
        viewers: &[PersonId],
        window: Window,
        end: Option<SequenceEnd>,
    ) -> Result<Vec<History>> {
        let part = Part::with(room, window, end);
        let found = match &part {
            Some(part) => self.parts.ask(part.clone()).await?,
            None => Vec::new(),
        };
        let found: Vec<Message> =
            found.into_iter().map(ChatDocument::message).collect::<Result<_>>()?;
        let each = viewers.iter().map(async |viewer| {
            let seen = part.as_ref().and_then(|part| visible_window(&found, part, viewer, window));
            match seen {
                Some(history) => Ok(history),
                None => search(&self.chats, room, viewer, window).await,
            }
        });
        try_join_all(each).await
    }
}

/// The window as `viewer` sees it, if `found`, all messages of `part`, determines it.
fn visible_window(
    found: &[Message],
    part: &Part,
    viewer: &PersonId,
    window: Window,
) -> Option<History> {
    let mut messages: Vec<Message> =
        found.iter().filter(|message| message.is_seen_by(viewer)).cloned().collect();
    let limit = window.limit();
    let more = messages.len() > limit;
    // A sequence has no gaps: messages that end before the part does are the newest.
    let ends = found.last().is_some_and(|newest| newest.seq + 1 < part.before);
    match window {
        Window::Latest { before, .. } if before.is_some() || ends => {
            if !more && part.from > 1 {
                return None;
            }
            messages.drain(..messages.len().saturating_sub(limit));
        }
        Window::After { .. } if more || ends => messages.truncate(limit),
        Window::Latest { .. } | Window::After { .. } => return None,
    }
    Some(History { messages, more })
}

/// Reads parts of many rooms with one query, each ordered by number.
async fn read(chats: Collection<ChatDocument>, parts: Vec<Part>) -> Result<Vec<Vec<ChatDocument>>> {
    let any = match &parts[..] {
        [part] => part.filter(),
        parts => doc! { "$or": parts.iter().map(Part::filter).collect::<Vec<_>>() },
    };
    let found: Vec<ChatDocument> = chats.find(any).await?.try_collect().await?;
    let mut by_room: HashMap<&str, Vec<&ChatDocument>> = HashMap::new();
    for document in &found {
        by_room.entry(&document.room).or_default().push(document);
    }
    let each = parts.iter().map(|part| {
        let of_room = by_room.get(part.room.as_str()).into_iter().flatten();
        let mut held: Vec<ChatDocument> =
            of_room.filter(|document| part.contains(document)).copied().cloned().collect();
        held.sort_unstable_by_key(|document| document.seq);
        held
    });
    Ok(each.collect())
}

/// Queries a window for one viewer, anywhere in the sequence.
async fn search(
    chats: &Collection<ChatDocument>,
    room: &RoomId,
    viewer: &PersonId,
    window: Window,
) -> Result<History> {
    let (range, direction) = match window {
        Window::Latest { before, .. } => (doc! { "$lt": before.unwrap_or(Seq::MAX) }, -1),
        Window::After { after, .. } => (doc! { "$gt": after }, 1),
    };
    let theirs = doc! { "$or": [
        { "kind": { "$ne": "whisper" } },
        { "user": viewer.as_str() },
        { "to.id": viewer.as_str() },
    ] };
    // A top-level `$or` makes some servers skip the index and scan the whole collection.
    let visible = doc! { "room": room.as_str(), "seq": range, "$and": [theirs] };
    let limit = window.limit();
    let one_more = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    let found = chats.find(visible).sort(doc! { "seq": direction }).limit(one_more).await?;
    let found: Vec<ChatDocument> = found.try_collect().await?;
    let more = found.len() > limit;
    let mut messages: Vec<Message> =
        found.into_iter().take(limit).map(ChatDocument::message).collect::<Result<_>>()?;
    if direction < 0 {
        messages.reverse();
    }
    Ok(History { messages, more })
}
