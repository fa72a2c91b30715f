//! The texts of pages in the reader's language: Fluent messages from `views/locales`.
//!
//! The page's scripts read the same files, so each language has one version of a text.

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use fluent_langneg::{LanguageIdentifier, NegotiationStrategy, negotiate_languages};

use crate::domain::{Language, Name, Person, SystemCode};

/// The best available language for an `Accept-Language` header (RFC 9110, 12.5.4).
#[must_use]
pub fn negotiate(accept_language: Option<&str>) -> Language {
    let requested = by_preference(accept_language.unwrap_or_default());
    let available: Vec<LanguageIdentifier> =
        Language::ALL.iter().filter_map(|language| language.code().parse().ok()).collect();
    let best = negotiate_languages(&requested, &available, None, NegotiationStrategy::Filtering);
    let best = best.first().map(ToString::to_string);
    best.as_deref().and_then(Language::from_code).unwrap_or(Language::English)
}

fn bundle(language: Language) -> &'static FluentBundle<FluentResource> {
    static ENGLISH: LazyLock<FluentBundle<FluentResource>> =
        LazyLock::new(|| read(Language::English, include_str!("../../views/locales/en.ftl")));
    static KOREAN: LazyLock<FluentBundle<FluentResource>> =
        LazyLock::new(|| read(Language::Korean, include_str!("../../views/locales/ko.ftl")));
    match language {
        Language::English => &ENGLISH,
        Language::Korean => &KOREAN,
    }
}

/// The languages of the header by falling weight; `fluent-langneg` does not read weights.
fn by_preference(header: &str) -> Vec<LanguageIdentifier> {
    let mut wanted: Vec<(f32, LanguageIdentifier)> = header
        .split(',')
        .filter_map(|entry| {
            let (tag, weight) = entry.split_once(';').unwrap_or((entry, "q=1"));
            let weight = weight.trim().strip_prefix("q=").and_then(|q| q.parse().ok());
            Some((weight.unwrap_or(0.0), tag.trim().parse().ok()?))
        })
        .filter(|(weight, _)| *weight > 0.0)
        .collect();
    wanted.sort_by(|(a, _), (b, _)| b.total_cmp(a)); // Stable: equals stay in the header's order.
    wanted.into_iter().map(|(_, language)| language).collect()
}

/// Parses a file of texts and skips invalid entries: the tests of the texts report them, and a
/// visitor sees the key.
fn read(language: Language, source: &str) -> FluentBundle<FluentResource> {
    let resource = match FluentResource::try_new(source.to_owned()) {
        Ok(resource) | Err((resource, _)) => resource,
    };
    let locale = language.code().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![locale]);
    bundle.set_use_isolating(false); // Both languages are written from left to right.
    bundle.add_resource_overriding(resource);
    bundle
}

/// The texts of one reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Texts(pub Language);

impl Texts {
    /// The language of the texts.
    #[must_use]
    pub fn language(self) -> Language {
        self.0
    }

    /// The text with this key.
    #[must_use]
    pub fn text(self, key: &str) -> String {
        self.format(key, None)
    }

    /// The text with this key and these variables.
    #[must_use]
    pub fn with(self, key: &str, variables: &[(&str, FluentValue<'_>)]) -> String {
        let arguments: FluentArgs<'_> =
            variables.iter().map(|(name, value)| (*name, value.clone())).collect();
        self.format(key, Some(&arguments))
    }

    /// The text with this key and the variable `count`.
    #[must_use]
    pub fn counting(self, key: &str, count: u32) -> String {
        self.with(key, &[("count", count.into())])
    }

    /// A person's name in a sentence: `Teal 204`, `청록 204`, `Teal 204 (bot)`.
    #[must_use]
    pub fn person(self, person: &Person) -> String {
        let name = self.name(&person.name);
        if person.name.bot { self.with("person-bot", &[("name", name.into())]) } else { name }
    }

    /// A name in the reader's language, without the mark of bots.
    #[must_use]
    pub fn name(self, name: &Name) -> String {
        let hue = self.text(&format!("hue-{}", name.hue.code()));
        self.with("person", &[("hue", hue.into()), ("number", name.number.to_string().into())])
    }

    /// The text of a system message.
    #[must_use]
    pub fn system(self, code: SystemCode, person: &Person) -> String {
        let key = format!("system-{}", code.code());
        self.with(&key, &[("person", self.person(person).into())])
    }

    /// The text of an error, with the next step. An unknown code gets a general text.
    #[must_use]
    pub fn error(self, code: &str) -> String {
        let key = format!("error-{code}");
        self.text(if self.has(&key) { &key } else { "error-unknown" })
    }

    /// The same, for a code whose text names a limit.
    #[must_use]
    pub fn error_counting(self, code: &str, count: u32) -> String {
        let key = format!("error-{code}");
        self.counting(if self.has(&key) { &key } else { "error-unknown" }, count)
    }

    /// Whether there is a text with this key.
    #[must_use]
    pub fn has(self, key: &str) -> bool {
        bundle(self.0).has_message(key)
    }

    /// Formats a text. A missing text shows its key, so that the gap is visible and the page works.
    fn format(self, key: &str, arguments: Option<&FluentArgs<'_>>) -> String {
        let bundle = bundle(self.0);
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            tracing::error!(key, language = self.0.code(), "text missing");
            return key.to_owned();
        };
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, arguments, &mut errors).into_owned();
        if !errors.is_empty() {
            tracing::error!(key, ?errors, "text with a variable missing");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_liked_best_is_spoken_and_english_when_none_is_known() {
        let cases = [
            (None, Language::English),
            (Some(""), Language::English),
            (Some("*"), Language::English),
            (Some("fr-FR,de;q=0.8"), Language::English),
            (Some("ko"), Language::Korean),
            (Some("ko-KR,ko;q=0.9,en-US;q=0.8"), Language::Korean),
            (Some("fr,ko;q=0.2"), Language::Korean),
            (Some("ko;q=0.1,en;q=0.9"), Language::English),
            (Some("ko;q=0,en;q=0.1"), Language::English),
            (Some("\u{0};;;,=q"), Language::English),
        ];
        for (header, language) in cases {
            assert_eq!(negotiate(header), language, "{header:?}");
        }
    }

    #[test]
    fn a_person_is_called_by_the_readers_word() {
        let person = Person::of_session(b"secret", "session");
        let english = Texts(Language::English).person(&person);
        let korean = Texts(Language::Korean).person(&person);
        assert_eq!(english, person.name.to_string());
        assert_ne!(english, korean);
        assert!(korean.ends_with(&format!(" {}", person.name.number)), "{korean}");
    }

    #[test]
    fn a_missing_key_shows_itself_and_an_unknown_error_gets_words() {
        let texts = Texts(Language::English);
        assert_eq!(texts.text("no-such-key"), "no-such-key");
        assert_eq!(texts.error("no_such_code"), texts.text("error-unknown"));
        assert_ne!(texts.error("room_full"), texts.text("error-unknown"));
    }
}
