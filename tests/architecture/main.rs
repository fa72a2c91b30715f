//! Holds what ARCHITECTURE.md says: who may know whom, who may use which library, and how large a
//! file may grow.

#[cfg(test)]
mod paths;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use paths::paths_of;

/// The modules of the crate, each with those that it may know. A module may know its own children.
const MAY_KNOW: [(&str, &[&str]); 10] = [
    ("domain", &[]),
    ("store", &["domain"]),
    ("media", &["domain"]),
    ("bus", &["domain"]),
    ("chat", &["domain", "store", "media", "bus"]),
    ("session", &["domain", "store", "chat"]),
    ("config", &["chat"]),
    ("web", &["domain", "chat", "session", "sockets::protocol"]),
    ("sockets", &["domain", "chat", "session", "bus"]),
    ("gateway", &["domain", "chat", "session", "bus", "sockets::protocol"]),
];

/// What puts the pieces together: it may know everything.
const ASSEMBLERS: [&str; 3] = ["app", "lib", "main"];

/// Libraries that belong to some modules only.
const LIBRARIES: [(&str, &[&str]); 8] = [
    ("mongodb", &["store::mongo"]),
    ("rusqlite", &["store::sqlite"]),
    ("object_store", &["media"]),
    ("socketioxide", &["sockets", "app"]),
    ("axum", &["web", "gateway", "app"]),
    ("askama", &["web"]),
    ("tower_sessions", &["session", "web", "app"]),
    ("std::env", &["config", "main"]),
];

/// What carries messages to and from the outside is for the edges: the rules know nothing of it.
const NOT_FOR_RULES: [&str; 11] = [
    "axum_extra",
    "cookie",
    "headers",
    "http",
    "hyper",
    "multer",
    "reqwest",
    "tokio_tungstenite",
    "tower",
    "tower_http",
    "url",
];

/// The rules are pure: neither time that passes nor anything outside the process.
const NOT_FOR_DOMAIN: [&str; 7] =
    ["async_trait", "futures_util", "std::fs", "std::net", "std::process", "std::thread", "tokio"];

/// Past this there is a second idea in a file. The style asks for 350.
const MAX_LINES: usize = 400;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder that end in one of these, but not those that other tools put there.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("public/lib") {
            found.extend(files(&path, endings));
        } else if endings.iter().any(|ending| path.extension().is_some_and(|e| e == *ending)) {
            found.push(path);
        }
    }
    found
}

/// Whether a path is in a module, or is it.
fn is_in(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn top(path: &str) -> &str {
    path.split("::").next().unwrap()
}

/// Each module of `src` with every path that its file names.
fn sources() -> BTreeMap<String, BTreeSet<String>> {
    let src = root().join("src");
    let sources: BTreeMap<_, _> = files(&src, &["rs"])
        .iter()
        .map(|file| {
            let module = paths::module_of(file.strip_prefix(&src).unwrap());
            let text = fs::read_to_string(file).unwrap();
            let found = paths_of(&module, &text);
            (module, found)
        })
        .collect();
    assert!(sources.len() > 20, "the sources were not found");
    sources
}

/// What is wrong with a module's paths into its own crate.
fn wrong_arrows(module: &str, paths: &BTreeSet<String>) -> Vec<String> {
    if ASSEMBLERS.contains(&top(module)) {
        return Vec::new();
    }
    let Some((name, allowed)) = MAY_KNOW.iter().find(|(name, _)| *name == top(module)) else {
        return vec![format!("{module} is no module that this test knows")];
    };
    let inside = paths.iter().filter_map(|path| path.strip_prefix("crate::"));
    inside
        .filter(|path| !is_in(path, name) && !allowed.iter().any(|allowed| is_in(path, allowed)))
        .map(|path| format!("{module} knows {path}"))
        .collect()
}

/// What is wrong with the libraries that a module names.
fn wrong_libraries(module: &str, paths: &BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for path in paths {
        let foreign = LIBRARIES
            .iter()
            .filter(|(library, _)| is_in(path, library))
            .any(|(_, owners)| !owners.iter().any(|owner| is_in(module, owner)));
        let in_rules = ["domain", "chat"].contains(&top(module));
        let carrier = in_rules && NOT_FOR_RULES.iter().any(|library| is_in(path, library));
        let in_domain = top(module) == "domain";
        let impure = in_domain && NOT_FOR_DOMAIN.iter().any(|library| is_in(path, library));
        if foreign || carrier || impure {
            wrong.push(format!("{module} uses {path}"));
        }
    }
    wrong
}

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
        arrows("web::room", "use crate::sockets::Sockets;"),
        ["web::room knows sockets::Sockets"]
    );
    assert_eq!(
        arrows("chat::lane", "fn f() { super::super::web::routes() }"),
        ["chat::lane knows web::routes"]
    );
    assert_eq!(arrows("attic", ""), ["attic is no module that this test knows"]);
    assert!(
        arrows("web::room", "use crate::{sockets::protocol::Room, chat::{self, Chat}};").is_empty()
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
