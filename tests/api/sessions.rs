//! Sessions: who somebody is, kept and found again.

use futures_util::future::join_all;
use mongodb::bson::{Document, doc};
use reqwest::{StatusCode, header};
use rusqlite::Connection;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    common::{Backend, Browser, gifs, server::Home, soon},
    on_both_stores,
};

on_both_stores!(
    the_first_page_sets_a_cookie_that_scripts_cannot_read,
    a_person_stays_who_they_are,
    over_https_the_cookie_is_for_secure_connections_only,
    health_needs_no_session,
    the_public_files_need_no_session_and_are_kept_for_good,
    every_page_forbids_what_it_does_not_need,
    a_page_speaks_the_readers_language,
    whoever_logs_out_is_somebody_else_and_their_sockets_fall_silent,
    whose_session_an_admin_deletes_is_refused_from_then_on,
    a_request_that_was_held_back_does_nothing_for_a_session_that_has_ended,
    rooms_that_are_unlocked_at_once_are_all_unlocked,
    a_language_and_a_theme_that_are_chosen_at_once_both_stay,
);

async fn rooms_that_are_unlocked_at_once_are_all_unlocked(on: Backend) {
    let server = on.server_with(&[("RATE_PASSWORDS", "off")]).await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let mut rooms = Vec::new();
    for title in ["one", "two", "three", "four", "five"] {
        let form = json!({ "title": title, "max": 3, "password": "sesame" });
        rooms.push(anna.create(&form).await);
    }

    let links = rooms.iter().map(|room| format!("/room/{room}?password=sesame"));
    join_all(links.map(async |link| assert_eq!(ben.get(&link).await.status(), 303))).await;

    for room in &rooms {
        let entered = ben.try_enter(json!({ "room": room })).await;
        assert_eq!(entered.err(), None, "{room}");
    }
}

async fn a_language_and_a_theme_that_are_chosen_at_once_both_stay(on: Backend) {
    let server = on.server().await;
    for _ in 0..10 {
        let anna = server.browser().await;
        let (language, theme) = (json!({ "language": "ko" }), json!({ "theme": "dark" }));
        let both =
            tokio::join!(anna.post_json("/reader", &language), anna.post_json("/reader", &theme),);
        assert_eq!((both.0.0, both.1.0), (StatusCode::NO_CONTENT, StatusCode::NO_CONTENT));

        let page = anna.get("/").await.text().await.unwrap();
        assert!(page.contains("<html lang=\"ko\""), "{page}");
        assert!(page.contains("data-theme=\"dark\""), "{page}");
    }
}

/// A request whose body waits, as far as the server has read it.
async fn hold_back(of: &Browser, path: &str, kind: &str, body: &[u8]) -> TcpStream {
    let mut held = TcpStream::connect(of.address).await.unwrap();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {}\r\naccept: application/json\r\ncookie: {}\r\n\
         content-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\
         expect: 100-continue\r\n\r\n",
        of.address,
        of.cookie.as_deref().unwrap(),
        body.len(),
    );
    held.write_all(request.as_bytes()).await.unwrap();
    // It says so once somebody reads the body.
    let mut go_on = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    soon("the server to ask for more", held.read_exact(&mut go_on)).await.unwrap();
    held
}

/// Sends the body; returns the status and the rest.
async fn go_on(mut held: TcpStream, body: &[u8]) -> String {
    held.write_all(body).await.unwrap();
    let mut answer = String::new();
    soon("the answer", held.read_to_string(&mut answer)).await.unwrap();
    answer.strip_prefix("HTTP/1.1 ").unwrap().to_owned()
}

async fn a_request_that_was_held_back_does_nothing_for_a_session_that_has_ended(on: Backend) {
    let server = on.server_with(&[("ROOM_GRACE", "3600")]).await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 4).await;
    let (mut bens, _) = ben.enter(&room).await;
    let (mut annas, _) = anna.enter(&room).await;
    let json = "application/json";
    let parts = "multipart/form-data; boundary=b";
    let head = b"--b\r\nContent-Disposition: form-data; name=\"gif\"; filename=\"a.gif\"\r\n\r\n";
    let gif = [head.as_slice(), &gifs::animation(4, 4, 2), b"\r\n--b--\r\n"].concat();
    let path = |what: &str| format!("/room/{room}/{what}");
    let requests: [(String, &str, &[u8]); 4] = [
        ("/reader".to_owned(), json, br#"{"theme":"dark"}"#),
        (path("chat"), json, br#"{"chat":"I have logged out"}"#),
        (path("whisper"), json, br#"{"to":"aaaaaaaaaaaa","chat":"I have logged out"}"#),
        (path("gif"), parts, &gif),
    ];
    let mut held = Vec::new();
    for (path, kind, body) in &requests {
        held.push((hold_back(&anna, path, kind, body).await, body));
    }

    let left = anna.post_form("/logout", &[]).await;
    assert!(left.status().is_redirection());
    let (_, error) = annas.events_until_the_end().await.pop().unwrap();
    assert_eq!(error["code"], "unauthorized");
    let mut answers = Vec::new();
    for (held, body) in held {
        answers.push(go_on(held, body).await);
    }

    // As a stranger, who may choose a theme and has no seat.
    for (answer, status) in answers.iter().zip(["204", "403", "403", "401"]) {
        assert!(answer.starts_with(status), "{status}: {answer}");
    }
    let entered = anna.try_enter(json!({ "room": room })).await;
    assert_eq!(entered.err().as_deref(), Some("unauthorized"));
    bens.say("all that was said").await;
    let (_, history) = ben.get_json(&path("chat")).await;
    let kinds = history["chats"].as_array().unwrap().iter().map(|chat| &chat["kind"]);
    assert_eq!(kinds.filter(|kind| *kind != "system").count(), 1, "{history}");
}

async fn the_first_page_sets_a_cookie_that_scripts_cannot_read(on: Backend) {
    let server = on.server().await;

    let first = Browser::without_cookie(server.address).get("/").await;

    let cookie = first.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("huechat.sid="), "{cookie}");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "{cookie}");
}

async fn over_https_the_cookie_is_for_secure_connections_only(on: Backend) {
    let server = on.server_with(&[("PUBLIC_URL", "https://chat.example")]).await;

    let first = Browser::without_cookie(server.address).get("/").await;

    let cookie = first.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-huechat.sid=") && cookie.contains("Secure"), "{cookie}");
    assert!(cookie.contains("Path=/") && !cookie.contains("Domain"), "{cookie}");
    assert!(first.headers().contains_key(header::STRICT_TRANSPORT_SECURITY));
}

async fn a_person_stays_who_they_are(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let one = browser.create_room("one", 2).await;
    let two = browser.create_room("two", 2).await;

    let (_a, first) = browser.enter(&one).await;
    let (_b, second) = browser.enter(&two).await;
    let again = browser.get("/").await;

    assert_eq!(first["you"], second["you"]);
    assert!(!again.headers().contains_key(header::SET_COOKIE), "nothing changed, nothing is set");
    let (_c, other) = server.browser().await.enter(&one).await;
    assert_ne!(other["you"]["id"], first["you"]["id"]);
}

async fn health_needs_no_session(on: Backend) {
    let server = on.server().await;
    let browser = Browser::without_cookie(server.address);

    for path in ["/healthz", "/readyz"] {
        let response = browser.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        assert!(!response.headers().contains_key(header::SET_COOKIE), "{path}");
    }
    assert_eq!(browser.get("/nowhere").await.status(), 404);
}

async fn the_public_files_need_no_session_and_are_kept_for_good(on: Backend) {
    let server = on.server().await;
    let page = server.browser().await.get("/").await.text().await.unwrap();
    let browser = Browser::without_cookie(server.address);

    let addresses = page.split('"').filter(|part| part.starts_with("/public/"));
    let addresses: Vec<_> = addresses.collect();
    assert!(addresses.iter().any(|address| address.ends_with("/people.css")));
    for address in addresses {
        let file = browser.get(address).await;
        assert_eq!(file.status(), 200, "{address}");
        assert!(!file.headers().contains_key(header::SET_COOKIE), "{address}");
        let kept = file.headers()[header::CACHE_CONTROL].to_str().unwrap();
        assert!(kept.contains("immutable"), "{address}: {kept}");
    }
    for address in ["/public/old/css/base.css", "/public/old/locales/ko.ftl"] {
        let file = browser.get(address).await;
        assert_eq!(file.headers()[header::CACHE_CONTROL], "no-store", "{address}");
    }
    for address in
        ["/public/x/nothing.js", "/public/x/../Cargo.toml", "/public/x/%2e%2e/Cargo.toml"]
    {
        assert_eq!(browser.get(address).await.status(), 404, "{address}");
    }
}

async fn every_page_forbids_what_it_does_not_need(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 2).await;

    for path in ["/", "/room", &format!("/room/{room}"), "/nowhere"] {
        let response = browser.get(path).await;
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(response.headers()[header::REFERRER_POLICY], "same-origin", "{path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(response.headers()[name], value, "{path}");
        }
        let permissions = response.headers()["permissions-policy"].to_str().unwrap();
        assert!(permissions.contains("camera=()"), "{path}");
        assert!(!response.headers().contains_key(header::STRICT_TRANSPORT_SECURITY), "{path}");
        let page = response.text().await.unwrap();
        for inline in [" style=", "<style", " onclick=", " onsubmit=", "<script>"] {
            assert!(!page.contains(inline), "{path}: {inline}");
        }
    }
}

async fn a_page_speaks_the_readers_language(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;

    let page = browser.request(reqwest::Method::GET, "/");
    let page = page.header(header::ACCEPT_LANGUAGE, "ko-KR,ko;q=0.9,en;q=0.5").send();
    let page = soon("the page", page).await.unwrap().text().await.unwrap();

    assert!(page.contains("<html lang=\"ko\""), "{page}");
    let (status, _) = browser.post_json("/room", &json!({ "title": "차 한 잔", "max": 2 })).await;
    assert_eq!(status, 201);
}

async fn whoever_logs_out_is_somebody_else_and_their_sockets_fall_silent(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 3).await;
    let (mut annas, _) = anna.enter(&room).await;
    let (mut bens, _) = ben.enter(&room).await;
    let mut in_lobby = anna.lobby().await;

    let response = anna.post_form("/logout", &[]).await;

    assert_eq!(response.status(), 303);
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("Max-Age=0"), "{cookie}");
    for socket in [&mut annas, &mut in_lobby] {
        let (event, error) = socket.events_until_the_end().await.pop().unwrap();
        assert_eq!((event.as_str(), &error["code"]), ("error", &json!("unauthorized")));
    }
    let refused = anna.try_enter(json!({ "room": room })).await.err();
    assert_eq!(refused.as_deref(), Some("unauthorized"));
    bens.say("still here").await;
}

/// Past the server, as an admin would.
async fn delete_every_session(home: &Home) {
    let Some(uri) = home.mongodb_uri() else {
        let database = Connection::open(home.data().join("huechat.sqlite3")).unwrap();
        database.execute("DELETE FROM sessions", []).unwrap();
        return;
    };
    let client = mongodb::Client::with_uri_str(uri).await.unwrap();
    let sessions = client.default_database().unwrap().collection::<Document>("sessions");
    sessions.delete_many(doc! {}).await.unwrap();
}

async fn whose_session_an_admin_deletes_is_refused_from_then_on(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 3).await;
    let (mut annas, _) = anna.enter(&room).await;

    delete_every_session(&server.home).await;

    let (event, error) = annas.events_until_the_end().await.pop().unwrap();
    assert_eq!((event.as_str(), &error["code"]), ("error", &json!("unauthorized")));
    let refused = anna.try_enter(json!({ "room": room })).await.err();
    assert_eq!(refused.as_deref(), Some("unauthorized"));
    let words = json!({ "chat": "still me?" });
    let (status, refused) = anna.post_json(&format!("/room/{room}/chat"), &words).await;
    assert_eq!((status, &refused["error"]["code"]), (StatusCode::FORBIDDEN, &json!("not_in_room")));
    let (_, history) = ben.get_json(&format!("/room/{room}/chat")).await;
    assert!(!history.to_string().contains("still me?"));
}
