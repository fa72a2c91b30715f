//! What people tell whoever runs the server: it goes to the log, under the name `huechat::report`, with what it is
//! about. A room and all in it are gone soon; the log is what is left to look at.

use tracing::warn;

use super::{Caller, Chat, Error};
use crate::domain::{Body, History, Message, PersonId, RoomId, Seq, Window};

/// As many of the last messages that show what is meant go with a report.
const EVIDENCE: usize = 20;
/// As many are looked through for those of one person.
const LOOKED_THROUGH: usize = 100;
/// The longest reason, in characters.
const MAX_WHY_CHARS: usize = 500;

/// What a report is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reported {
    /// One message.
    Message(Seq),
    /// Somebody in the room, with what they said last.
    Person(PersonId),
    /// The room as a whole.
    Room,
}

impl Chat {
    /// Writes down what somebody reports about a room that they are in.
    ///
    /// # Errors
    /// [`Error::NoSuchRoom`], [`Error::NotInRoom`], [`Error::NoSuchMessage`], [`Error::Invalid`] for a reason that is too
    /// long, [`Error::SlowDown`].
    pub async fn report(
        &self,
        room: &RoomId,
        me: Caller<'_>,
        what: &Reported,
        why: &str,
    ) -> Result<(), Error> {
        if why.chars().count() > MAX_WHY_CHARS {
            return Err(Error::field("why", "why_too_long"));
        }
        self.limits.items.check(me)?;
        let found = self.store.room(room).await?.ok_or(Error::NoSuchRoom)?;
        if found.seat(me.id).is_none() {
            return Err(Error::NotInRoom);
        }
        let window = match what {
            Reported::Message(seq) => {
                Window::Latest { before: Some(seq.saturating_add(1)), limit: 1 }
            }
            Reported::Person(_) => Window::Latest { before: None, limit: LOOKED_THROUGH },
            Reported::Room => Window::Latest { before: None, limit: EVIDENCE },
        };
        let History { messages, .. } = self.store.history(room, me.id, window).await?;
        let shows = |message: &Message| match what {
            Reported::Message(seq) => message.seq == *seq,
            Reported::Person(id) => {
                message.by.id == *id && !matches!(message.body, Body::System { .. })
            }
            Reported::Room => true,
        };
        let meant: Vec<&Message> = messages.iter().filter(|message| shows(message)).collect();
        if meant.is_empty() && matches!(what, Reported::Message(_)) {
            return Err(Error::NoSuchMessage);
        }
        let evidence: Vec<String> =
            meant.iter().rev().take(EVIDENCE).rev().map(|message| in_words(message)).collect();
        // Quoted, all of it: what visitors wrote must not look like lines of the log.
        warn!(
            target: "huechat::report",
            %room, title = ?found.title.as_str(), by = %me.id, owner = %found.owner.id, ?what, ?why, ?evidence,
            "somebody reported something",
        );
        Ok(())
    }
}

/// A message as the log has it: its number, who it is from, and what it says.
fn in_words(message: &Message) -> String {
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
