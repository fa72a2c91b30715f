//! Who may know whom, and who may use which library.

use std::collections::BTreeSet;

/// The modules of the crate, each with those that it may know. A module may know its own children.
const MAY_KNOW: [(&str, &[&str]); 16] = [
    ("domain", &[]),
    ("store", &["domain"]),
    ("media", &["domain"]),
    ("bus", &["domain"]),
    ("system", &["domain"]),
    ("keyed_limit", &[]),
    ("data_dir", &[]),
    ("logging", &[]),
    ("chat", &["domain", "store", "media", "bus", "keyed_limit"]),
    ("session", &["domain", "store", "chat"]),
    ("config", &["chat", "net"]),
    ("net", &["keyed_limit"]),
    ("protocol", &["domain", "chat"]),
    ("web", &["domain", "chat", "session", "keyed_limit", "protocol"]),
    ("socketio", &["domain", "chat", "session", "bus", "net", "keyed_limit", "protocol"]),
    ("gateway", &["domain", "chat", "session", "bus", "protocol"]),
];

/// What puts the pieces together: it may know everything.
const ASSEMBLERS: [&str; 3] = ["app", "lib", "main"];

/// Libraries that belong to some modules only.
/// `reqwest` asks other servers: for the health check alone, as nothing that a visitor names is ever fetched.
const LIBRARIES: [(&str, &[&str]); 10] = [
    ("mongodb", &["store::mongo"]),
    ("rusqlite", &["store::sqlite"]),
    ("object_store", &["media"]),
    ("socketioxide", &["socketio", "app"]),
    ("tokio_tungstenite", &["gateway"]),
    ("axum", &["web", "gateway", "net", "app"]),
    ("askama", &["web"]),
    ("tower_sessions", &["session", "web", "app"]),
    ("reqwest", &["main"]),
    ("std::env", &["config", "main"]),
];

/// What carries messages to and from the outside is for the edges: the rules know nothing of it.
const NOT_FOR_RULES: [&str; 12] = [
    "axum_extra",
    "cookie",
    "headers",
    "http",
    "hyper",
    "hyper_util",
    "multer",
    "reqwest",
    "tokio_tungstenite",
    "tower",
    "tower_http",
    "url",
];

/// The rules are pure: neither time that passes nor anything outside the process.
const NOT_FOR_DOMAIN: [&str; 9] = [
    "argon2",
    "rand",
    "async_trait",
    "futures_util",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "tokio",
];

/// What is wrong with a module's paths into its own crate.
pub fn wrong_arrows(module: &str, paths: &BTreeSet<String>) -> Vec<String> {
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
pub fn wrong_libraries(module: &str, paths: &BTreeSet<String>) -> Vec<String> {
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

/// Whether a path is in a module, or is it.
fn is_in(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn top(path: &str) -> &str {
    path.split("::").next().unwrap_or(path)
}
