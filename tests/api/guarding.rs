//! What a server has to put up with from those who mean it no good.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    common::{Backend, Server, Socket, soon},
    on_both_stores,
};

on_both_stores!(
    a_page_of_another_site_changes_nothing,
    a_page_of_another_site_opens_no_connection,
    a_site_that_is_allowed_may_ask,
);

/// How a browser says that another site's page asks: today's, and one from before 2023.
const OF_ANOTHER_SITE: [&[(&'static str, &str)]; 3] = [
    &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
    &[("origin", "https://evil.example")],
    &[("origin", "null"), ("sec-fetch-site", "cross-site")],
];

async fn a_page_of_another_site_changes_nothing(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 2).await;
    let path = format!("/room/{room}");
    for headers in OF_ANOTHER_SITE {
        for (method, path) in [
            (Method::POST, "/room"),
            (Method::POST, "/logout"),
            (Method::PATCH, &path),
            (Method::DELETE, &path),
        ] {
            for accept in ["application/json", "text/html"] {
                let mut request = anna.request(method.clone(), path).header(header::ACCEPT, accept);
                for (name, value) in headers {
                    request = request.header(*name, *value);
                }
                let answer =
                    request.form(&[("title", "coffee"), ("max", "2")]).send().await.unwrap();
                let what = format!("{method} {path} as {accept} with {headers:?}");
                assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{what}");
                let said = answer.text().await.unwrap();
                if accept == "application/json" {
                    let said: Value = serde_json::from_str(&said).unwrap();
                    assert_eq!(said["error"]["code"], "foreign_origin", "{what}");
                } else {
                    assert!(said.contains("another site"), "{what}: {said}");
                }
            }
        }
    }
    let (_, lobby) = anna.get_json("/").await;
    let titles: Vec<_> =
        lobby["rooms"].as_array().unwrap().iter().map(|room| &room["title"]).collect();
    assert_eq!(titles, ["tea"]);
    // Its own pages may, and programs that are no browsers.
    let own = format!("http://{}", server.address);
    for headers in [&[("origin", own.as_str())] as &[_], &[("sec-fetch-site", "same-origin")], &[]]
    {
        let mut request =
            anna.request(Method::POST, "/room").header(header::ACCEPT, "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.json(&json!({ "title": "coffee", "max": 2 })).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED, "{headers:?}");
    }
}

async fn a_page_of_another_site_opens_no_connection(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 2).await;
    let cookie = anna.cookie.clone().unwrap();
    for headers in OF_ANOTHER_SITE {
        let mut all = vec![("cookie", cookie.as_str())];
        all.extend(headers);
        let refused = connect(&server, &all, &room).await.err().unwrap();
        assert!(refused.contains("403"), "{refused}");

        let mut polling = anna.request(Method::GET, "/socket.io/?EIO=4&transport=polling");
        for (name, value) in headers {
            polling = polling.header(*name, *value);
        }
        assert_eq!(polling.send().await.unwrap().status(), StatusCode::FORBIDDEN, "{headers:?}");
    }
    let own = format!("http://{}", server.address);
    let headers =
        [("cookie", cookie.as_str()), ("origin", &own), ("sec-fetch-site", "same-origin")];
    connect(&server, &headers, &room).await.unwrap();
}

async fn connect(
    server: &Server,
    headers: &[(&'static str, &str)],
    room: &str,
) -> Result<Socket, String> {
    Socket::connect_with(server.address, headers, "/chat", json!({ "room": room })).await
}

async fn a_site_that_is_allowed_may_ask(on: Backend) {
    let server = on
        .server_with(&[
            ("PUBLIC_URL", "https://chat.example"),
            ("ALLOWED_ORIGINS", "https://blog.example"),
        ])
        .await;
    let anna = server.browser().await;
    for (origin, status) in [
        ("https://chat.example", StatusCode::CREATED),
        ("https://blog.example", StatusCode::CREATED),
        ("http://blog.example", StatusCode::FORBIDDEN),
        ("https://blog.example.evil.example", StatusCode::FORBIDDEN),
    ] {
        let request = anna.request(Method::POST, "/room").header(header::ORIGIN, origin);
        let request = request.header(header::ACCEPT, "application/json");
        let answer = request.json(&json!({ "title": "coffee", "max": 2 })).send().await.unwrap();
        assert_eq!(answer.status(), status, "{origin}");
    }
}

/// What a server says to some bytes until it closes the connection.
async fn answer_to(server: &Server, request: &[u8]) -> String {
    let mut connection = TcpStream::connect(server.address).await.unwrap();
    connection.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    // Being cut off is as good an end as being let go.
    soon("the end", connection.read_to_end(&mut answer)).await.ok();
    String::from_utf8(answer).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_never_comes_to_its_end_is_cut_off() {
    let server = Backend::Sqlite.server().await;
    let slow = b"GET / HTTP/1.1\r\nHost: chat.example\r\nX-Slow: ";
    let answer = answer_to(&server, slow).await; // Else it would wait in vain.
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_are_bounded_in_number_and_in_bytes() {
    let server = Backend::Sqlite.server().await;
    let many = "X-Many: 1\r\n".repeat(100);
    let long = format!("X-Long: {}\r\n", "x".repeat(20_000));
    for headers in [many, long] {
        let request = format!("GET / HTTP/1.1\r\nHost: chat.example\r\n{headers}\r\n");
        let answer = answer_to(&server, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_has_so_many_connections_and_no_more() {
    let server = Backend::Sqlite
        .server_with(&[("TRUSTED_PROXIES", "none"), ("MAX_CONNECTIONS_PER_NETWORK", "3")])
        .await;
    let live = b"GET /healthz HTTP/1.1\r\nHost: chat.example\r\n\r\n";
    let mut held = Vec::new();
    loop {
        let mut connection = TcpStream::connect(server.address).await.unwrap();
        connection.write_all(live).await.ok();
        let mut answer = [0; 8];
        match soon("an answer, or the end", connection.read(&mut answer)).await {
            Ok(1..) => held.push(connection),
            Ok(0) | Err(_) => break,
        }
        assert!(held.len() < 10);
    }
    assert_eq!(held.len(), 3);
    held.pop();
    loop {
        // The server hears of it in its own time.
        let mut connection = TcpStream::connect(server.address).await.unwrap();
        connection.write_all(live).await.ok();
        if matches!(connection.read(&mut [0; 8]).await, Ok(1..)) {
            break;
        }
    }
}
