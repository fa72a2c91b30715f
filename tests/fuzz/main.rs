//! Hostile bytes, by the thousand, against a real server: nothing it is sent brings it down, answers with an error of
//! its own, or troubles somebody else. `FUZZ_SECONDS` says how long each test goes on; what fails is kept in
//! `tests/fuzz/found/`, and tried first from then on.

#![cfg(test)]
#[path = "../common/mod.rs"]
mod common;

mod bytes;

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

use common::{Backend, Bot, Browser, Server, Socket, gifs, soon};
use futures_util::{SinkExt as _, StreamExt as _};
use proptest::{
    prelude::*,
    test_runner::{Config, FileFailurePersistence, TestCaseError, TestRunner},
};
use reqwest::{Method, StatusCode, header};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

/// In `make test`; `make fuzz` goes on for a minute.
const SHORT: Duration = Duration::from_secs(3);

/// Tries one input after another, until the time is up.
fn fuzz<S: Strategy>(
    stage: &Stage,
    kept: &'static str,
    strategy: &S,
    check: impl Fn(S::Value) -> Result<(), TestCaseError>,
) where
    S::Value: Debug,
{
    let seconds = std::env::var("FUZZ_SECONDS").ok().map(|seconds| seconds.parse().unwrap());
    let until = Instant::now() + seconds.map_or(SHORT, Duration::from_secs);
    let config = Config {
        cases: 50,
        max_shrink_time: 20_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(kept))),
        source_file: Some(file!()),
        ..Config::default()
    };
    let mut tried = 0;
    while Instant::now() < until {
        TestRunner::new(config.clone()).run(strategy, &check).unwrap();
        stage.others_are_well();
        tried += config.cases;
    }
    assert!(tried > 0);
}

/// A server with a room, somebody who is up to no good, and somebody else who talks to it.
struct Stage {
    runtime: Runtime,
    server: Server,
    hostile: Browser,
    room: String,
    /// Theirs and the hostile one's: they answer to heartbeats only when they are listened to.
    sockets: std::sync::Mutex<[Socket; 2]>,
}

impl Stage {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let (server, hostile, room, neighbour, seat) = runtime.block_on(async {
            let server = Backend::Sqlite
                .server_with(&[
                    ("RATE_TYPING", "off"),
                    ("RATE_FRAMES", "off"),
                    ("RATE_HANDSHAKES", "off"),
                ])
                .await;
            let (hostile, neighbour) = (server.browser().await, server.browser().await);
            let room = neighbour.create_room("tea", 500).await;
            let (neighbour, _) = neighbour.enter(&room).await;
            let (seat, _) = hostile.enter(&room).await;
            (server, hostile, room, neighbour, seat)
        });
        Self { runtime, server, hostile, room, sockets: [neighbour, seat].into() }
    }

    /// What a request is answered with, which is never an error of the server's own.
    fn answer(&self, request: reqwest::RequestBuilder) -> Result<StatusCode, TestCaseError> {
        let answer = self.runtime.block_on(soon("an answer", request.send()));
        let status = answer.map_err(|error| TestCaseError::fail(error.to_string()))?.status();
        prop_assert!(!status.is_server_error(), "{}", status);
        Ok(status)
    }

    /// Whoever else is there can still talk, and be heard.
    fn others_are_well(&self) {
        for socket in self.sockets.lock().unwrap().iter_mut() {
            self.runtime.block_on(socket.say("still here"));
        }
    }
}

#[test]
fn no_bytes_that_are_uploaded_bring_it_down() {
    let stage = Stage::new();
    let seeds =
        vec![gifs::animation(20, 10, 3), gifs::with_everything(), b"GIF89a".to_vec(), Vec::new()];
    fuzz(&stage, "tests/fuzz/found/gifs.txt", &bytes::like(seeds), |file| {
        let (status, chat) = stage.runtime.block_on(stage.hostile.upload(&stage.room, file));
        match status.as_u16() {
            201 => {
                // What was taken in is a GIF, and is served as nothing else.
                let url = chat["gif"]["url"].as_str().unwrap();
                let served = stage.runtime.block_on(stage.hostile.get(url));
                prop_assert_eq!(served.headers()[header::CONTENT_TYPE].clone(), "image/gif");
                let file = stage.runtime.block_on(served.bytes()).unwrap();
                // Not its pixels: this decoder refuses some good small interlaced frames.
                let mut options = gif::DecodeOptions::new();
                options.skip_frame_decoding(true);
                let mut decoder = options.read_info(&*file).unwrap();
                while let Some(_frame) = decoder.read_next_frame().unwrap() {}
            }
            413 | 415 | 422 => {}
            other => return Err(TestCaseError::fail(format!("{other}: {chat}"))),
        }
        Ok(())
    });
}

#[test]
fn no_body_of_a_request_brings_it_down() {
    let stage = Stage::new();
    let room = &stage.room;
    let paths = [
        (Method::POST, "/room".to_owned()),
        (Method::POST, format!("/room/{room}/enter")),
        (Method::POST, format!("/room/{room}/chat")),
        (Method::POST, format!("/room/{room}/whisper")),
        (Method::POST, format!("/room/{room}/gif")),
        (Method::PATCH, format!("/room/{room}")),
        (Method::PUT, format!("/room/{room}/owner")),
        (Method::POST, "/reader".to_owned()),
        (Method::POST, "/token".to_owned()),
        (Method::POST, "/chatter/aaaaaaaaaaaa/message".to_owned()),
    ];
    let kinds = [
        "application/x-www-form-urlencoded",
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
    ];
    let bodies: Vec<Vec<u8>> = [
        "title=tea&max=5&password=sesame",
        r#"{"title":"tea","max":5,"password":null,"locked":true}"#,
        r#"{"chat":"hello","clientId":"c-1"}"#,
        r#"{"to":"aaaaaaaaaaaa","chat":"psst","clientId":"c-2"}"#,
        r#"{"id":"aaaaaaaaaaaa"}"#,
        "language=ko&theme=dark",
        "--x\r\nContent-Disposition: form-data; name=\"gif\"; filename=\"a\"\r\n\r\nGIF89a\r\n--x--\r\n",
    ]
    .map(|body| body.as_bytes().to_vec())
    .to_vec();
    let requests = (prop::sample::select(paths.to_vec()), prop::sample::select(kinds.to_vec()));
    let strategy = (requests, bytes::like(bodies), any::<bool>());
    fuzz(
        &stage,
        "tests/fuzz/found/bodies.txt",
        &strategy,
        |(((method, path), kind), body, page)| {
            let accept = if page { "text/html" } else { "application/json" };
            let request = stage.hostile.request(method, &path).header(header::CONTENT_TYPE, kind);
            // As a page of this server, or it would come no further than the check of that.
            let request =
                request.header(header::ACCEPT, accept).header("sec-fetch-site", "same-origin");
            stage.answer(request.body(body)).map(drop)
        },
    );
}

#[test]
fn no_cookie_is_anybody_elses() {
    let stage = Stage::new();
    let cookie = stage.hostile.cookie.clone().unwrap();
    let others = ["huechat.sid=", "huechat.sid=\"", "=;=;", "a=b; huechat.sid=c"];
    let seeds = [cookie.as_str()].into_iter().chain(others);
    let seeds = seeds.map(|cookie| cookie.as_bytes().to_vec()).collect();
    let stranger = Browser::without_cookie(stage.server.address);
    fuzz(&stage, "tests/fuzz/found/cookies.txt", &bytes::like(seeds), |shown| {
        let Ok(value) = header::HeaderValue::from_bytes(&shown) else { return Ok(()) };
        let request = stranger.request(Method::GET, &format!("/room/{}/chat", stage.room));
        let request = request.header(header::ACCEPT, "application/json");
        let answer = request.header(header::COOKIE, value).send();
        let answer = stage.runtime.block_on(soon("an answer", answer)).unwrap();
        // Only who has a seat reads.
        prop_assert!([StatusCode::OK, StatusCode::FORBIDDEN].contains(&answer.status()));
        // Whoever is not the one whose cookie it is gets a session of their own. One cookie can be written in several ways.
        let plain = |bytes: &[u8]| -> Vec<(String, String)> {
            url::form_urlencoded::parse(bytes.trim_ascii()).into_owned().collect()
        };
        let whose = plain(cookie.as_bytes());
        let same = shown.split(|byte| *byte == b';').any(|each| plain(each) == whose);
        prop_assert!(same || answer.headers().contains_key(header::SET_COOKIE));
        Ok(())
    });
}

#[test]
fn no_frame_troubles_anybody_else() {
    let stage = Stage::new();
    let frames = [
        r#"42/chat,1["chat:post",{"chat":"hello","clientId":"c-1"}]"#,
        r#"42/chat,2["chat:get",{"after":1,"limit":2}]"#,
        r#"42/chat,3["whisper:post",{"to":"aaaaaaaaaaaa","chat":"psst"}]"#,
        r#"42/chat,["typing",true]"#,
        r#"42/room,4["room:get",{"q":"te","page":1}]"#,
        r#"451-/chat,5["chat:post",{"_placeholder":true,"num":0}]"#,
        "40/chat,{}",
        "41/chat,",
        "43/chat,1[]",
        "3probe",
        "",
    ];
    let frames = frames.map(|frame| frame.as_bytes().to_vec()).to_vec();
    let strategy = prop::collection::vec((bytes::like(frames), any::<bool>()), 1..20);
    fuzz(&stage, "tests/fuzz/found/frames.txt", &strategy, |frames| {
        stage.runtime.block_on(soon("the frames", send(&stage, frames)));
        stage.others_are_well();
        Ok(())
    });
}

#[test]
fn no_frame_of_a_bot_troubles_anybody_else() {
    let stage = Stage::new();
    let token = stage.runtime.block_on(stage.hostile.make_token());
    let room = &stage.room;
    let frames = [
        json!({ "op": "IDENTIFY", "d": { "token": token } }),
        json!({ "op": "HEARTBEAT", "d": null }),
        json!({ "op": "ROOM_JOIN", "d": { "room": room, "password": "sesame", "after": 1 } }),
        json!({ "op": "ROOM_LEAVE", "d": { "room": room } }),
        json!({ "op": "MESSAGE_POST", "d": { "room": room, "chat": "hello", "clientId": "c-1" } }),
        json!({ "op": "MESSAGE_POST", "d": { "room": room, "chat": "psst", "to": "aaaaaaaaaaaa" } }),
        json!({ "op": "DANCE", "d": [] }),
    ];
    let mut frames = frames.map(|frame| frame.to_string().into_bytes()).to_vec();
    frames.extend([b"{}".to_vec(), b"[".repeat(200), Vec::new()]);
    let frame = (bytes::like(frames), 0..8_u8, any::<bool>());
    let strategy = (any::<bool>(), prop::collection::vec(frame, 1..20));
    fuzz(&stage, "tests/fuzz/found/gateway.txt", &strategy, |(known, frames)| {
        stage.runtime.block_on(soon("the frames", send_as_a_bot(&stage, known, &token, frames)));
        stage.others_are_well();
        Ok(())
    });
}

/// Connects as a bot, and sends frames for as long as that is borne. What it hears is what the manual says.
async fn send_as_a_bot(stage: &Stage, known: bool, token: &str, frames: Vec<(Vec<u8>, u8, bool)>) {
    let mut bot = if known {
        let (mut bot, _) = Bot::with_token(stage.server.address, token).await;
        bot.join(&stage.room).await;
        bot
    } else {
        Bot::connect(stage.server.address).await
    };
    for (frame, kind, now) in frames {
        let frame = match (String::from_utf8(frame), kind) {
            (Ok(text), 2..) => Message::text(text),
            (Ok(text), 1) => Message::Ping(text.into_bytes().into_iter().take(125).collect()),
            (Ok(text), _) => Message::binary(text.into_bytes()),
            (Err(bytes), _) => Message::binary(bytes.into_bytes()),
        };
        let sent = if now { bot.stream.send(frame).await } else { bot.stream.feed(frame).await };
        if sent.is_err() {
            return; // Cut off, as it may be.
        }
    }
    bot.stream.close(None).await.ok(); // It may be closed already.
    bot.until_closed().await;
}

/// Enters the room, and sends frames for as long as that is borne.
async fn send(stage: &Stage, frames: Vec<(Vec<u8>, bool)>) {
    let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", stage.server.address);
    let mut request = url.into_client_request().unwrap();
    let cookie = stage.hostile.cookie.as_ref().unwrap().parse().unwrap();
    request.headers_mut().insert("cookie", cookie);
    let (mut connection, _) = connect_async(request).await.unwrap();
    let authorize = format!("40/chat,{}", json!({ "room": stage.room }));
    connection.send(Message::text(authorize)).await.unwrap();
    while let Some(Ok(heard)) = connection.next().await {
        if heard.to_text().is_ok_and(|text| text.starts_with("42/chat,[\"welcome\"")) {
            break;
        }
    }
    for (frame, binary) in frames {
        let frame = match String::from_utf8(frame) {
            Ok(text) if !binary => Message::text(text),
            Ok(text) => Message::binary(text.into_bytes()),
            Err(bytes) => Message::binary(bytes.into_bytes()),
        };
        if connection.send(frame).await.is_err() {
            return; // Cut off, as it may be.
        }
    }
    connection.close(None).await.ok();
}
