//! Every word that a visitor reads has a text in every language, and no page speaks around the texts.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that unwraps says what it takes for granted"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use fluent_syntax::{
    ast::{Entry, Expression, InlineExpression, Pattern, PatternElement, Resource},
    parser,
};
use huechat::{
    chat::ErrorCode,
    domain::{Hue, Language, SystemCode},
    web::i18n::Texts,
};
use strum::VariantArray as _;

/// The codes of all refusals that somebody may see. Only programs ask for ranges.
fn refusals() -> impl Iterator<Item = &'static str> {
    ErrorCode::VARIANTS.iter().map(<&str>::from).filter(|code| *code != "out_of_range")
}

/// Keys that are put together: the start of each, and all of its ends.
fn composed() -> Vec<String> {
    let errors = [
        // Fields of forms.
        "title_empty",
        "title_too_long",
        "max_not_a_number",
        "max_out_of_range",
        "max_too_few",
        "language_unknown",
        "theme_unknown",
        "password_too_long",
        "why_too_long",
        "name_too_long",
        "empty",
        // What the page itself finds out.
        "timeout",
        "upload_failed",
        "gif_lost",
        "unknown",
    ];
    let refusals = refusals().chain(errors).map(|code| format!("error-{code}"));
    let states = [
        "connecting",
        "catching-up",
        "live",
        "reconnecting",
        "restarting",
        "unavailable",
        "too-fast",
        "offline",
        "ended",
    ]
    .map(|state| format!("state-{state}"));
    let waits = ["slow_down", "unavailable", "timeout", "upload_failed"]
        .map(|code| format!("waits-{code}"));
    let titles = ["unknown", "not_found", "no_such_room", "unavailable", "restarting", "slow_down"]
        .map(|code| format!("error-title-{code}"));
    let hues = Hue::ALL.map(|hue| format!("hue-{}", hue.code()));
    let system = SystemCode::ALL.iter().map(|code| format!("system-{}", code.code()));
    refusals.chain(states).chain(waits).chain(titles).chain(hues).chain(system).collect()
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("lib") {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "no .{extension} in {folder}");
    found
}

fn resource(language: Language) -> Resource<String> {
    let path = format!("{}/views/locales/{}.ftl", env!("CARGO_MANIFEST_DIR"), language.code());
    let source = fs::read_to_string(&path).unwrap();
    parser::parse(source).unwrap_or_else(|(_, errors)| panic!("{path}: {errors:?}"))
}

/// The variables of each text, by its key.
fn texts_of(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let mut texts = BTreeMap::new();
    for entry in resource(language).body {
        let Entry::Message(message) = entry else { continue };
        let key = message.id.name;
        let mut variables = BTreeSet::new();
        collect(&message.value.unwrap_or_else(|| panic!("{key} is empty")), &mut variables);
        assert!(texts.insert(key.clone(), variables).is_none(), "{key} is there twice");
    }
    texts
}

fn collect(pattern: &Pattern<String>, variables: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else { continue };
        let inline = match expression {
            Expression::Inline(inline) => inline,
            Expression::Select { selector, variants } => {
                for variant in variants {
                    collect(&variant.value, variables);
                }
                selector
            }
        };
        if let InlineExpression::VariableReference { id } = inline {
            variables.insert(id.name.clone());
        }
    }
}

/// The literal first arguments of calls of these functions.
fn keys_in(source: &str, calls: &[&str]) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for call in calls {
        for (at, _) in source.match_indices(call) {
            let arguments = &source[at + call.len()..];
            let Some(literal) = arguments.trim_start().strip_prefix('"') else { continue };
            keys.extend(literal.split('"').next().map(ToOwned::to_owned));
        }
    }
    keys
}

/// Every key that templates, Rust and scripts name, with where.
fn used() -> BTreeMap<String, PathBuf> {
    let mut used = BTreeMap::new();
    let mut sources = files("views", "html");
    sources.extend(files("src/web", "rs"));
    sources.extend(files("public/js", "js"));
    for path in sources {
        let source = fs::read_to_string(&path).unwrap();
        let shown = source.split("#[cfg(test)]").next().unwrap_or_default();
        let mut keys = keys_in(shown, &[".text(", ".with(", ".counting("]);
        keys.extend(conditional_keys(shown));
        used.extend(keys.into_iter().map(|key| (key, path.clone())));
    }
    used
}

/// Keys of `text(underway ? "cancel" : "discard")`.
fn conditional_keys(source: &str) -> BTreeSet<String> {
    let calls = source.split(".text(").skip(1).filter_map(|call| call.split(')').next());
    let choices = calls.filter_map(|call| call.split_once(" ? "));
    let literals = choices.flat_map(|(_, keys)| keys.split('"').skip(1).step_by(2));
    literals.map(ToOwned::to_owned).collect()
}

#[test]
fn every_text_is_in_every_language_with_the_same_variables() {
    let english = texts_of(Language::English);
    for language in Language::ALL {
        let texts = texts_of(language);
        for (key, variables) in &english {
            let theirs = texts.get(key).unwrap_or_else(|| panic!("{key} is not in {language:?}"));
            assert_eq!(theirs, variables, "{key} in {language:?}");
        }
        let extra: Vec<_> = texts.keys().filter(|key| !english.contains_key(*key)).collect();
        assert!(extra.is_empty(), "only in {language:?}: {extra:?}");
    }
}

#[test]
fn every_key_that_is_asked_for_has_a_text_and_no_text_is_forgotten() {
    let texts = texts_of(Language::English);
    let used = used();
    for (key, path) in &used {
        assert!(texts.contains_key(key), "{key}, asked for in {}, has no text", path.display());
    }
    let composed = composed();
    for key in &composed {
        assert!(texts.contains_key(key), "{key} has no text");
    }
    let forgotten: Vec<_> =
        texts.keys().filter(|key| !used.contains_key(*key) && !composed.contains(key)).collect();
    assert!(forgotten.is_empty(), "nothing asks for {forgotten:?}");
}

#[test]
fn every_code_of_a_refusal_has_words() {
    let texts = Texts(Language::English);
    let wordless: Vec<_> = refusals().filter(|code| !texts.has(&format!("error-{code}"))).collect();
    assert!(wordless.is_empty(), "{wordless:?}");
}

/// What is left of a template when tags and expressions are taken out, and the attributes that
/// are read out or shown.
fn words_of(template: &str) -> Vec<String> {
    let mut source = template.to_owned();
    for (open, close) in [("{{", "}}"), ("{%", "%}"), ("{#", "#}")] {
        while let Some(start) = source.find(open) {
            let end = source[start..].find(close).expect("an expression ends") + start;
            source.replace_range(start..end + close.len(), "");
        }
    }
    let mut words = Vec::new();
    for name in ["aria-label", "title", "placeholder", "alt"] {
        for (at, opening) in source.match_indices(&format!(" {name}=\"")) {
            let value = &source[at + opening.len()..];
            words.extend(value.split('"').next().map(ToOwned::to_owned));
        }
    }
    while let Some(start) = source.find('<') {
        let end = source[start..].find('>').expect("a tag ends") + start;
        source.replace_range(start..=end, "\n");
    }
    words.extend(source.lines().map(ToOwned::to_owned));
    words
}

#[test]
fn templates_hold_no_words_of_their_own() {
    for path in files("views", "html") {
        for words in words_of(&fs::read_to_string(&path).unwrap()) {
            let words = words.replace("Huechat", "");
            if words.starts_with("page-") {
                continue; // The body's class.
            }
            assert!(!words.contains(char::is_alphabetic), "{}: {words:?}", path.display());
        }
    }
}

#[test]
fn scripts_hold_no_words_of_their_own() {
    let shown = [
        "textContent = \"",
        "innerText = \"",
        "ariaLabel = \"",
        "title = \"",
        "placeholder = \"",
        "alt = \"",
        "\"aria-label\", \"",
        "innerHTML",
        "insertAdjacentHTML",
        "alert(",
        "prompt(",
        "confirm(",
    ];
    for path in files("public/js", "js") {
        let source = fs::read_to_string(&path).unwrap();
        for start in shown {
            for (at, _) in source.match_indices(start) {
                let literal = source[at + start.len()..].split('"').next().unwrap_or_default();
                assert!(
                    start.ends_with('"') && literal.is_empty(),
                    "{}: {start}{literal}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn the_finders_find() {
    assert_eq!(words_of("<p title=\"tip\">{{ x }}said</p>").join("|"), "tip||said");
    let keys = keys_in("t.text(\"a\") t.with(\n  \"b\", x) t.text(key)", &[".text(", ".with("]);
    assert_eq!(keys.into_iter().collect::<Vec<_>>(), ["a", "b"]);
    let choice = conditional_keys("t.text(on ? \"yes\" : \"no\")");
    assert_eq!(choice.into_iter().collect::<Vec<_>>(), ["no", "yes"]);
}
