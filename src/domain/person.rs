//! Who somebody is here: an id for rights, a colour for the eye, a name for the tongue.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::{Color, Hue, PersonId};

/// Numbers are 1 to this, so that a name stays short.
const MAX_NUMBER: u16 = 999;

/// A colour word and a number: `Teal 204`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name {
    /// The colour word.
    pub hue: Hue,
    /// 1 to 999.
    pub number: u16,
}

impl Name {
    /// Reads what [`fmt::Display`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (word, number) = text.rsplit_once(' ')?;
        let number = number.parse().ok().filter(|n| (1..=MAX_NUMBER).contains(n))?;
        Some(Self { hue: Hue::from_word(word)?, number })
    }

    /// The name with the next number; after 999 comes 1.
    #[must_use]
    pub fn next(self) -> Self {
        Self { number: self.number % MAX_NUMBER + 1, ..self }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.hue.word(), self.number)
    }
}

/// Somebody, as everybody may see them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Person {
    /// What rights hang on.
    pub id: PersonId,
    /// What they are. Two people may share it.
    pub color: Color,
    /// What they are called. In one room no two people share it.
    pub name: Name,
}

impl Person {
    /// The person a session is: always the same one for the same secret and session.
    #[must_use]
    pub fn of_session(secret: &[u8], session: &str) -> Self {
        let color = Color::of_session(session);
        let digest = Sha256::digest(session.as_bytes());
        let number = u16::from_be_bytes([digest[2], digest[3]]) % MAX_NUMBER + 1;
        Self {
            id: PersonId::of_session(secret, session),
            color,
            name: Name { hue: color.hue(), number },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_survives_being_written_and_read() {
        let name = Name { hue: Hue::Teal, number: 204 };
        assert_eq!(name.to_string(), "Teal 204");
        assert_eq!(Name::parse("Teal 204"), Some(name));
    }

    #[test]
    fn what_is_not_a_name_is_refused() {
        for text in ["", "Teal", "Teal 0", "Teal 1000", "teal 1", "204 Teal"] {
            assert_eq!(Name::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_next_name_keeps_the_word_and_comes_round() {
        let last = Name { hue: Hue::Rose, number: 999 };
        assert_eq!(last.next(), Name { hue: Hue::Rose, number: 1 });
    }
}
