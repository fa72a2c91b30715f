//! Messages, their order, and pages of history.

use super::{ClientId, Gif, Person, PersonId, RoomId, Timestamp, visible::is_blank};

/// A message's sequence number in its room: increasing, with gaps, never reused. 0 precedes the
/// first.
pub type Seq = i64;

/// The reason for refusing a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// No visible character.
    #[error("a message has at least one character")]
    Empty,
    /// Longer than [`MessageText::MAX_CHARS`].
    #[error("a message has at most {} characters", MessageText::MAX_CHARS)]
    TooLong,
}

/// The text of a message: 1 to 2,000 characters (Unicode scalar values), without trailing white
/// space or leading empty lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageText(String);

impl MessageText {
    /// Largest length, in Unicode scalar values.
    pub const MAX_CHARS: usize = 2_000;

    /// # Errors
    /// When no visible character is left, or more than 2,000 characters are.
    pub fn parse(raw: &str) -> Result<Self, InvalidText> {
        let text = raw.trim_end().trim_start_matches(['\r', '\n']);
        match text.chars().count() {
            _ if is_blank(text) => Err(InvalidText::Empty),
            n if n > Self::MAX_CHARS => Err(InvalidText::TooLong),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, to put into the store.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

macro_rules! system_codes {
    ($($name:ident $code:literal $english:literal),* $(,)?) => {
        /// The kind of a system message, for pages to translate.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the English sentence beside each says it")]
        pub enum SystemCode { $($name),* }

        impl SystemCode {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code for programs and translations.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The kind with this code.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }

            /// The English sentence about `person`, for programs.
            #[must_use]
            pub fn english(self, person: &Person) -> String {
                match self { $(Self::$name => format!($english, person.name)),* }
            }
        }
    };
}

system_codes! {
    Joined "joined" "{} joined",
    Left "left" "{} left",
    Kicked "kicked" "{} was removed",
    Owner "owner" "{} owns the room now",
    Renamed "renamed" "{} renamed the room",
    Capacity "capacity" "{} changed how many fit in",
    Password "password" "{} changed the password",
    Locked "locked" "{} locked the room",
    Unlocked "unlocked" "{} unlocked the room",
}

/// The content of a stored message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A text for everybody.
    Text(String),
    /// A GIF for everybody.
    Gif(Gif),
    /// A system message about a person.
    System {
        /// The kind of system message.
        code: SystemCode,
        /// The person it is about.
        person: Person,
    },
    /// A whisper: a text for one person.
    Whisper {
        /// The recipient.
        to: Person,
        /// The text.
        text: String,
    },
    /// A deleted text.
    DeletedText,
    /// A deleted GIF.
    DeletedGif,
    /// A deleted whisper.
    DeletedWhisper {
        /// The recipient.
        to: Person,
    },
}

impl Body {
    /// `chat`, `gif`, `system` or `whisper`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::DeletedText => "chat",
            Self::Gif(_) | Self::DeletedGif => "gif",
            Self::System { .. } => "system",
            Self::Whisper { .. } | Self::DeletedWhisper { .. } => "whisper",
        }
    }

    /// The remains after deletion; `None` for a system message, which cannot be deleted.
    #[must_use]
    pub fn deleted(&self) -> Option<Self> {
        match self {
            Self::Text(_) | Self::DeletedText => Some(Self::DeletedText),
            Self::Gif(_) | Self::DeletedGif => Some(Self::DeletedGif),
            Self::Whisper { to, .. } | Self::DeletedWhisper { to } => {
                Some(Self::DeletedWhisper { to: to.clone() })
            }
            Self::System { .. } => None,
        }
    }
}

/// A stored message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The store's id.
    pub id: String,
    /// The room.
    pub room: RoomId,
    /// Its sequence number in the room.
    pub seq: Seq,
    /// The author; for a system message, the person it is about or who acted.
    pub by: Person,
    /// The content.
    pub body: Body,
    /// The sender's own id for it.
    pub client_id: Option<ClientId>,
    /// Time of sending.
    pub at: Timestamp,
}

impl Message {
    /// Whether `viewer` may see it. Only whispers between other people are hidden.
    #[must_use]
    pub fn is_seen_by(&self, viewer: &PersonId) -> bool {
        match &self.body {
            Body::Whisper { to, .. } | Body::DeletedWhisper { to } => {
                self.by.id == *viewer || to.id == *viewer
            }
            _ => true,
        }
    }

    /// Whether the message is public: everybody in the room sees it.
    #[must_use]
    pub fn is_public(&self) -> bool {
        !matches!(self.body, Body::Whisper { .. } | Body::DeletedWhisper { .. })
    }

    /// The message after `who` has deleted it. `None` when they may not: people delete their own
    /// messages, and the owner any public one.
    #[must_use]
    pub fn deleted_by(&self, who: &PersonId, owner: bool) -> Option<Self> {
        let may = self.by.id == *who || (owner && self.is_public());
        let body = self.body.deleted().filter(|_| may)?;
        Some(Self { body, ..self.clone() })
    }
}

/// The author of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    /// A person who must have a seat when it is stored. Their name comes from the seat.
    Seated(PersonId),
    /// The room itself, in a system message about this person, who may have left.
    System(Person),
}

/// The content of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DraftBody {
    /// A text for everybody.
    Text(MessageText),
    /// A GIF for everybody.
    Gif(Gif),
    /// A whisper to one person, who must have a seat when it is stored.
    Whisper {
        /// The recipient.
        to: PersonId,
        /// The text.
        text: MessageText,
    },
    /// A system message about its [`Author::System`], or about something that they did to `person`.
    System {
        /// The kind of system message.
        code: SystemCode,
        /// The person it is about.
        person: Person,
    },
}

impl DraftBody {
    /// Length of its text, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Text(text) | Self::Whisper { text, .. } => text.as_str().len(),
            Self::Gif(_) | Self::System { .. } => 0,
        }
    }

    /// Whether the message will be public.
    #[must_use]
    pub fn is_public(&self) -> bool {
        !matches!(self, Self::Whisper { .. })
    }
}

/// A draft: a message before it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The author.
    pub author: Author,
    /// The content.
    pub body: DraftBody,
    /// The sender's own id for it. The store keeps one message for each room, person and id.
    pub client_id: Option<ClientId>,
    /// Time of sending.
    pub at: Timestamp,
}

/// Why a draft was not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppendError {
    /// There is no such room, or no longer.
    NoSuchRoom,
    /// The author has no seat in the room.
    NotInRoom,
    /// The recipient of the whisper has no seat in the room.
    NotHere,
}

impl Draft {
    /// The person whose message it is.
    #[must_use]
    pub fn author_id(&self) -> &PersonId {
        match &self.author {
            Author::Seated(id) => id,
            Author::System(person) => &person.id,
        }
    }

    /// The message that this draft becomes. `seated` finds the person in a seat of the room.
    ///
    /// # Errors
    /// The error of `seated`; and, as a value, the reason for rejecting the draft.
    pub fn resolve<E>(
        &self,
        room: &RoomId,
        id: String,
        seq: Seq,
        mut seated: impl FnMut(&PersonId) -> Result<Option<Person>, E>,
    ) -> Result<Result<Message, AppendError>, E> {
        let by = match &self.author {
            Author::System(person) => person.clone(),
            Author::Seated(id) => match seated(id)? {
                Some(person) => person,
                None => return Ok(Err(AppendError::NotInRoom)),
            },
        };
        let body = match &self.body {
            DraftBody::Text(text) => Body::Text(text.as_str().to_owned()),
            DraftBody::Gif(gif) => Body::Gif(gif.clone()),
            DraftBody::System { code, person } => {
                Body::System { code: *code, person: person.clone() }
            }
            DraftBody::Whisper { to, text } => match seated(to)? {
                Some(to) => Body::Whisper { to, text: text.as_str().to_owned() },
                None => return Ok(Err(AppendError::NotHere)),
            },
        };
        let (room, client_id) = (room.clone(), self.client_id.clone());
        Ok(Ok(Message { id, room, seq, by, body, client_id, at: self.at }))
    }
}

/// Which page of a room's history to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Window {
    /// The newest `limit` messages with a `seq` below `before`, or the newest of all.
    Latest {
        /// Only messages before this one.
        before: Option<Seq>,
        /// Largest number of messages.
        limit: usize,
    },
    /// The oldest `limit` messages with a `seq` above `after`.
    After {
        /// Only messages after this one.
        after: Seq,
        /// Largest number of messages.
        limit: usize,
    },
}

impl Window {
    /// Largest number of messages.
    #[must_use]
    pub fn limit(self) -> usize {
        match self {
            Self::Latest { limit, .. } | Self::After { limit, .. } => limit,
        }
    }
}

/// The messages of a [`Window`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The messages, by increasing `seq`.
    pub messages: Vec<Message>,
    /// Whether more messages follow in the direction of the window.
    pub more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_inner_lines_and_indentation() {
        let text = MessageText::parse("\n  one\n\n  two \n").unwrap();
        assert_eq!(text.as_str(), "  one\n\n  two");
    }

    #[test]
    fn only_spaces_are_nothing_and_2001_characters_are_too_many() {
        assert_eq!(MessageText::parse(" \n\t\u{3000} "), Err(InvalidText::Empty));
        assert!(MessageText::parse(&"가".repeat(2_000)).is_ok());
        assert_eq!(MessageText::parse(&"가".repeat(2_001)), Err(InvalidText::TooLong));
    }

    #[test]
    fn every_system_code_is_found_again() {
        assert!(
            SystemCode::ALL.iter().all(|code| SystemCode::from_code(code.code()) == Some(*code))
        );
        assert_eq!(SystemCode::from_code("danced"), None);
    }
}
