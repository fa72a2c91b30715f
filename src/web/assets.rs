//! Styles, scripts, icons and texts: inside the program, and under an address that changes with
//! their content, so that a browser never asks twice for what it has.

use std::{borrow::Cow, sync::LazyLock};

use axum::{
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use data_encoding::HEXLOWER;
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest as _, Sha256};

use crate::domain::Color;

/// `npm ci` puts it there. Without it no page is alive: what is built before must not look as if it were whole.
const _: &[u8] = include_bytes!("../../public/lib/socket.io.js");

#[derive(RustEmbed)]
#[folder = "public/"]
#[exclude = "*.d.ts"]
struct Public;

#[derive(RustEmbed)]
#[folder = "views/locales/"]
struct Locales;

/// The classes that give elements a person's colour: `c-rrggbb` sets `--person`.
static PEOPLE_CSS: LazyLock<String> = LazyLock::new(|| {
    let rule = |color: Color| {
        let (light, dark) = (color.hex(), color.hex_on_dark());
        format!(".c-{}{{--person:light-dark({light},{dark})}}\n", light.trim_start_matches('#'))
    };
    Color::all().map(rule).collect()
});

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut digest = Sha256::new();
    let public = Public::iter().filter_map(|path| Public::get(&path));
    for file in public.chain(Locales::iter().filter_map(|path| Locales::get(&path))) {
        digest.update(file.metadata.sha256_hash());
    }
    digest.update(PEOPLE_CSS.as_bytes());
    HEXLOWER.encode(&digest.finalize()[..8])
});

/// Where a page finds a file of `public/`, the texts as `locales/en.ftl`, or `people.css`.
#[must_use]
pub fn url(path: &str) -> String {
    format!("/public/{}/{path}", *VERSION)
}

fn find(path: &str) -> Option<(Cow<'static, [u8]>, String)> {
    if path == "people.css" {
        return Some((PEOPLE_CSS.as_bytes().into(), "text/css".to_owned()));
    }
    let file: EmbeddedFile = match path.strip_prefix("locales/") {
        Some(locale) => Locales::get(locale)?,
        None => Public::get(path)?,
    };
    let kind = match path.rsplit_once('.') {
        Some((_, "ftl")) => "text/plain".to_owned(),
        _ => file.metadata.mimetype().to_owned(),
    };
    Some((file.data, kind))
}

/// `GET /public/{version}/{path}`. Another version's address is answered with what there is now,
/// but not to be kept: a page from before a deploy finds its scripts.
pub(super) async fn serve(Path((version, path)): Path<(String, String)>) -> Response {
    let Some((data, kind)) = find(&path) else { return StatusCode::NOT_FOUND.into_response() };
    let kind = if kind.starts_with("text/") { format!("{kind}; charset=utf-8") } else { kind };
    let keep = if version == *VERSION {
        HeaderValue::from_static("public, max-age=31536000, immutable")
    } else {
        HeaderValue::from_static("no-store")
    };
    ([(header::CONTENT_TYPE, kind)], [(header::CACHE_CONTROL, keep)], data).into_response()
}

/// `GET /favicon.ico`, for whoever asks without reading the page.
pub(super) async fn favicon() -> Response {
    serve(Path((VERSION.clone(), "icons/icon.svg".to_owned()))).await
}
