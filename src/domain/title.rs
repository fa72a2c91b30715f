//! The title of a room.

use super::visible::is_blank;

/// The reason for refusing a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTitle {
    /// No visible character.
    #[error("a title has at least one character")]
    Empty,
    /// Longer than [`RoomTitle::MAX_CHARS`].
    #[error("a title has at most {} characters", RoomTitle::MAX_CHARS)]
    TooLong,
}

/// A room's title: 1 to 60 characters (Unicode scalar values) on one line, trimmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomTitle(String);

impl RoomTitle {
    /// Largest length, in Unicode scalar values.
    pub const MAX_CHARS: usize = 60;

    /// Replaces control characters, including line breaks, with spaces.
    ///
    /// # Errors
    /// When no visible character is left, or more than 60 characters are.
    pub fn parse(raw: &str) -> Result<Self, InvalidTitle> {
        let line = raw.replace(char::is_control, " ");
        let title = line.trim();
        match title.chars().count() {
            _ if is_blank(title) => Err(InvalidTitle::Empty),
            n if n > Self::MAX_CHARS => Err(InvalidTitle::TooLong),
            _ => Ok(Self(title.to_owned())),
        }
    }

    /// The title.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_trimmed_counted_in_characters_and_kept_on_one_line() {
        assert_eq!(RoomTitle::parse("  tea  ").unwrap().as_str(), "tea");
        assert_eq!(RoomTitle::parse("a\nb").unwrap().as_str(), "a b");
        assert!(RoomTitle::parse(&"🫖".repeat(60)).is_ok());
        assert_eq!(RoomTitle::parse(&"🫖".repeat(61)), Err(InvalidTitle::TooLong));
        assert_eq!(RoomTitle::parse(" \n "), Err(InvalidTitle::Empty));
    }
}
