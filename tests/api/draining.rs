//! A deploy: the server is asked to stop, and the next one takes over.

use reqwest::StatusCode;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    common::{
        Backend, Browser, gifs,
        server::{Home, Process},
        soon, until,
    },
    on_both_stores,
};

on_both_stores!(whoever_is_connected_is_asked_to_come_back, what_is_under_way_is_finished);

async fn whoever_is_connected_is_asked_to_come_back(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 2).await;
    let (mut in_room, _) = anna.enter(&room).await;
    let mut in_lobby = ben.lobby().await;

    server.stop().await;

    for socket in [&mut in_room, &mut in_lobby] {
        let last = socket.events_until_the_end().await;
        let (event, error) = last.last().unwrap();
        assert_eq!((event.as_str(), &error["code"]), ("error", &json!("restarting")));
        assert!(error["retryAfterMs"].as_u64().unwrap() <= 1_000, "{error}");
    }
}

/// An upload that has begun, and of which the server waits for the rest.
struct Upload {
    connection: TcpStream,
    body: Vec<u8>,
}

impl Upload {
    async fn begin(browser: &Browser, room: &str) -> Self {
        let head =
            "--b\r\ncontent-disposition: form-data; name=\"gif\"; filename=\"a.gif\"\r\n\r\n";
        let body = [head.as_bytes(), &gifs::animation(4, 4, 2), b"\r\n--b--\r\n"].concat();
        let mut connection = TcpStream::connect(browser.address).await.unwrap();
        let request = format!(
            "POST /room/{room}/gif HTTP/1.1\r\nhost: {}\r\naccept: application/json\r\ncookie: {}\r\n\
             content-type: multipart/form-data; boundary=b\r\ncontent-length: {}\r\n\
             connection: close\r\nexpect: 100-continue\r\n\r\n",
            browser.address,
            browser.cookie.as_deref().unwrap(),
            body.len(),
        );
        connection.write_all(request.as_bytes()).await.unwrap();
        // It says so once somebody reads the body.
        let mut go_on = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
        soon("the server to ask for more", connection.read_exact(&mut go_on)).await.unwrap();
        assert!(go_on.starts_with(b"HTTP/1.1 100"));
        Self { connection, body }
    }

    async fn finish(mut self) -> String {
        self.connection.write_all(&self.body).await.unwrap();
        let mut answer = String::new();
        let read = self.connection.read_to_string(&mut answer);
        soon("the answer", read).await.unwrap();
        answer
    }
}

async fn what_is_under_way_is_finished(on: Backend) {
    let server = Process::start(Home::new(on, &[])).await;
    let (browser, other) = (server.browser().await, server.browser().await);
    let room = browser.create_room("tea", 2).await;
    let _socket = browser.enter(&room).await;
    let upload = Upload::begin(&browser, &room).await;

    let ended = tokio::spawn(server.terminate());
    until("it to say that it stops", || async {
        other.get("/readyz").await.status() == StatusCode::SERVICE_UNAVAILABLE
    })
    .await;
    let (status, refused) = other.post_json("/room", &json!({ "title": "late", "max": 2 })).await;
    let entering = other.try_enter(json!({ "room": room })).await;
    let answer = upload.finish().await;

    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused["error"]["code"], "restarting");
    assert_eq!(entering.err().as_deref(), Some("restarting"));
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let (home, status) = ended.await.unwrap();
    assert!(status.success(), "{status}");
    let server = Process::start(home).await;
    let (_, history) = browser.at(server.address).get_json(&format!("/room/{room}/chat")).await;
    assert_eq!(history["chats"].as_array().unwrap().last().unwrap()["kind"], "gif");
}
