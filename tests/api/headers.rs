//! What every answer tells a browser to do with it, whatever it is an answer to.

use reqwest::{Method, Response, header};
use serde_json::{Value, json};

use crate::{
    common::{Backend, Browser, gifs},
    on_both_stores,
};

on_both_stores!(
    every_answer_carries_the_headers_that_bind_a_browser,
    browsers_are_bound_to_https_where_that_is_public_and_nowhere_else,
    a_gif_is_an_image_and_nothing_else,
);

const POLICY: &str = "default-src 'self'; img-src 'self' blob:; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'; object-src 'none'";

fn assert_bound(what: &str, answer: &Response) {
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        let found = answer.headers().get(name).unwrap_or_else(|| panic!("{what}: no {name}"));
        assert_eq!(found, value, "{what}: {name}");
        assert_eq!(answer.headers().get_all(name).iter().count(), 1, "{what}: {name}");
    }
    let is_asset = ["/favicon.ico", "/public/"].iter().any(|path| what.starts_with(path));
    let expected = if is_asset { "public, max-age=31536000, immutable" } else { "no-store" };
    let cache = answer.headers().get(header::CACHE_CONTROL).map(|value| value.to_str().unwrap());
    assert_eq!(cache, Some(expected), "{what}");
    let permissions = answer.headers()["permissions-policy"].to_str().unwrap();
    for off in ["camera=()", "geolocation=()", "microphone=()", "payment=()", "usb=()"] {
        assert!(permissions.contains(off), "{what}: {permissions}");
    }
}

/// One of each kind of answer.
async fn answers(browser: &Browser) -> Vec<(String, Response)> {
    let room = browser.create_room("tea", 2).await;
    let page = browser.get("/").await.text().await.unwrap();
    let style = page.split('"').find(|part| part.ends_with("/people.css")).unwrap().to_owned();
    let paths = ["/", "/room", "/nowhere", "/healthz", "/readyz", "/favicon.ico", "/?error=kicked"];
    let polling = "/socket.io/?EIO=4&transport=polling";
    let of_room = [format!("/room/{room}"), format!("/room/{room}/chat"), style];
    let mut all = Vec::new();
    for path in paths.into_iter().chain([polling]).map(ToOwned::to_owned).chain(of_room) {
        for accept in ["text/html", "application/json"] {
            let request = browser.request(Method::GET, &path).header(header::ACCEPT, accept);
            all.push((format!("{path} as {accept}"), request.send().await.unwrap()));
        }
    }
    let made = browser.request(Method::POST, "/room").form(&[("title", "tea"), ("max", "2")]);
    all.push(("a room that is made".to_owned(), made.send().await.unwrap()));
    let refused = browser.request(Method::POST, "/room").json(&json!({ "title": "", "max": 0 }));
    all.push(("a refusal".to_owned(), refused.send().await.unwrap()));
    let wrong = browser.request(Method::PUT, "/");
    all.push(("a wrong method".to_owned(), wrong.send().await.unwrap()));
    let foreign = browser.request(Method::POST, "/room").header("sec-fetch-site", "cross-site");
    all.push(("another site's request".to_owned(), foreign.send().await.unwrap()));
    all
}

async fn every_answer_carries_the_headers_that_bind_a_browser(on: Backend) {
    let server = on.server().await;
    for (what, answer) in answers(&server.browser().await).await {
        assert_bound(&what, &answer);
        let https = header::STRICT_TRANSPORT_SECURITY;
        assert!(
            !answer.headers().contains_key(https),
            "{what}: this server is not public by https"
        );
    }
}

async fn browsers_are_bound_to_https_where_that_is_public_and_nowhere_else(on: Backend) {
    let server = on.server_with(&[("PUBLIC_URL", "https://chat.example")]).await;
    for (what, answer) in answers(&server.browser().await).await {
        assert_bound(&what, &answer);
        assert_eq!(
            answer.headers()[header::STRICT_TRANSPORT_SECURITY],
            "max-age=31536000",
            "{what}"
        );
    }
}

/// A GIF whose comment is a page, and behind whose end there is a script and an archive.
fn polyglot() -> Vec<u8> {
    let mut file = gifs::with_everything();
    let trailer = file.pop().unwrap();
    let page = b"<html><script>alert(1)</script></html>";
    file.extend([0x21, 0xFE, u8::try_from(page.len()).unwrap()]);
    file.extend(page);
    file.extend([0, trailer]);
    file.extend(b"*/=1;alert(2)//PK\x05\x06");
    file
}

async fn a_gif_is_an_image_and_nothing_else(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 5).await;
    let _inside = browser.enter(&room).await;
    let (status, chat): (_, Value) = browser.upload(&room, polyglot()).await;
    assert_eq!(status, 201, "{chat}");
    for (file, kind) in [("url", "image/gif"), ("poster", "image/png")] {
        let answer = browser.get(chat["gif"][file].as_str().unwrap()).await;
        let headers = answer.headers().clone();
        assert_eq!(headers[header::CONTENT_TYPE], kind);
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[header::CONTENT_DISPOSITION], "inline");
        assert_eq!(headers[header::CONTENT_SECURITY_POLICY], "default-src 'none'; sandbox");
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
        let bytes = answer.bytes().await.unwrap();
        for part in ["<script", "alert", "PK\x05", "secret"] {
            let found = bytes.windows(part.len()).any(|window| window == part.as_bytes());
            assert!(!found, "{part} is in the {file}");
        }
    }
    // A name is a hash, and no path from outside leads anywhere.
    for name in ["..%2f..%2fdata%2fhuechat.sqlite3", "%2e%2e/x.gif", "a.gif", "x.html", "%00.gif"] {
        let answer = browser.get(&format!("/gif/{room}/{name}")).await;
        assert_eq!(answer.status(), 404, "{name}");
    }
}
