//! Splits a message's text into plain text, links and mentions. The scripts split it the same way.

use linkify::{LinkFinder, LinkKind};

use crate::domain::Name;

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Words(String),
    /// A link with `http` or `https`.
    Link(String),
    /// A mention of a person, as `@Teal 204`.
    Mention(Name),
}

pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]).url_can_be_iri(false);
    let mut pieces = Vec::new();
    let mut plain = String::new();
    // A link ends at the first character that is not ASCII: another script, an invisible character
    // or a direction override could disguise its target.
    for stretch in text.as_bytes().chunk_by(|one, next| one.is_ascii() == next.is_ascii()) {
        let stretch = str::from_utf8(stretch).unwrap_or_default(); // Valid: cut between characters.
        for span in finder.spans(stretch) {
            let words = span.as_str();
            let web = words.starts_with("http://") || words.starts_with("https://");
            if span.kind().is_some() && web {
                add_words(&mut pieces, &std::mem::take(&mut plain));
                pieces.push(Piece::Link(words.to_owned()));
            } else {
                plain.push_str(words);
            }
        }
    }
    add_words(&mut pieces, &plain);
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

/// Parses `@` and a name at the start of a text; returns the name and the rest.
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
    fn a_link_shows_where_it_leads_whatever_is_put_into_it() {
        let linked = |text: &str| -> Vec<String> {
            let links = pieces(text).into_iter().filter_map(|piece| match piece {
                Piece::Link(address) => Some(address),
                _ => None,
            });
            links.collect()
        };
        // A direction override, an invisible character and a letter of another script each end a
        // link.
        assert_eq!(linked("https://good.example/\u{202e}moc.live"), ["https://good.example/"]);
        assert_eq!(linked("\u{202e}https://good.example/"), ["https://good.example/"]);
        assert_eq!(linked("https://go\u{200b}od.example/"), ["https://go"]);
        assert_eq!(linked("https://g\u{43e}od.example/"), ["https://g"]);
        assert_eq!(linked("https://\u{43e}good.example/"), [""; 0]);
        assert_eq!(linked("java\u{200b}script:alert(1) data:text/html,x"), [""; 0]);
        for address in ["https://good.example@evil.example/", "https://xn--gd-jka.example/"] {
            assert_eq!(linked(address), [address]);
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
