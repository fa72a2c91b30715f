//! Styles, scripts, icons and texts, embedded in the program. Their addresses change with their
//! content, so browsers cache them forever.

use std::{borrow::Cow, sync::LazyLock};

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use data_encoding::HEXLOWER;
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest as _, Sha256};

use super::{
    error_pages::refuse,
    extract::{Path, Reader},
};
use crate::{chat::Error, domain::Color};

/// `npm ci` creates this file. The build fails without it, because no page works without it.
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

/// The address of a file of `public/`, of texts such as `locales/en.ftl`, or of `people.css`.
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

/// `GET /public/{version}/{path}`. An address of another version serves the current file without
/// caching, so that a page from before a deployment finds its scripts.
pub(super) async fn serve(
    reader: Reader,
    Path((version, path)): Path<(String, String)>,
) -> Response {
    let Some((data, kind)) = find(&path) else { return refuse(reader, Error::NotFound) };
    let kind = if kind.starts_with("text/") { format!("{kind}; charset=utf-8") } else { kind };
    let cache = if version == *VERSION {
        HeaderValue::from_static("public, max-age=31536000, immutable")
    } else {
        HeaderValue::from_static("no-store")
    };
    ([(header::CONTENT_TYPE, kind)], [(header::CACHE_CONTROL, cache)], data).into_response()
}

/// `GET /favicon.ico`, for clients that do not read the page's `link`.
pub(super) async fn favicon(reader: Reader) -> Response {
    serve(reader, Path((VERSION.clone(), "icons/icon.svg".to_owned()))).await
}

/// `GET /robots.txt`: rooms are for people who were sent their links.
pub(super) async fn robots() -> &'static str {
    "User-agent: *\nDisallow: /room/\nDisallow: /gif/\n"
}
