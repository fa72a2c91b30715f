//! When the last person leaves, the room is gone, and so is every copy of what it held.

use std::path::Path;

use mongodb::bson::{Document, doc};
use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::{
    common::{
        Backend, gifs,
        server::{Home, Process},
        until,
    },
    on_both_stores,
};

on_both_stores!(
    nothing_of_a_room_is_left_once_its_last_person_left,
    what_a_room_serves_is_kept_by_no_cache_and_found_by_no_search_engine,
);

/// In the title, the messages and a whisper. No other text holds it.
const MARKER: &str = "zwetschgenknoedel";

/// The files under a folder that hold these bytes, or are named by them.
fn holding(folder: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let held = std::fs::read(&path).unwrap_or_default();
            if held.windows(bytes.len()).any(|window| window == bytes) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

/// Everything that the collections hold, as text.
async fn collections(home: &Home) -> String {
    let Some(uri) = home.mongodb_uri() else { return String::new() };
    let client = mongodb::Client::with_uri_str(uri).await.unwrap();
    let database = client.default_database().unwrap();
    let mut text = String::new();
    for name in ["rooms", "chats", "sessions", "tokens", "nodes"] {
        let mut all = database.collection::<Document>(name).find(doc! {}).await.unwrap();
        while all.advance().await.unwrap() {
            text += &all.deserialize_current().unwrap().to_string();
        }
    }
    text
}

async fn nothing_of_a_room_is_left_once_its_last_person_left(on: Backend) {
    let server = Process::start(Home::new(on, &[])).await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let form = json!({ "title": MARKER, "max": 3, "password": "sesame" });
    let room = anna.create(&form).await;
    let (mut annas, _) = anna.enter(&room).await;
    let (mut bens, welcome) = ben.enter_with(json!({ "room": room, "password": "sesame" })).await;
    for number in 0..300 {
        annas.say(&format!("{MARKER} {number}")).await;
    }
    let whisper = json!({ "to": welcome["you"]["id"], "chat": MARKER, "clientId": "w" });
    assert_eq!(annas.ask("whisper:post", whisper).await["ok"], true);
    let deleted: Value = bens.say(&format!("{MARKER}, deleted")).await;
    bens.ask("chat:delete", json!({ "seq": deleted["seq"] })).await;
    anna.upload(&room, gifs::animation(4, 4, 2)).await;
    let (data, uploads) = (server.home.data(), server.home.uploads());
    // The room's id stands in the pass of everybody who showed its password.
    let marks = [MARKER.as_bytes(), b"$argon2id$", room.as_bytes()];
    let there =
        holding(&data, marks[0]).len() + collections(&server.home).await.matches(MARKER).count();
    assert!(there > 0, "the test looks where it is kept");

    bens.ask("exit", json!(null)).await;
    annas.ask("exit", json!(null)).await;

    until("every copy to be gone", async || {
        let kept = collections(&server.home).await;
        marks.iter().all(|mark| holding(&data, mark).is_empty())
            && !kept.contains(MARKER)
            && !kept.contains("$argon2id$")
            && !kept.contains(&room)
            && holding(&uploads, b"GIF8").is_empty()
    })
    .await;
    let log = server.log();
    assert!(!log.iter().any(|line| line.contains(MARKER)), "{log:?}");
    // It tells what happened, by ids alone.
    for step in ["opened a room", "entered", "gave up a seat", "closed room"] {
        let told = log.iter().any(|line| line.contains(step) && line.contains(&room));
        assert!(told, "{step}: {log:?}");
    }

    // Nor after the next start.
    let (home, _) = server.terminate().await;
    let server = Process::start(home).await;
    assert_eq!(holding(&data, marks[0]), Vec::<String>::new());
    drop(server);
}

async fn what_a_room_serves_is_kept_by_no_cache_and_found_by_no_search_engine(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 2).await;
    let (_socket, _) = anna.enter(&room).await;
    let (_, chat) = anna.upload(&room, gifs::animation(4, 4, 2)).await;
    let gif = |kind: &str| chat["gif"][kind].as_str().unwrap().to_owned();

    for path in [format!("/room/{room}"), format!("/room/{room}/chat"), gif("url"), gif("poster")] {
        for accept in ["text/html", "application/json"] {
            let request = anna.request(Method::GET, &path).header(header::ACCEPT, accept);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store", "{path}");
            assert_eq!(answer.headers()["x-robots-tag"], "noindex, nofollow", "{path}");
            let vary = answer.headers().get_all(header::VARY).iter();
            let vary: Vec<_> = vary.map(|value| value.to_str().unwrap().to_lowercase()).collect();
            assert!(vary.concat().contains("accept"), "{path}: {vary:?}");
        }
    }
    let robots = anna.get("/robots.txt").await.text().await.unwrap();
    assert!(robots.contains("Disallow: /room/"), "{robots}");
}
