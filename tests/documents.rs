//! The documents are true: every setting is documented with its default, and every link leads somewhere.

#![cfg(test)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Name and value of each setting in `.env` syntax.
fn settings_in(text: &str) -> BTreeMap<String, String> {
    dotenvy::from_read_iter(text.as_bytes()).collect::<Result<_, _>>().unwrap()
}

/// What `huechat` prints with these arguments when nothing is set.
fn huechat(arguments: &[&str]) -> String {
    let empty = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_huechat"))
        .args(arguments)
        .env_clear()
        .current_dir(empty.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Name and default of each setting, as `huechat config` prints them when nothing is set.
fn defaults() -> BTreeMap<String, String> {
    settings_in(&huechat(&["config"]))
}

/// Name and default of each option that takes a value, from the text of `--help`.
fn settings_in_help(text: &str) -> BTreeMap<String, String> {
    let (_, settings) = text.split_once("\nSettings:\n").unwrap();
    let options = settings.split("\n      --").map(|option| option.trim_start_matches("      --"));
    let setting = |option: &str| {
        let (_, option) = option.split_once(" <").unwrap();
        let (name, about) = option.split_once('>').unwrap();
        let (_, default) = about.split_once("[default: ").unwrap_or_default();
        (name.to_owned(), default.split(']').next().unwrap().to_owned())
    };
    options.map(setting).collect()
}

/// The code spans in the first two columns of each row of the table whose head is `setting`, `default`.
fn settings_in_readme(text: &str) -> Vec<[Vec<String>; 2]> {
    let (mut rows, mut cells, mut cell) = (Vec::new(), Vec::<Vec<String>>::new(), Vec::new());
    let (mut head, mut in_settings) = (String::new(), false);
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::TableHead) => head.clear(),
            Event::Text(text) => head.push_str(&text),
            Event::End(TagEnd::TableHead) => in_settings = head.starts_with("settingdefault"),
            Event::Start(Tag::TableRow) => cells.clear(),
            Event::Start(Tag::TableCell) => cell = Vec::new(),
            Event::Code(code) => cell.push(code.into_string()),
            Event::End(TagEnd::TableCell) => cells.push(std::mem::take(&mut cell)),
            Event::End(TagEnd::TableRow) if in_settings => {
                rows.push([cells[0].clone(), cells[1].clone()]);
            }
            _ => {}
        }
    }
    rows
}

#[test]
fn the_file_of_settings_has_every_setting_with_its_default_and_no_other() {
    let documented = settings_in(&fs::read_to_string(root().join(".env")).unwrap());
    assert_eq!(documented, defaults());
}

#[test]
fn the_readme_has_every_setting_with_its_default_and_no_other() {
    let rows = settings_in_readme(&fs::read_to_string(root().join("README.md")).unwrap());
    let defaults = defaults();
    let documented: BTreeSet<&str> =
        rows.iter().flat_map(|[names, _]| names).map(String::as_str).collect();
    assert_eq!(documented, defaults.keys().map(String::as_str).collect());
    for [names, values] in &rows {
        let expected: Vec<&str> =
            names.iter().map(|name| &*defaults[name]).filter(|value| !value.is_empty()).collect();
        assert_eq!(values, &expected, "{names:?}");
    }
}

#[test]
fn the_help_has_every_setting_with_its_default_and_no_other() {
    for command in ["serve", "config", "healthcheck"] {
        assert_eq!(settings_in_help(&huechat(&[command, "--help"])), defaults(), "{command}");
    }
}

/// The Markdown files of the project, but not those of installed packages.
fn documents() -> Vec<PathBuf> {
    let folders = ["", "docs", "docs/adr", "docs/how-to", "bench", "bench/results"];
    let files = folders.iter().flat_map(|folder| fs::read_dir(root().join(folder)).unwrap());
    let files = files.map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect()
}

/// The links of a document to files of the project that are not there.
fn broken_links(folder: &Path, text: &str) -> Vec<String> {
    let links = Parser::new_ext(text, Options::ENABLE_TABLES).filter_map(|event| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some(dest_url),
        _ => None,
    });
    let local = links.filter(|link| !link.contains("://") && !link.starts_with('#'));
    local
        .filter(|link| !folder.join(link.split('#').next().unwrap()).exists())
        .map(pulldown_cmark::CowStr::into_string)
        .collect()
}

#[test]
fn every_link_of_a_document_leads_to_a_file() {
    let documents = documents();
    assert!(documents.len() > 15, "the documents were not found");
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        let broken = broken_links(document.parent().unwrap(), &text);
        assert!(broken.is_empty(), "{}: {broken:?}", document.display());
    }
}

/// The first `from … to …` after `start`, whose numbers are of this unit.
fn range_after(text: &str, start: &str, unit: Duration) -> [Duration; 2] {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("{start} is not there"));
    let (_, range) = rest.split_once("from ").unwrap_or_else(|| panic!("no range after {start}"));
    let (least, rest) = range.split_once(" to ").unwrap();
    let most: String = rest.chars().take_while(|char| "0123456789,".contains(*char)).collect();
    [least, &most].map(|number| unit.mul_f64(number.replace(',', "").parse().unwrap()))
}

/// What the program says against a heartbeat, if anything.
fn refusal_of(heartbeat: Duration) -> Option<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_huechat"));
    let seconds = heartbeat.as_secs_f64().to_string();
    let output = command.args(["config", "--heartbeat", &seconds]).env_clear().output().unwrap();
    (!output.status.success()).then(|| String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_limits_of_heartbeats_are_the_same_in_every_document_and_in_the_program() {
    const MS: Duration = Duration::from_millis(1);
    const SECOND: Duration = Duration::from_secs(1);
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let manual = read("docs/gateway.md");
    let limits = range_after(&manual, "The operator sets this time", MS);
    for (text, start) in [
        (read("README.md"), "| `HEARTBEAT` |"),
        (read(".env"), "TOKEN_DAYS=90"),
        (huechat(&["config", "--help"]), "--heartbeat"),
    ] {
        assert_eq!(range_after(&text, start, SECOND), limits, "{start}");
    }

    let [least, most] = limits;
    assert_eq!(limits.map(refusal_of), [None, None]);
    for beyond in [least.mul_f64(0.99), most + MS] {
        let refusal = refusal_of(beyond).expect("it is beyond the limits");
        assert_eq!(range_after(&refusal, "HEARTBEAT", SECOND), limits, "{refusal}");
    }
    let (_, schema) = manual.split_once("\"heartbeatMs\": {").unwrap();
    let (schema, _) = schema.split_once('}').unwrap();
    for (name, limit) in [("minimum", least), ("maximum", most)] {
        let expected = format!("\"{name}\": {}", limit.as_millis());
        assert!(schema.contains(&expected), "{expected} is not in {schema}");
    }
    let default = SECOND.mul_f64(defaults()["HEARTBEAT"].parse().unwrap());
    assert!(manual.contains(&format!("{{\"heartbeatMs\":{}}}", default.as_millis())));
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let text = "[a](src/lib.rs#x) ![b](nowhere.png) [c](https://example.org) | [d](attic/)";
    assert_eq!(broken_links(&root(), text), ["nowhere.png", "attic/"]);
}
