//! `docs/asyncapi.yaml`, `docs/openapi.yaml` and the schemas in `docs/gateway.md` are what the code says. `WRITE_PROTOCOL=1` writes them anew, as `make protocol` does, which then
//! makes the constants and types of the pages of the first, too.

#![cfg(test)]

use std::{collections::BTreeSet, fs, path::Path};

use huechat::{
    chat::ErrorCode,
    protocol::frames as gateway,
    protocol::{client_events, document, server_events},
    web::{openapi, operations},
};
use serde_json::Value;
use strum::VariantArray as _;

const EVENTS: &str = "docs/asyncapi.yaml";
const OPERATIONS: &str = "docs/openapi.yaml";
const MANUAL: &str = "docs/gateway.md";

#[test]
fn the_documents_are_what_the_code_says() {
    for (file, document) in [(EVENTS, document::asyncapi()), (OPERATIONS, openapi::document())] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let said = serde_saphyr::to_string(&document).unwrap();
        if std::env::var_os("WRITE_PROTOCOL").is_some() {
            fs::write(&path, &said).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == said, "{file} is not what the code says: run `make protocol`");
    }
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
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(EVENTS);
    let kept: Value = serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap();
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

/// The codes of each status in the table of `docs/protocol.md`.
fn documented_codes(manual: &str) -> BTreeSet<(String, String)> {
    let (_, table) = manual.split_once("| status | codes |\n").unwrap();
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let known: Vec<&str> = ErrorCode::VARIANTS.iter().map(<&str>::from).collect();
    let mut codes = BTreeSet::new();
    for row in rows {
        let (status, text) = row.trim_matches('|').split_once('|').unwrap();
        let spans = text.split('`').skip(1).step_by(2);
        let names = spans.filter(|span| known.contains(span));
        codes.extend(names.map(|code| (status.trim().to_owned(), code.to_owned())));
    }
    codes
}

/// The codes of each status in the document of the operations.
fn codes_of_operations(document: &Value) -> BTreeSet<(String, String)> {
    let operations = document["paths"].as_object().unwrap().values();
    let operations = operations.flat_map(|path| path.as_object().unwrap().values());
    let responses = operations.flat_map(|operation| operation["responses"].as_object().unwrap());
    let mut codes = BTreeSet::new();
    for (status, response) in responses {
        let response = match response["$ref"].as_str() {
            Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
            None => response,
        };
        let error = "/content/application~1json/schema/properties/error/properties/code/enum";
        let names = response.pointer(error).and_then(Value::as_array).into_iter().flatten();
        codes.extend(names.map(|code| (status.clone(), code.as_str().unwrap().to_owned())));
    }
    codes
}

#[test]
fn the_manual_has_the_codes_of_every_operation_with_their_status() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/protocol.md");
    let mut said = codes_of_operations(&openapi::document());
    // No operation refuses with these.
    said.insert(("405".to_owned(), "method_not_allowed".to_owned()));
    assert_eq!(documented_codes(&fs::read_to_string(path).unwrap()), said);
}

#[test]
fn the_manual_has_every_operation_for_programs_and_no_other() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/protocol.md");
    let manual = fs::read_to_string(path).unwrap();
    let spans = manual.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    let named = spans.filter_map(|span| {
        let (method, rest) = span.split_once(' ')?;
        methods.contains(&method).then(|| format!("{method} {}", shape(rest)))
    });
    let served = operations::ALL.iter().filter(|operation| !FOR_PAGES.contains(&operation.name));
    let served = served.map(|operation| format!("{} {}", operation.method, shape(operation.path)));
    let (named, served): (BTreeSet<String>, BTreeSet<String>) = (named.collect(), served.collect());
    assert_eq!(named, served);
}

/// What pages need; the manual is for authors of clients. It has sockets under a heading of their own.
const FOR_PAGES: [&str; 9] = [
    "ROOM_FORM",
    "REVOKE_TOKENS_BY_FORM",
    "REVOKE_TOKEN_BY_FORM",
    "SOCKET_IO",
    "SOCKET_IO_PACKETS",
    "GATEWAY",
    "ASSET",
    "FAVICON",
    "ROBOTS",
];

/// A path without the names of its parameters and without its query.
fn shape(path: &str) -> String {
    let path = path.split(['?', ' ']).next().unwrap();
    let segments = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    segments.collect::<Vec<_>>().join("/")
}
