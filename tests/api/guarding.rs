//! What a server has to put up with from those who mean it no good.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    common::{
        BEHIND_A_PROXY, Backend, Browser, Server, Socket, WITHOUT_A_PROXY,
        server::{Home, Process},
        soon, until,
    },
    on_both_stores,
};

on_both_stores!(
    a_page_of_another_site_changes_nothing,
    a_page_of_another_site_opens_no_connection,
    a_site_that_is_allowed_may_ask,
    a_cookie_of_the_last_secret_counts_and_is_signed_anew,
    a_network_may_do_so_much_however_many_people_it_sends,
    a_network_opens_so_many_connections_and_no_more,
    who_guesses_passwords_waits_longer_each_time,
    another_sites_page_shows_and_counts_nothing_of_this_one,
    a_person_has_so_many_connections_and_no_more,
);

/// How a browser says that another site's page asks: today's, and one from before 2023.
const OF_ANOTHER_SITE: [&[(&str, &str)]; 3] = [
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
    let server =
        Backend::Sqlite.server_with(&[WITHOUT_A_PROXY, ("MAX_CONNECTIONS_PER_NETWORK", "3")]).await;
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

async fn a_cookie_of_the_last_secret_counts_and_is_signed_anew(on: Backend) {
    let (first, second) = ("first-0123456789abcdef0123456789", "second-0123456789abcdef012345678");
    let server = Process::start(Home::new(on, &[("COOKIE_SECRET", first)])).await;
    let anna = server.browser().await;
    let annas = |server: &Process, cookie: &str| {
        let mut browser = Browser::without_cookie(server.address);
        browser.cookie = Some(cookie.to_owned());
        browser
    };
    let room = anna.create_room("tea", 2).await;
    let you = anna.enter(&room).await.1["you"]["id"].clone();
    let old = anna.cookie.clone().unwrap();

    let (mut home, _) = server.terminate().await;
    home.set("COOKIE_SECRET", second);
    home.set("OLD_COOKIE_SECRETS", first);
    let server = Process::start(home).await;
    let again = annas(&server, &old);
    let answer = again.get("/").await;
    let new = answer.headers()[header::SET_COOKIE].to_str().unwrap();
    for part in ["huechat.sid=", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(new.contains(part), "{new}");
    }
    let new = new.split(';').next().unwrap().to_owned();
    assert_ne!(new, old);
    let room = again.create_room("tea", 2).await;
    assert_eq!(again.enter(&room).await.1["you"]["id"], you);

    let (mut home, _) = server.terminate().await;
    home.set("OLD_COOKIE_SECRETS", "");
    let server = Process::start(home).await;
    let with_new = annas(&server, &new);
    let room = with_new.create_room("tea", 2).await;
    assert_eq!(with_new.enter(&room).await.1["you"]["id"], you);
    let refused = annas(&server, &old).try_enter(json!({ "room": room })).await.err();
    assert_eq!(refused.as_deref(), Some("unauthorized"));
}

/// A room made by somebody who comes from there.
async fn room_from(server: &Server, network: Option<&str>) -> reqwest::Response {
    let browser = server.browser().await;
    let mut request =
        browser.request(Method::POST, "/room").header(header::ACCEPT, "application/json");
    if let Some(network) = network {
        request = request.header("x-forwarded-for", network);
    }
    request.json(&json!({ "title": "tea", "max": 2 })).send().await.unwrap()
}

async fn a_network_may_do_so_much_however_many_people_it_sends(on: Backend) {
    let server = on.server_with(&[BEHIND_A_PROXY, ("RATE_ROOMS", "2/600,3/600")]).await;
    for _ in 0..3 {
        let made = room_from(&server, Some("192.0.2.1")).await;
        assert_eq!(made.status(), StatusCode::CREATED);
    }
    let refused = room_from(&server, Some("192.0.2.1")).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u32 = refused.headers()[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=200).contains(&wait), "{wait}");
    // Others may; and of whom a proxy does not speak, nobody knows who they are.
    for network in [Some("192.0.2.2"), Some("2001:db8::1"), None, None, None, None] {
        assert_eq!(room_from(&server, network).await.status(), StatusCode::CREATED, "{network:?}");
    }
    // A /64 is one network.
    for (address, status) in [
        ("2001:db8::2", StatusCode::CREATED),
        ("2001:db8::3", StatusCode::CREATED),
        ("2001:db8::4", StatusCode::TOO_MANY_REQUESTS),
        ("2001:db8:0:1::1", StatusCode::CREATED),
    ] {
        assert_eq!(room_from(&server, Some(address)).await.status(), status, "{address}");
    }
}

async fn a_network_opens_so_many_connections_and_no_more(on: Backend) {
    let server = on.server_with(&[BEHIND_A_PROXY, ("RATE_HANDSHAKES", "3/600")]).await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 2).await;
    let cookie = anna.cookie.clone().unwrap();
    let from = |network| [("cookie", cookie.as_str()), ("x-forwarded-for", network)];
    for _ in 0..3 {
        connect(&server, &from("192.0.2.1"), &room).await.unwrap();
    }
    let refused = connect(&server, &from("192.0.2.1"), &room).await.err().unwrap();
    assert!(refused.contains("429"), "{refused}");
    let polling = anna.request(Method::GET, "/socket.io/?EIO=4&transport=polling&xsid=1");
    let polling = polling.header("x-forwarded-for", "192.0.2.1").send().await.unwrap();
    assert_eq!(polling.status(), StatusCode::TOO_MANY_REQUESTS);
    connect(&server, &from("192.0.2.2"), &room).await.unwrap();
}

async fn another_sites_page_shows_and_counts_nothing_of_this_one(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let form = json!({ "title": "tea", "max": 5, "password": "sesame" });
    let room = anna.create(&form).await;
    let ben = server.browser().await;
    let fetch = |path: String, site: &'static str, kind: &'static str| {
        let request = ben.request(Method::GET, &path).header("sec-fetch-site", site);
        request.header("sec-fetch-dest", kind).send()
    };
    let path = |password: &str| format!("/room/{room}?password={password}");

    for _ in 0..10 {
        for kind in ["image", "iframe", "empty"] {
            let answer = fetch(path("wrong"), "cross-site", kind).await.unwrap();
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{kind}");
        }
    }
    let stranger = Browser::without_cookie(server.address);
    let image = stranger.request(Method::GET, "/").header("sec-fetch-site", "cross-site");
    let image = image.header("sec-fetch-dest", "image").send().await.unwrap();
    assert!(!image.headers().contains_key(header::SET_COOKIE), "a session begins with a page");
    // Nothing was counted: a link may be followed from anywhere.
    let link = fetch(path("sesame"), "cross-site", "document").await.unwrap();
    assert_eq!(link.headers()[header::LOCATION], format!("/room/{room}").as_str());
}

async fn who_guesses_passwords_waits_longer_each_time(on: Backend) {
    let server = on.server_with(&[BEHIND_A_PROXY]).await;
    let anna = server.browser().await;
    let form = json!({ "title": "tea", "max": 5, "password": "sesame" });
    let (_, room) = anna.post_json("/room", &form).await;
    let path = format!("/room/{}/enter", room["id"].as_str().unwrap());
    let guess = async |password: &str, network: &'static str| {
        // Another cookie each time: it is of no use.
        let browser = server.browser().await;
        let request =
            browser.request(Method::POST, &path).header(header::ACCEPT, "application/json");
        let request = request.header("x-forwarded-for", network);
        request.json(&json!({ "password": password })).send().await.unwrap().status()
    };
    let here = "192.0.2.1";
    for _ in 0..6 {
        assert_eq!(guess("wrong", here).await, StatusCode::FORBIDDEN);
    }
    assert_eq!(guess("sesame", here).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(guess("sesame", "192.0.2.2").await, StatusCode::NO_CONTENT);
    // The wait ends, and whoever knows it then gets in.
    until("the wait is over", || async { guess("sesame", here).await == StatusCode::NO_CONTENT })
        .await;
    assert_eq!(guess("wrong", here).await, StatusCode::FORBIDDEN);
}

async fn a_person_has_so_many_connections_and_no_more(on: Backend) {
    let server = on.server_with(&[("MAX_CONNECTIONS_PER_PERSON", "3")]).await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 2).await;
    let (first, _) = anna.enter(&room).await;
    let _second = anna.enter(&room).await;
    let _third = anna.lobby().await;
    let auth = json!({ "room": room });
    let refused = anna.try_enter(auth.clone()).await.err();
    assert_eq!(refused.as_deref(), Some("too_many_connections"));
    ben.enter(&room).await;
    drop(first);
    until("a place is free", || async {
        Box::pin(anna.try_enter(auth.clone())).await.is_ok() // It is large.
    })
    .await;
}
