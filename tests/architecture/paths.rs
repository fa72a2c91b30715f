//! Finds the paths that a source file names, in `use` and anywhere else, macros among it.

use std::{collections::BTreeSet, path::Path};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The module that a file below `src` is: `web::room` for `web/room.rs` and `web/room/mod.rs`.
pub fn module_of(file: &Path) -> String {
    let path = file.with_extension("");
    let names: Vec<_> = path.iter().map(|name| name.to_str().unwrap()).collect();
    match names.as_slice() {
        [folders @ .., "mod"] if !folders.is_empty() => folders.join("::"),
        names => names.join("::"),
    }
}

/// Every path of more than one name, with `self` and `super` resolved, `use` trees written out.
/// Those into this crate begin with `crate`.
pub fn paths_of(module: &str, text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let module = match module {
        "lib" | "main" => Vec::new(),
        module => module.split("::").map(str::to_owned).collect(),
    };
    let tokens: Vec<_> = text.parse::<TokenStream>().unwrap().into_iter().collect();
    collect(&module, &tokens, &mut found);
    found
}

fn collect(module: &[String], mut tokens: &[TokenTree], found: &mut BTreeSet<String>) {
    while let Some(first) = tokens.first() {
        tokens = match (first, tokens) {
            (
                TokenTree::Ident(word),
                [_, TokenTree::Ident(name), TokenTree::Group(body), rest @ ..],
            ) if word == "mod" && body.delimiter() == Delimiter::Brace => {
                let inner = [module, &[name.to_string()]].concat();
                collect(&inner, &all(body.stream()), found);
                rest
            }
            (TokenTree::Ident(_), _) => path(module, &[], tokens, found),
            (TokenTree::Group(group), [_, rest @ ..]) => {
                collect(module, &all(group.stream()), found);
                rest
            }
            _ => &tokens[1..],
        };
    }
}

/// Reads one path, and whatever a brace at its end holds, and returns what follows.
fn path<'a>(
    module: &[String],
    before: &[String],
    tokens: &'a [TokenTree],
    found: &mut BTreeSet<String>,
) -> &'a [TokenTree] {
    let mut names = before.to_vec();
    let mut rest = tokens;
    while let [TokenTree::Ident(name), after @ ..] = rest {
        names.push(name.to_string());
        rest = after;
        let [TokenTree::Punct(a), TokenTree::Punct(b), after @ ..] = rest else { break };
        if a.as_char() != ':' || b.as_char() != ':' {
            break;
        }
        rest = after;
        if let [TokenTree::Group(group), after @ ..] = rest {
            let branches = all(group.stream());
            for branch in
                branches.split(|token| matches!(token, TokenTree::Punct(p) if p.as_char() == ','))
            {
                path(module, &names, branch, found);
            }
            return after;
        }
    }
    if names.len() > 1 {
        found.insert(resolve(module, names).join("::"));
    }
    // A lone sign, such as the star of a glob, would be read for ever.
    if rest.len() == tokens.len() { rest.get(1..).unwrap_or_default() } else { rest }
}

fn resolve(module: &[String], names: Vec<String>) -> Vec<String> {
    let ups = names.iter().take_while(|name| *name == "super").count();
    let this = usize::from(names[0] == "self");
    let mut absolute = Vec::new();
    if ups + this > 0 {
        absolute.push("crate".to_owned());
        absolute.extend_from_slice(&module[..module.len().saturating_sub(ups)]);
    }
    absolute.extend(names.into_iter().skip(ups + this));
    // `use a::{self}` names `a`.
    if absolute.last().is_some_and(|last| last == "self") {
        absolute.pop();
    }
    absolute
}

fn all(stream: TokenStream) -> Vec<TokenTree> {
    stream.into_iter().collect()
}

#[test]
fn paths_are_found_wherever_they_are() {
    let text = r#"
        //! Not here: crate::nowhere::at_all.
        use crate::{a::{self, b as c}, d::*};
        use super::sibling;
        fn f() -> ::outside::Thing { if x { macro_rules::call!("{}", std::env::var("X")) } }
        mod inner { use super::f; use super::super::sibling::g; }
    "#;
    let found = paths_of("web::room", text);
    let found: Vec<_> = found.iter().map(String::as_str).collect();
    assert_eq!(
        found,
        [
            "crate::a",
            "crate::a::b",
            "crate::d",
            "crate::web::room::f",
            "crate::web::sibling",
            "crate::web::sibling::g",
            "macro_rules::call",
            "outside::Thing",
            "std::env::var",
        ]
    );
}

#[test]
fn a_file_is_its_module() {
    for (file, module) in [
        ("lib.rs", "lib"),
        ("chat/mod.rs", "chat"),
        ("chat/room_task.rs", "chat::room_task"),
        ("web/pages.rs", "web::pages"),
        ("web/pages/line.rs", "web::pages::line"),
    ] {
        assert_eq!(module_of(Path::new(file)), module);
    }
}
