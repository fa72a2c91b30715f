//! Tokens: a bot's credentials in place of a cookie.

use std::fmt;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest as _, Sha256};
use unicode_segmentation::UnicodeSegmentation as _;

/// The text is not a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a token")]
pub struct InvalidToken;

/// A secret of 256 random bits. Its bearer is the bot.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Length of the secret, in bytes.
    pub const BYTES: usize = 32;
    /// Prefix by which secret scanners recognize a leaked token.
    const START: &str = "huechat_";

    /// The token with this secret.
    #[must_use]
    pub fn from_secret(secret: &[u8; Self::BYTES]) -> Self {
        Self(format!("{}{}", Self::START, BASE64URL_NOPAD.encode(secret)))
    }

    /// # Errors
    /// When `raw` is not `huechat_` and 32 bytes in base 64 for URLs.
    pub fn parse(raw: &str) -> Result<Self, InvalidToken> {
        let secret = raw.strip_prefix(Self::START).ok_or(InvalidToken)?;
        let bytes = BASE64URL_NOPAD.decode(secret.as_bytes()).map_err(|_| InvalidToken)?;
        if bytes.len() != Self::BYTES {
            return Err(InvalidToken);
        }
        Ok(Self(raw.to_owned()))
    }

    /// The token's text. Its creator sees it once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The token's hash, for the store.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(HEXLOWER.encode(&Sha256::digest(self.0.as_bytes())))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

/// SHA-256 of a token, in lower-case hexadecimal. The token cannot be recovered from it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenHash(String);

impl TokenHash {
    /// Restores a hash from the store.
    #[must_use]
    pub fn new<T: Into<String>>(raw: T) -> Self {
        Self(raw.into())
    }

    /// The hash, to put into the store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The reason for refusing a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a label has at most {} characters", BotLabel::MAX_CHARS)]
pub struct InvalidLabel;

/// A bot's label in its creator's list: 1 to 30 grapheme clusters on one line, trimmed. Nobody else
/// sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotLabel(String);

impl BotLabel {
    /// Largest length, in grapheme clusters.
    pub const MAX_CHARS: usize = 30;
    /// Largest length in bytes, because one grapheme cluster has no limit of its own.
    const MAX_BYTES: usize = 480;
    /// The default label.
    const USUAL: &str = "bot";

    /// Replaces control characters, including line breaks, with spaces. An empty text becomes
    /// `bot`.
    ///
    /// # Errors
    /// When more than 30 characters are left after trimming.
    pub fn parse(raw: &str) -> Result<Self, InvalidLabel> {
        let line = raw.replace(char::is_control, " ");
        let label = line.trim();
        if label.len() > Self::MAX_BYTES || label.graphemes(true).count() > Self::MAX_CHARS {
            return Err(InvalidLabel);
        }
        Ok(Self(if label.is_empty() { Self::USUAL } else { label }.to_owned()))
    }

    /// The label.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_again_and_never_shown_by_accident() {
        let token = Token::random();
        assert_eq!(Token::parse(token.reveal()), Ok(token.clone()));
        assert_ne!(token, Token::random());
        assert_eq!(format!("{token:?}"), "Token(hidden)");
        assert_eq!(token.hash().as_str().len(), 64);
        for raw in
            ["", "huechat_", "huechat_AAAA", &token.reveal()[8..], &format!("{}A", token.reveal())]
        {
            assert_eq!(Token::parse(raw), Err(InvalidToken), "{raw}");
        }
    }

    #[test]
    fn a_label_is_counted_as_a_reader_counts() {
        assert_eq!(BotLabel::parse("  dice\nbot ").unwrap().as_str(), "dice bot");
        assert_eq!(BotLabel::parse(" \t").unwrap().as_str(), "bot");
        assert!(BotLabel::parse(&"👩‍🚀".repeat(30)).is_ok());
        for long in ["x".repeat(31), "👩‍🚀".repeat(31), format!("e{}", "\u{301}".repeat(400))]
        {
            assert_eq!(BotLabel::parse(&long), Err(InvalidLabel));
        }
    }
}
