//! Reports to the operator: written to the log under the target `huechat::report`, together with
//! the reported messages, because rooms are short-lived and the log is the only lasting record.

use tracing::warn;

use super::{ChatService, Error, Requester};
use crate::domain::{Body, History, Message, PersonId, RoomId, Seq, Window};

/// Largest number of messages quoted in a report.
const MAX_QUOTED: usize = 20;
/// Number of newest messages searched for those of a reported person.
const MAX_SEARCHED: usize = 100;
/// The longest reason, in characters.
const MAX_WHY_CHARS: usize = 500;

/// The subject of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reported {
    /// One message.
    Message(Seq),
    /// A person, with their latest messages.
    Person(PersonId),
    /// The room as a whole.
    Room,
}

impl ChatService {
    /// Logs a report about a room, by a person with a seat in it.
    ///
    /// # Errors
    /// [`Error::NoSuchRoom`], [`Error::NotInRoom`], [`Error::NoSuchMessage`], [`Error::Invalid`]
    /// for a reason that is too long, [`Error::SlowDown`].
    pub async fn report(
        &self,
        room: &RoomId,
        me: Requester<'_>,
        what: &Reported,
        why: &str,
    ) -> Result<(), Error> {
        if why.chars().count() > MAX_WHY_CHARS {
            return Err(Error::field("why", "why_too_long"));
        }
        self.limits.items.check(me)?;
        let found = self.room_with_seat(room, me.id).await?;
        let (before, limit) = match what {
            Reported::Message(seq) => (Some(seq.saturating_add(1)), 1),
            Reported::Person(_) => (None, MAX_SEARCHED),
            Reported::Room => (None, MAX_QUOTED),
        };
        let window = Window::Latest { before, limit };
        let History { messages, .. } = self.store.history(room, me.id, window).await?;
        let shows = |message: &Message| match what {
            Reported::Message(seq) => message.seq == *seq,
            Reported::Person(id) => {
                message.by.id == *id && !matches!(message.body, Body::System { .. })
            }
            Reported::Room => true,
        };
        let reported: Vec<&Message> = messages.iter().filter(|message| shows(message)).collect();
        if reported.is_empty() && matches!(what, Reported::Message(_)) {
            return Err(Error::NoSuchMessage);
        }
        let evidence: Vec<String> =
            reported.iter().rev().take(MAX_QUOTED).rev().map(|message| quote(message)).collect();
        // Debug formatting quotes all visitor text, so that it cannot forge log lines.
        warn!(
            target: "huechat::report",
            %room, title = ?found.title.as_str(), by = %me.id, owner = %found.owner.id, ?what, ?why, ?evidence,
            "somebody reported something",
        );
        Ok(())
    }
}

/// A message for the log: its `seq`, its author and its content.
fn quote(message: &Message) -> String {
    let said = match &message.body {
        Body::Text(text) => text.clone(),
        Body::Whisper { to, text } => format!("(to {}) {text}", to.id),
        Body::Gif(gif) => format!("(GIF {})", gif.hash),
        Body::System { code, .. } => format!("({})", code.code()),
        Body::DeletedText | Body::DeletedGif | Body::DeletedWhisper { .. } => {
            "(deleted)".to_owned()
        }
    };
    format!("{} {}: {said}", message.seq, message.by.id)
}
