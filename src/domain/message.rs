//! Messages, their order, and the stretches of history that people ask for.

use super::{ClientId, Gif, Person, PersonId, RoomId, Timestamp, visible::shows_nothing};

/// A message's place in its room: rises, may skip, never repeats. 0 is before the first.
pub type Seq = i64;

/// Why a text is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Nothing that shows.
    #[error("a message has at least one character")]
    Empty,
    /// Longer than [`MessageText::MAX_CHARS`].
    #[error("a message has at most {} characters", MessageText::MAX_CHARS)]
    TooLong,
}

/// What somebody says: 1 to 2,000 characters (Unicode scalar values), trimmed at its end and of
/// empty lines at its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageText(String);

impl MessageText {
    /// The longest, in Unicode scalar values.
    pub const MAX_CHARS: usize = 2_000;

    /// # Errors
    /// When nothing is left that shows, or more than 2,000 characters are.
    pub fn parse(raw: &str) -> Result<Self, InvalidText> {
        let text = raw.trim_end().trim_start_matches(['\r', '\n']);
        match text.chars().count() {
            _ if shows_nothing(text) => Err(InvalidText::Empty),
            n if n > Self::MAX_CHARS => Err(InvalidText::TooLong),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text itself, for a store to keep.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

macro_rules! system_codes {
    ($($name:ident $code:literal $english:literal),* $(,)?) => {
        /// What a system message says, for pages to translate.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the English sentence beside each says it")]
        pub enum SystemCode { $($name),* }

        impl SystemCode {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// What programs and translations call it.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The code's meaning.
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

/// What a stored message holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Words for everybody.
    Text(String),
    /// A GIF for everybody.
    Gif(Gif),
    /// Something that happened to a person.
    System {
        /// What happened.
        code: SystemCode,
        /// To whom.
        person: Person,
    },
    /// Words for one person.
    Whisper {
        /// Who hears it.
        to: Person,
        /// The words.
        text: String,
    },
    /// Words that were deleted.
    DeletedText,
    /// A GIF that was deleted.
    DeletedGif,
    /// Words for one person that were deleted.
    DeletedWhisper {
        /// Who heard it.
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

    /// What is left once it is deleted; `None` for what the room itself says.
    #[must_use]
    pub fn emptied(&self) -> Option<Self> {
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
    /// What the store calls it.
    pub id: String,
    /// Where it was said.
    pub room: RoomId,
    /// Its place there.
    pub seq: Seq,
    /// Who said it; of a system message, whom it is about or who did it.
    pub by: Person,
    /// What was said.
    pub body: Body,
    /// What its sender calls it.
    pub client_id: Option<ClientId>,
    /// When it was said.
    pub at: Timestamp,
}

impl Message {
    /// Whether `viewer` may see it: everybody may, but for whispers of others.
    #[must_use]
    pub fn is_seen_by(&self, viewer: &PersonId) -> bool {
        match &self.body {
            Body::Whisper { to, .. } | Body::DeletedWhisper { to } => {
                self.by.id == *viewer || to.id == *viewer
            }
            _ => true,
        }
    }

    /// Whether everybody in the room sees it.
    #[must_use]
    pub fn is_public(&self) -> bool {
        !matches!(self.body, Body::Whisper { .. } | Body::DeletedWhisper { .. })
    }

    /// The message once `who` has deleted it: their own, or as the owner anybody's that everybody sees.
    /// `None` when it is not theirs to delete.
    #[must_use]
    pub fn emptied_by(&self, who: &PersonId, owner: bool) -> Option<Self> {
        let may = self.by.id == *who || (owner && self.is_public());
        let body = self.body.emptied().filter(|_| may)?;
        Some(Self { body, ..self.clone() })
    }
}

/// Who a message is from, before it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    /// Somebody who must have a seat when it is stored; they are called as their seat says.
    Seated(PersonId),
    /// The room itself, about this person, who may have left.
    System(Person),
}

/// What a message says, before it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DraftBody {
    /// Words for everybody.
    Text(MessageText),
    /// A GIF for everybody.
    Gif(Gif),
    /// Words for one person, who must have a seat when it is stored.
    Whisper {
        /// Who hears it.
        to: PersonId,
        /// The words.
        text: MessageText,
    },
    /// Something that happened to the person who is its [`Author::System`], or whom they did it to.
    System {
        /// What happened.
        code: SystemCode,
        /// To whom.
        person: Person,
    },
}

impl DraftBody {
    /// How many bytes of words it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Text(text) | Self::Whisper { text, .. } => text.as_str().len(),
            Self::Gif(_) | Self::System { .. } => 0,
        }
    }

    /// Whether everybody in the room will see it.
    #[must_use]
    pub fn is_public(&self) -> bool {
        !matches!(self, Self::Whisper { .. })
    }
}

/// A message that is not stored yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Who it is from.
    pub author: Author,
    /// What it says.
    pub body: DraftBody,
    /// What its sender calls it: the same person's same id in the same room is stored once.
    pub client_id: Option<ClientId>,
    /// When it was said.
    pub at: Timestamp,
}

/// A stretch of a room's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Window {
    /// The newest `limit` messages whose `seq` is below `before`, or of all.
    Latest {
        /// Only messages before this one.
        before: Option<Seq>,
        /// How many at most.
        limit: usize,
    },
    /// The oldest `limit` messages whose `seq` is above `after`.
    After {
        /// Only messages after this one.
        after: Seq,
        /// How many at most.
        limit: usize,
    },
}

impl Window {
    /// How many at most.
    #[must_use]
    pub fn limit(self) -> usize {
        match self {
            Self::Latest { limit, .. } | Self::After { limit, .. } => limit,
        }
    }
}

/// What a [`Window`] showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// In the order of `seq`, rising.
    pub messages: Vec<Message>,
    /// Whether there are more in the direction that was asked for.
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
