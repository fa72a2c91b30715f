//! A person: an id for permissions, a colour and a name.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::{Color, Hue, PersonId, TokenId};

/// Largest number in a name. Keeps names short.
const MAX_NUMBER: u16 = 999;

/// A colour word and a number: `Teal 204`. A bot's name is marked: `Teal 204 (bot)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name {
    /// The colour word.
    pub hue: Hue,
    /// 1 to 999.
    pub number: u16,
    /// Whether it is the name of a bot.
    pub bot: bool,
}

/// The suffix of a bot's name.
const OF_A_BOT: &str = " (bot)";

impl Name {
    /// Parses the output of [`fmt::Display`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.strip_suffix(OF_A_BOT);
        let (word, number) = plain.unwrap_or(text).rsplit_once(' ')?;
        let number = number.parse().ok().filter(|n| (1..=MAX_NUMBER).contains(n))?;
        Some(Self { hue: Hue::from_word(word)?, number, bot: plain.is_some() })
    }

    /// The name with the next number; 1 follows 999.
    #[must_use]
    pub fn next(self) -> Self {
        Self { number: self.number % MAX_NUMBER + 1, ..self }
    }

    /// The word and number without the bot suffix, unique in a room: the form used in mentions.
    #[must_use]
    pub fn plain(self) -> Self {
        Self { bot: false, ..self }
    }

    /// The same for a person and for a bot.
    #[must_use]
    pub fn of_either(self) -> [Self; 2] {
        [false, true].map(|bot| Self { bot, ..self })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bot = if self.bot { OF_A_BOT } else { "" };
        write!(f, "{} {}{bot}", self.hue.word(), self.number)
    }
}

/// A person's public identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Person {
    /// The id, which permissions refer to.
    pub id: PersonId,
    /// The colour. Two people may share it.
    pub color: Color,
    /// The name. Unique within a room.
    pub name: Name,
}

impl Person {
    /// The person of a session. Deterministic for a secret and session.
    #[must_use]
    pub fn of_session(secret: &[u8], session: &str) -> Self {
        let color = Color::of_session(session);
        let digest = Sha256::digest(session.as_bytes());
        let number = u16::from_be_bytes([digest[2], digest[3]]) % MAX_NUMBER + 1;
        Self {
            id: PersonId::of_session(secret, session),
            color,
            name: Name { hue: color.hue(), number, bot: false },
        }
    }

    /// The bot of a token. Deterministic for a secret and token.
    #[must_use]
    pub fn of_token(secret: &[u8], token: &TokenId) -> Self {
        let person = Self::of_session(secret, &format!("token {token}"));
        Self { name: Name { bot: true, ..person.name }, ..person }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_survives_being_written_and_read() {
        let name = Name { hue: Hue::Teal, number: 204, bot: false };
        let bot = Name { bot: true, ..name };
        for (name, written) in [(name, "Teal 204"), (bot, "Teal 204 (bot)")] {
            assert_eq!(name.to_string(), written);
            assert_eq!(Name::parse(written), Some(name));
        }
        assert_eq!(bot.plain(), name);
    }

    #[test]
    fn what_is_not_a_name_is_refused() {
        for text in
            ["", "Teal", "Teal 0", "Teal 1000", "teal 1", "204 Teal", "Teal 1(bot)", "(bot)"]
        {
            assert_eq!(Name::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_next_name_keeps_the_word_and_comes_round() {
        let last = Name { hue: Hue::Rose, number: 999, bot: true };
        assert_eq!(last.next(), Name { number: 1, ..last });
    }

    #[test]
    fn a_token_is_always_the_same_bot_and_nobody_else() {
        let token = TokenId::random();
        let bot = Person::of_token(b"secret", &token);
        assert!(bot.name.bot);
        assert_eq!(bot, Person::of_token(b"secret", &token));
        assert_ne!(bot.id, Person::of_token(b"other", &token).id);
        assert_ne!(bot.id, Person::of_session(b"secret", token.as_str()).id);
    }
}
