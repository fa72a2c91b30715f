//! The files of the project.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use crate::paths::{module_of, paths_of};

/// The folder of `Cargo.toml`.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder that end in one of these, but not those that other tools put there.
pub fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let is_ours = !path.ends_with("public/lib") && !path.ends_with("node_modules");
        if path.is_dir() && is_ours {
            found.extend(files(&path, endings));
        } else if endings.iter().any(|ending| path.extension().is_some_and(|e| e == *ending)) {
            found.push(path);
        }
    }
    found
}

/// Each module of `src` with every path that its file names.
pub fn sources() -> BTreeMap<String, BTreeSet<String>> {
    let src = root().join("src");
    let sources: BTreeMap<_, _> = files(&src, &["rs"])
        .iter()
        .map(|file| {
            let module = module_of(file.strip_prefix(&src).unwrap());
            let text = fs::read_to_string(file).unwrap();
            let found = paths_of(&module, &text);
            (module, found)
        })
        .collect();
    assert!(sources.len() > 20, "the sources were not found");
    sources
}
