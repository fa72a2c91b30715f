//! How much of anything there may be at the same time, and how large it may be.

use futures_util::{future::join_all, stream};
use reqwest::{Body, Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use crate::{
    common::{
        BEHIND_A_PROXY, Backend,
        server::{Home, Process},
        soon,
    },
    on_both_stores,
};

on_both_stores!(
    a_body_is_bounded_in_bytes,
    a_frame_is_bounded_in_bytes,
    a_room_holds_no_more_people_than_it_says,
    a_person_keeps_no_more_rooms_than_connections,
);

const MAX_BODY_BYTES: usize = 64 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn there_are_so_many_connections_in_all_and_no_more() {
    let server = Backend::Sqlite.server_with(&[("MAX_CONNECTIONS", "3")]).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut connection = TcpStream::connect(server.address).await.unwrap();
        connection.write_all(b"GET /healthz HTTP/1.1\r\nHost: chat\r\n\r\n").await.unwrap();
        assert!(soon("an answer", connection.read(&mut [0; 8])).await.unwrap() > 0);
        held.push(connection);
    }
    let mut one_too_many = TcpStream::connect(server.address).await.unwrap();
    let read = soon("the end", one_too_many.read(&mut [0; 8])).await;
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
}

async fn a_body_is_bounded_in_bytes(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let title = |bytes: usize| json!({ "title": "x".repeat(bytes), "max": 2 });
    let fits = anna.post_json("/room", &title(MAX_BODY_BYTES / 2)).await;
    assert_eq!(
        (fits.0, &fits.1["error"]["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &"invalid".into())
    );
    let (status, refused) = anna.post_json("/room", &title(MAX_BODY_BYTES)).await;
    assert_eq!(
        (status, &refused["error"]["code"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &"too_large".into())
    );
    // Nor does one without an announced length go on for ever.
    let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b'x'; 8 * 1024]));
    let request = anna
        .request(Method::POST, "/room")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json")
        .body(Body::wrap_stream(endless));
    let answer = soon("an answer", request.send()).await;
    // The answer may be lost as the connection is closed on what is still being sent.
    let refused = answer.as_ref().map_or(true, |answer| answer.status().is_client_error());
    assert!(refused, "{answer:?}");
}

async fn a_frame_is_bounded_in_bytes(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 2).await;
    let (mut socket, _) = anna.enter(&room).await;
    let said = |bytes: usize| json!({ "chat": "x".repeat(bytes) });
    let refused = socket.ask("chat:post", said(MAX_BODY_BYTES / 2)).await;
    assert_eq!(refused["error"]["code"], "too_long");
    socket.tell("chat:post", said(MAX_BODY_BYTES)).await;
    socket.events_until_the_end().await;
}

async fn a_room_holds_no_more_people_than_it_says(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 2).await;
    let _inside = (anna.enter(&room).await, ben.enter(&room).await);
    let refused = server.browser().await.try_enter(json!({ "room": room })).await.err();
    assert_eq!(refused.as_deref(), Some("room_full"));
}

/// A room without anybody in it goes after a minute, and how many are made in that time has a rate.
async fn a_person_keeps_no_more_rooms_than_connections(on: Backend) {
    let server = on.server_with(&[("MAX_CONNECTIONS_PER_PERSON", "2")]).await;
    let anna = server.browser().await;
    let (mut rooms, mut kept) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        rooms.push(anna.create_room("tea", 2).await);
    }
    for room in &rooms[..2] {
        kept.push(anna.enter(room).await);
    }
    let refused = anna.try_enter(json!({ "room": rooms[2] })).await.err();
    assert_eq!(refused.as_deref(), Some("too_many_connections"));
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_uploads_are_in_memory_and_no_more_whoever_sends_them() {
    let server = Backend::Sqlite.server().await;
    let host = server.browser().await;
    let room = host.create_room("tea", 20).await;
    let mut seats = Vec::new();
    let mut uploads = JoinSet::new();
    for _ in 0..3 {
        let guest = server.browser().await;
        seats.push(guest.enter(&room).await);
        for _ in 0..4 {
            // All but the end of each arrives, and is in memory.
            let head = format!(
                "POST /room/{room}/gif HTTP/1.1\r\nHost: chat\r\nCookie: {}\r\n\
                 Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 4194304\r\n\r\n\
                 --x\r\nContent-Disposition: form-data; name=\"gif\"; filename=\"a.gif\"\r\n\r\nGIF89a",
                guest.cookie.as_deref().unwrap(),
            );
            let address = server.address;
            uploads.spawn(async move {
                let mut connection = TcpStream::connect(address).await.unwrap();
                connection.write_all(head.as_bytes()).await.unwrap();
                // Fails when it is refused meanwhile.
                connection.write_all(&vec![b'x'; 4_190_000]).await.ok();
                let mut answer = [0; 12];
                let answered = connection.read_exact(&mut answer).await;
                answered.is_err() || &answer[9..] == b"429"
            });
        }
    }
    for _ in 0..12 - 8 {
        let refused = soon("32 MiB hold eight of 4 MiB", uploads.join_next()).await;
        assert!(refused.unwrap().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_guesses_at_once_take_no_more_memory_than_two() {
    let server = Process::start(Home::new(Backend::Sqlite, &[BEHIND_A_PROXY])).await;
    let anna = server.browser().await;
    let form = json!({ "title": "tea", "max": 5, "password": "sesame" });
    let room = anna.create(&form).await;
    let before = server.memory("VmHWM");
    let guesses = (1..=60).map(|number| {
        let request = anna
            .request(Method::POST, &format!("/room/{room}/enter"))
            .header(header::ACCEPT, "application/json")
            .header("x-forwarded-for", format!("192.0.2.{number}"))
            .json(&json!({ "password": "wrong" }));
        async { request.send().await.unwrap().json::<Value>().await.unwrap() }
    });
    for answer in join_all(guesses).await {
        // Those who would wait too long are told so; nobody gets in.
        let code = answer["error"]["code"].as_str().unwrap();
        assert!(["wrong_password", "slow_down", "unavailable"].contains(&code), "{answer}");
    }
    // Each hash takes 19 MiB while it is made: sixty would be more than a gigabyte.
    let grown = server.memory("VmHWM") - before;
    assert!(grown < 100 << 20, "{} MiB", grown >> 20);
}
