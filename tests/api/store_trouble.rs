//! The embedded store in trouble: another program has locked its file.

use std::time::{Duration, Instant};

use reqwest::{StatusCode, header};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::common::{Backend, Server, until};

/// What visitors are promised: an answer by then.
const PROMISED: Duration = Duration::from_secs(5);

/// Keeps everybody else from writing until it is dropped.
fn lock(server: &Server) -> Connection {
    let database = Connection::open(server.home.data().join("huechat.sqlite3")).unwrap();
    database.busy_timeout(Duration::from_secs(10)).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    database
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_stored_is_refused_in_time_and_not_acknowledged() {
    let server = Backend::Sqlite.server().await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 2).await;
    let (mut socket, _) = browser.enter(&room).await;
    let posts: Vec<Value> =
        (0..3).map(|n| json!({ "chat": n.to_string(), "clientId": format!("c-{n}") })).collect();

    let locked = lock(&server);
    let mut asked = Vec::new();
    for post in &posts {
        // The later ones come while the first is on its way, and wait behind it.
        asked.push((Instant::now(), socket.ask_now("chat:post", post.clone()).await));
        socket.ask("chat:get", json!({})).await;
    }
    for (since, id) in asked {
        let refused = socket.answer(id).await.unwrap();
        assert_eq!(refused["error"]["code"], "unavailable");
        assert!(since.elapsed() < PROMISED, "{:?}", since.elapsed());
    }
    let unready = browser.get("/readyz").await.status();
    let page = browser.post_form("/room", &[("title", "x"), ("max", "2")]).await;
    drop(locked);
    until("it to recover", || async { browser.get("/readyz").await.status() == StatusCode::OK })
        .await;

    assert_eq!(unready, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.headers().contains_key(header::RETRY_AFTER));
    for post in posts {
        assert_eq!(socket.ask("chat:post", post).await["ok"], true);
    }
    let (_, history) = browser.get_json(&format!("/room/{room}/chat")).await;
    let said = history["chats"].as_array().unwrap().iter().filter(|chat| chat["kind"] == "chat");
    assert_eq!(said.map(|chat| &chat["chat"]).collect::<Vec<_>>(), ["0", "1", "2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_left_while_the_store_was_away_is_seen_to_be_gone() {
    let server = Backend::Sqlite.server_with(&[("ROOM_GRACE", "0")]).await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 2).await;
    let (mut anna_socket, _) = anna.enter(&room).await;
    let (ben_socket, bens) = ben.enter(&room).await;

    let locked = lock(&server);
    ben_socket.vanish();
    let refused = anna_socket.ask("chat:post", json!({ "chat": "?" })).await;
    assert_eq!(refused["error"]["code"], "unavailable");
    drop(locked);

    assert_eq!(anna_socket.wait_for("exit").await["person"], bens["you"]);
}
