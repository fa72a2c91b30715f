//! Each class of what costs others has a rate, and whoever is over it is told when to come back.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    common::{BEHIND_A_PROXY, Backend, Browser, Server, Socket, gifs},
    on_both_stores,
};

on_both_stores!(
    over_http_whoever_is_too_fast_is_told_in_seconds_and_in_milliseconds,
    on_a_socket_whoever_is_too_fast_is_told_in_milliseconds,
    a_door_that_is_knocked_at_too_often_says_so,
    of_strangers_so_many_come_from_one_network,
);

/// All within their rate once, and not a second time for ten minutes.
async fn strict(on: Backend, class: &str) -> Server {
    on.server_with(&[(class, "1/600")]).await
}

async fn inside(server: &Server) -> (Browser, Browser, String, Socket, Socket, Value) {
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 5).await;
    let (annas, _) = anna.enter(&room).await;
    let (bens, welcome) = ben.enter(&room).await;
    (anna, ben, room, annas, bens, welcome["you"]["id"].clone())
}

async fn over_http_whoever_is_too_fast_is_told_in_seconds_and_in_milliseconds(on: Backend) {
    for class in [
        "RATE_ROOMS",
        "RATE_PASSWORDS",
        "RATE_CHATS",
        "RATE_WHISPERS",
        "RATE_GIFS",
        "RATE_GIF_KIB",
        "RATE_ITEMS",
        "RATE_READS",
    ] {
        let server = strict(on, class).await;
        let (anna, ben, room, _annas, _bens, ben_id) = inside(&server).await;
        let locked = if class == "RATE_PASSWORDS" {
            anna.create(&json!({ "title": "b", "max": 2, "password": "sesame" })).await
        } else {
            String::new()
        };
        let request = |body: &Value, path: &str| {
            let path = format!("/room/{room}{path}");
            anna.request(Method::POST, &path).json(body)
        };
        let do_it = || match class {
            "RATE_ROOMS" => {
                anna.request(Method::POST, "/room").json(&json!({ "title": "b", "max": 2 }))
            }
            "RATE_PASSWORDS" => ben
                .request(Method::POST, &format!("/room/{locked}/enter"))
                .json(&json!({ "password": "sesame" })),
            "RATE_CHATS" => request(&json!({ "chat": "hello" }), "/chat"),
            "RATE_WHISPERS" => request(&json!({ "to": ben_id, "chat": "psst" }), "/whisper"),
            "RATE_ITEMS" => {
                anna.request(Method::PATCH, &format!("/room/{room}")).json(&json!({ "max": 6 }))
            }
            "RATE_READS" => anna.request(Method::GET, &format!("/room/{room}/chat?limit=1")),
            _ => {
                let part = reqwest::multipart::Part::bytes(gifs::animation(20, 10, 3));
                let form = reqwest::multipart::Form::new().part("gif", part.file_name("a.gif"));
                anna.request(Method::POST, &format!("/room/{room}/gif")).multipart(form)
            }
        };
        let mut answers = Vec::new();
        for _ in 0..2 {
            answers.push(do_it().header(header::ACCEPT, "application/json").send().await.unwrap());
        }
        let refused = answers.pop().unwrap();
        // The room of the test was the first.
        if class != "RATE_ROOMS" {
            assert!(answers[0].status().is_success(), "{class}: {}", answers[0].status());
        }
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS, "{class}");
        let seconds: u64 =
            refused.headers()[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
        let body: Value = refused.json().await.unwrap();
        assert_eq!(body["error"]["code"], "slow_down", "{class}");
        let milliseconds = body["error"]["retryAfterMs"].as_u64().unwrap();
        assert!((1..=601).contains(&seconds), "{class}: {seconds}");
        assert!((1..=600_000).contains(&milliseconds), "{class}: {milliseconds}");
    }
}

async fn on_a_socket_whoever_is_too_fast_is_told_in_milliseconds(on: Backend) {
    for (class, event) in [
        ("RATE_ROOMS", "room:post"),
        ("RATE_CHATS", "chat:post"),
        ("RATE_WHISPERS", "whisper:post"),
        ("RATE_ITEMS", "chat:delete"),
        ("RATE_READS", "chat:get"),
    ] {
        let server = strict(on, class).await;
        let (anna, _ben, _room, mut annas, _bens, ben_id) = inside(&server).await;
        let mut lobby = anna.lobby().await;
        let (socket, data) = match event {
            "room:post" => (&mut lobby, json!({ "title": "b", "max": 2 })),
            "chat:post" => (&mut annas, json!({ "chat": "hello" })),
            "whisper:post" => (&mut annas, json!({ "to": ben_id, "chat": "psst" })),
            "chat:delete" => (&mut annas, json!({ "seq": 1 })),
            _ => (&mut annas, json!({ "limit": 1 })),
        };
        socket.ask(event, data.clone()).await;
        let refused = socket.ask(event, data).await;
        assert_eq!(refused["error"]["code"], "slow_down", "{event}: {refused}");
        let milliseconds = refused["error"]["retryAfterMs"].as_u64().unwrap();
        assert!((1..=600_000).contains(&milliseconds), "{event}: {milliseconds}");
    }
}

async fn a_door_that_is_knocked_at_too_often_says_so(on: Backend) {
    let server = strict(on, "RATE_ENTERING").await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 5).await;
    let _first = anna.enter(&room).await;
    let refused = anna.try_enter(json!({ "room": room })).await.err();
    assert_eq!(refused.as_deref(), Some("slow_down"));
}

async fn of_strangers_so_many_come_from_one_network(on: Backend) {
    let server = on.server_with(&[BEHIND_A_PROXY, ("RATE_SESSIONS", "2/600")]).await;
    let stranger = |accept: &'static str, network: &'static str| {
        let request = Browser::without_cookie(server.address).request(Method::GET, "/");
        request.header(header::ACCEPT, accept).header("x-forwarded-for", network).send()
    };
    let here = "192.0.2.1";
    let first = stranger("text/html", here).await.unwrap();
    let cookie = first.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    stranger("text/html", here).await.unwrap();

    let program = stranger("application/json", here).await.unwrap();
    assert_eq!(program.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(program.headers().contains_key(header::RETRY_AFTER));
    // A page says it in words, and leads nowhere in circles.
    let page = stranger("text/html", here).await.unwrap();
    assert_eq!(page.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(!page.headers().contains_key(header::SET_COOKIE));
    assert!(page.headers().contains_key(header::RETRY_AFTER));
    assert!(page.text().await.unwrap().contains("a little fast"));
    // Whoever is known already, or comes from elsewhere, is none of them.
    assert_eq!(stranger("text/html", "192.0.2.2").await.unwrap().status(), StatusCode::OK);
    let mut known = Browser::without_cookie(server.address);
    known.cookie = cookie.split(';').next().map(ToOwned::to_owned);
    let again = known.request(Method::GET, "/").header("x-forwarded-for", here);
    assert_eq!(again.send().await.unwrap().status(), StatusCode::OK);
}
