//! `docs/asyncapi.yaml` and the schemas in `docs/gateway.md` are what the code says. `WRITE_PROTOCOL=1` writes them anew, as `make protocol` does, which then
//! makes the constants and types of the pages of the first, too.

#![cfg(test)]

use std::{collections::BTreeSet, fs, path::Path};

use huechat::{
    protocol::frames as gateway,
    protocol::{client_events, document, server_events},
};

const DOCUMENT: &str = "docs/asyncapi.yaml";
const MANUAL: &str = "docs/gateway.md";

#[test]
fn the_document_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    let said = serde_saphyr::to_string(&document::asyncapi()).unwrap();
    if std::env::var_os("WRITE_PROTOCOL").is_some() {
        fs::write(&path, &said).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == said, "{DOCUMENT} is not what the code says: run `make protocol`");
}

#[test]
fn the_manual_of_the_gateway_ends_in_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(MANUAL);
    let kept = fs::read_to_string(&path).unwrap();
    let words = kept.split(gateway::HEAD).next().unwrap();
    let said = format!("{words}{}", gateway::section());
    if std::env::var_os("WRITE_PROTOCOL").is_some() {
        fs::write(&path, &said).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap();
    assert!(kept == said, "{MANUAL} is not what the code says: run `make protocol`");
}

#[test]
fn the_document_has_every_name_of_the_code_and_no_other() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    let kept: serde_json::Value =
        serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let messages = kept["components"]["messages"].as_object().unwrap();
    for (kind, events) in [("told_", server_events::all()), ("asked_", client_events::all())] {
        let documented: BTreeSet<&str> = messages
            .iter()
            .filter(|(key, _)| key.starts_with(kind))
            .map(|(_, message)| message["name"].as_str().unwrap())
            .collect();
        let named: BTreeSet<&str> = events.iter().map(|event| event.name).collect();
        assert_eq!(documented, named);
    }
}
