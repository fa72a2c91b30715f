//! Holds what ARCHITECTURE.md says: who may know whom, who may use which library, and how large a
//! file may grow.

#![cfg(test)]

mod paths;
mod rules;
mod sources;

use std::fs;

use paths::paths_of;
use rules::{wrong_arrows, wrong_libraries};
use sources::{files, root, sources};

/// Past this there is a second idea in a file. The style asks for 350.
const MAX_LINES: usize = 400;

#[test]
fn every_arrow_between_modules_points_one_way() {
    let wrong: Vec<_> =
        sources().iter().flat_map(|(module, paths)| wrong_arrows(module, paths)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_library_stays_in_its_modules() {
    let wrong: Vec<_> =
        sources().iter().flat_map(|(module, paths)| wrong_libraries(module, paths)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_holds_a_second_idea() {
    let mut long = Vec::new();
    for folder in ["src", "public", "views", "tests", "bench"] {
        for file in files(&root().join(folder), &["rs", "js", "mjs", "ts", "css", "html", "py"]) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            if lines > MAX_LINES {
                long.push(format!("{} has {lines} lines", file.display()));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn what_people_look_for_is_where_they_look() {
    for name in [
        ".env",
        "Cargo.toml",
        "Makefile",
        "package.json",
        "public",
        "schemas",
        "src",
        "tests",
        "uploads",
        "views",
    ] {
        assert!(root().join(name).exists(), "{name} is missing");
    }
}

#[test]
fn a_wrong_arrow_and_a_library_in_the_wrong_place_are_seen() {
    let arrows = |module, text| wrong_arrows(module, &paths_of(module, text));
    assert_eq!(
        arrows("domain::room", "use crate::store::Store;"),
        ["domain::room knows store::Store"]
    );
    assert_eq!(
        arrows("web::room", "use crate::socketio::SocketIoEdge;"),
        ["web::room knows socketio::SocketIoEdge"]
    );
    assert_eq!(
        arrows("chat::room_task", "fn f() { super::super::web::routes() }"),
        ["chat::room_task knows web::routes"]
    );
    assert_eq!(arrows("attic", ""), ["attic is no module that this test knows"]);
    assert!(
        arrows("web::room", "use crate::{protocol::Room, chat::{self, ChatService}};").is_empty()
    );
    assert!(arrows("app", "use crate::{web, store::sqlite::SqliteStore};").is_empty());

    let libraries = |module, text| wrong_libraries(module, &paths_of(module, text));
    assert_eq!(libraries("chat", "use axum::Router;"), ["chat uses axum::Router"]);
    assert_eq!(libraries("store", "type C = ::mongodb::Client;"), ["store uses mongodb::Client"]);
    assert_eq!(
        libraries("web", r#"fn f() { println!("{:?}", std::env::args()) }"#),
        ["web uses std::env::args"]
    );
    assert_eq!(libraries("domain::time", "use tokio::time;"), ["domain::time uses tokio::time"]);
    assert!(libraries("store::mongo::rows", "use mongodb::bson::doc;").is_empty());
    assert!(libraries("media::gif", "use ::gif::Frame; use super::gifs::X;").is_empty());
}
