//! What was said, read back in stretches.

use std::collections::HashMap;

use futures_util::{TryStreamExt as _, future::try_join_all};
use mongodb::{
    Collection,
    bson::{Document, doc},
};

use super::{chat_document::ChatDocument, connection::in_time, gathered::Gathered, log::End};
use crate::{
    domain::{History, Message, PersonId, RoomId, Seq, Window},
    store::Result,
};

/// A window is looked for in as many messages as it holds, and so many more for whispers to others.
const SPARE: usize = 8;
/// So many may have come since the end of a log was known.
const NEWER: Seq = 200;

/// A few messages of one room, whoever sees them: those from one number on, and before another.
#[derive(Debug, Clone)]
struct Part {
    room: RoomId,
    from: Seq,
    before: Seq,
}

impl Part {
    /// Where a window is, if it is not far from where the log ended not long ago.
    fn with(room: &RoomId, window: Window, end: Option<End>) -> Option<Self> {
        let many = Seq::try_from(window.limit().saturating_add(SPARE)).unwrap_or(Seq::MAX);
        let (from, before) = match window {
            Window::Latest { before, .. } => {
                let behind = before.or(end.map(|end| end.seq + 1))?;
                (behind.saturating_sub(many).max(1), before.unwrap_or(behind.saturating_add(NEWER)))
            }
            Window::After { after, .. } => {
                end.filter(|end| end.seq.saturating_sub(after) <= many)?;
                (after.saturating_add(1), after.saturating_add(many).saturating_add(NEWER))
            }
        };
        Some(Self { room: room.clone(), from, before })
    }

    fn is(&self) -> Document {
        let range = doc! { "$gte": self.from, "$lt": self.before };
        doc! { "room": self.room.as_str(), "seq": range }
    }

    fn holds(&self, document: &ChatDocument) -> bool {
        document.room == self.room.as_str() && (self.from..self.before).contains(&document.seq)
    }
}

/// The way to what was said.
#[derive(Debug)]
pub(super) struct Histories {
    chats: Collection<ChatDocument>,
    parts: Gathered<Part, Vec<ChatDocument>>,
}

impl Histories {
    pub(super) fn new(chats: Collection<ChatDocument>) -> Self {
        let asked = chats.clone();
        let parts = Gathered::new(move |parts| in_time(read(asked.clone(), parts)));
        Self { chats, parts }
    }

    /// What each of these people sees of a window. `end` is where the log ended not long ago, if that is
    /// known.
    pub(super) async fn read(
        &self,
        room: &RoomId,
        viewers: &[PersonId],
        window: Window,
        end: Option<End>,
    ) -> Result<Vec<History>> {
        let part = Part::with(room, window, end);
        let found = match &part {
            Some(part) => self.parts.ask(part.clone()).await?,
            None => Vec::new(),
        };
        let found: Vec<Message> =
            found.into_iter().map(ChatDocument::message).collect::<Result<_>>()?;
        let each = viewers.iter().map(async |viewer| {
            let seen = part.as_ref().and_then(|part| seen(&found, part, viewer, window));
            match seen {
                Some(history) => Ok(history),
                None => search(&self.chats, room, viewer, window).await,
            }
        });
        try_join_all(each).await
    }
}

/// What somebody sees of a window, if these messages tell, which are all of a part.
fn seen(found: &[Message], part: &Part, viewer: &PersonId, window: Window) -> Option<History> {
    let mut messages: Vec<Message> =
        found.iter().filter(|message| message.is_seen_by(viewer)).cloned().collect();
    let limit = window.limit();
    let more = messages.len() > limit;
    // A log has no gaps: where it stops before the part does, it ends.
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

/// Parts of many rooms, each in its order.
async fn read(chats: Collection<ChatDocument>, parts: Vec<Part>) -> Result<Vec<Vec<ChatDocument>>> {
    let any = match &parts[..] {
        [part] => part.is(),
        parts => doc! { "$or": parts.iter().map(Part::is).collect::<Vec<_>>() },
    };
    let found: Vec<ChatDocument> = chats.find(any).await?.try_collect().await?;
    let mut by_room: HashMap<&str, Vec<&ChatDocument>> = HashMap::new();
    for document in &found {
        by_room.entry(&document.room).or_default().push(document);
    }
    let each = parts.iter().map(|part| {
        let of_room = by_room.get(part.room.as_str()).into_iter().flatten();
        let mut held: Vec<ChatDocument> =
            of_room.filter(|document| part.holds(document)).copied().cloned().collect();
        held.sort_unstable_by_key(|document| document.seq);
        held
    });
    Ok(each.collect())
}

/// What somebody sees of a window, wherever in the log it is.
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
    // A `$or` beside the others leads some servers away from the index, and through the whole collection.
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
