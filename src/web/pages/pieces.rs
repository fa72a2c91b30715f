//! What a text is made of: words, addresses to click on, and names of people. The scripts find the same.

use linkify::{LinkFinder, LinkKind};

use crate::domain::Name;

/// A stretch of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Words(String),
    /// An address with `http` or `https`, to click on.
    Link(String),
    /// Somebody is named, as `@Teal 204`.
    Mention(Name),
}

pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]).url_can_be_iri(false);
    let mut pieces = Vec::new();
    for span in finder.spans(text) {
        let words = span.as_str();
        let web = words.starts_with("http://") || words.starts_with("https://");
        if span.kind().is_some() && web {
            pieces.push(Piece::Link(words.to_owned()));
        } else {
            add_words(&mut pieces, words);
        }
    }
    pieces
}

fn add_words(pieces: &mut Vec<Piece>, words: &str) {
    let mut said = String::new();
    let mut rest = words;
    while let Some(at) = rest.find('@') {
        let (before, after) = rest.split_at(at);
        said.push_str(before);
        if let Some((name, behind)) = named(after) {
            if !said.is_empty() {
                pieces.push(Piece::Words(std::mem::take(&mut said)));
            }
            pieces.push(Piece::Mention(name));
            rest = behind;
        } else {
            said.push('@');
            rest = &after[1..];
        }
    }
    said.push_str(rest);
    if !said.is_empty() {
        pieces.push(Piece::Words(said));
    }
}

/// The name that a text begins with, after its `@`, and what is behind it.
fn named(text: &str) -> Option<(Name, &str)> {
    let text = text.strip_prefix('@')?;
    let word = text.find(|c: char| !c.is_ascii_alphabetic())?;
    let digits = text[word..].strip_prefix(' ')?;
    let digits = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (name, behind) = text.split_at(word + 1 + digits);
    Some((Name::parse(name)?, behind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Hue;

    fn words(text: &str) -> Piece {
        Piece::Words(text.to_owned())
    }

    fn link(address: &str) -> Piece {
        Piece::Link(address.to_owned())
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert_eq!(
            pieces("see https://example.com/a?b=1. or"),
            [words("see "), link("https://example.com/a?b=1"), words(". or")]
        );
        for text in ["javascript:alert(1)", "ftp://example.com", "example.com", "a@example.com"] {
            assert!(!pieces(text).iter().any(|piece| matches!(piece, Piece::Link(_))), "{text}");
        }
    }

    #[test]
    fn a_link_ends_where_korean_begins() {
        assert_eq!(
            pieces("https://example.com/에서 봐요"),
            [link("https://example.com/"), words("에서 봐요")]
        );
    }

    #[test]
    fn a_name_is_found_where_somebody_is_called_by_it() {
        let teal = || Piece::Mention(Name { hue: Hue::Teal, number: 204, bot: false });
        assert_eq!(pieces("@Teal 204"), [teal()]);
        assert_eq!(pieces("hi @Teal 204, tea?"), [words("hi "), teal(), words(", tea?")]);
        assert_eq!(pieces("@Teal 204님 @@Teal 204"), [teal(), words("님 @"), teal()]);
        for text in [
            "Teal 204",
            "@Teal",
            "@teal 204",
            "@Teal  204",
            "@Teal 0",
            "@Tea 204",
            "@",
            "@Teal 2040",
        ] {
            assert_eq!(pieces(text), [words(text)], "{text}");
        }
    }
}
