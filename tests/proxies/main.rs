//! The server behind Debian's nginx and Caddy, with the lines of `docs/deploy/proxy.md`.

#![cfg(test)]

#[path = "../common/mod.rs"]
mod common;
mod document;
mod plain;
mod polling;
mod proxy;
mod visitor;

use common::{
    Backend, Bot, Browser, Socket, gifs,
    server::{Home, Process},
};
use polling::Polling;
use proxy::{Kind, Proxy};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use visitor::visitor_at;

const ANNA: [u8; 4] = [127, 0, 0, 2];
const BEN: [u8; 4] = [127, 0, 0, 3];

/// Runs each test behind each of the two.
macro_rules! behind_both_proxies {
    ($($name:ident),* $(,)?) => {
        mod nginx {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name($crate::Kind::Nginx).await })*
        }
        mod caddy {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name($crate::Kind::Caddy).await })*
        }
    };
}

behind_both_proxies!(
    pages_and_their_files_load,
    a_socket_of_a_page_and_one_of_a_bot_work,
    long_polling_works,
    the_largest_gif_can_be_shared,
    a_kick_bans_the_network_of_the_client_alone,
    wrong_passwords_count_against_the_network_of_the_client_alone,
    the_settings_and_the_proxy_fit_together,
);

/// A server with the settings of the document, behind a proxy with its lines.
async fn stage(kind: Kind) -> (Process, Proxy) {
    let settings = document::settings();
    let settings: Vec<_> =
        settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let server = Process::start(Home::new(Backend::Sqlite, &settings)).await;
    let proxy = Proxy::documented(kind, server.address).await;
    (server, proxy)
}

/// What a browser sends with a request of a page at the address of the document.
const OF_OUR_PAGE: [(&str, &str); 2] =
    [("origin", "https://chat.example"), ("sec-fetch-site", "same-origin")];

/// Enters a room as a page does; `Err` has the code of the refusal.
async fn enter(visitor: &Browser, room: &str) -> Result<(Socket, Value), String> {
    enter_claiming(visitor, room, None).await
}

/// The same, with a header that names somebody else's address.
async fn enter_claiming(
    visitor: &Browser,
    room: &str,
    address: Option<&str>,
) -> Result<(Socket, Value), String> {
    let mut headers = vec![("cookie", visitor.cookie.as_deref().unwrap())];
    headers.extend(OF_OUR_PAGE);
    headers.extend(address.map(|address| ("x-forwarded-for", address)));
    let auth = json!({ "room": room });
    let mut socket = Socket::connect_with(visitor.address, &headers, "/chat", auth).await?;
    let welcome = socket.wait_for("welcome").await;
    Ok((socket, welcome))
}

async fn pages_and_their_files_load(kind: Kind) {
    let (_server, proxy) = stage(kind).await;
    let anna = visitor_at(ANNA, &proxy).await;

    let room = anna.create_room("tea", 5).await;

    let lobby = anna.get("/").await.text().await.unwrap();
    assert!(lobby.contains(&room), "{lobby}");
    let (_, rest) = lobby.split_once("src=\"/").unwrap();
    let script = anna.get(&format!("/{}", rest.split('"').next().unwrap())).await;
    assert_eq!(script.status(), StatusCode::OK);
    assert!(script.headers()[header::CONTENT_TYPE].to_str().unwrap().contains("javascript"));
    assert!(anna.cookie.unwrap().starts_with("__Host-huechat.sid="));
}

async fn a_socket_of_a_page_and_one_of_a_bot_work(kind: Kind) {
    let (_server, proxy) = stage(kind).await;
    let anna = visitor_at(ANNA, &proxy).await;
    let room = anna.create_room("tea", 5).await;
    let (mut annas, _) = enter(&anna, &room).await.unwrap();
    let token = visitor_at(BEN, &proxy).await.make_token().await;
    let (mut bot, _) = Bot::with_token(anna.address, &token).await;
    bot.join(&room).await;

    annas.say("hello").await;
    assert_eq!(bot.wait_for("MESSAGE_CREATE").await["chat"], "hello");
    bot.say(&room, "hello to you").await;
    while annas.wait_for("chat").await["chat"] != "hello to you" {}
}

async fn long_polling_works(kind: Kind) {
    let (_server, proxy) = stage(kind).await;
    let (anna, ben) = (visitor_at(ANNA, &proxy).await, visitor_at(BEN, &proxy).await);
    let room = anna.create_room("tea", 5).await;
    let (mut annas, _) = enter(&anna, &room).await.unwrap();
    let mut bens = Polling::enter(&ben, &room).await;

    let post = json!(["chat:post", { "chat": "hello", "clientId": "1" }]);
    bens.send(format!("42/chat,1{post}")).await;
    assert!(bens.packet("43/chat,1").await.contains("\"ok\":true"));
    while annas.wait_for("chat").await["chat"] != "hello" {}

    // A poll is open when the answer comes.
    let (heard, said) = tokio::join!(bens.packet("42/chat,[\"chat\",{"), annas.say("hello, Ben"));
    let mut heard = heard;
    while !heard.contains(&format!("\"seq\":{}", said["seq"])) {
        heard = bens.packet("42/chat,[\"chat\",{").await;
    }
}

async fn the_largest_gif_can_be_shared(kind: Kind) {
    let (_server, proxy) = stage(kind).await;
    let anna = visitor_at(ANNA, &proxy).await;
    let room = anna.create_room("tea", 5).await;
    let (_annas, _) = enter(&anna, &room).await.unwrap();

    let (status, chat) = anna.upload(&room, gifs::of_bytes(gifs::FIVE_MIB)).await;

    assert_eq!(status, StatusCode::CREATED, "{chat}");
    let file = anna.get(chat["gif"]["url"].as_str().unwrap()).await;
    assert_eq!(file.status(), StatusCode::OK);
    // The server refuses one that is larger, and not the proxy: the answer has a code.
    let (status, refused) = anna.upload(&room, gifs::of_bytes(gifs::FIVE_MIB + 1)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(refused["error"]["code"], "too_large", "{refused}");
}

async fn a_kick_bans_the_network_of_the_client_alone(kind: Kind) {
    let (_server, proxy) = stage(kind).await;
    let (anna, ben) = (visitor_at(ANNA, &proxy).await, visitor_at(BEN, &proxy).await);
    let room = anna.create_room("tea", 5).await;
    let (mut annas, _) = enter(&anna, &room).await.unwrap();
    let (_bens, welcome) = enter(&ben, &room).await.unwrap();

    let kick = json!({ "id": welcome["you"]["id"] });
    assert_eq!(annas.ask("person:kick", kick).await["ok"], true);

    let again = visitor_at(BEN, &proxy).await;
    assert_eq!(enter(&again, &room).await.err().as_deref(), Some("kicked"));
    // What they write themselves about their address is not believed.
    for address in ["127.0.0.4", "192.0.2.1", "127.0.0.1"] {
        let refused = enter_claiming(&again, &room, Some(address)).await;
        assert_eq!(refused.err().as_deref(), Some("kicked"), "{address}");
    }
    let neighbour = visitor_at([127, 0, 0, 4], &proxy).await;
    enter(&neighbour, &room).await.unwrap();
}

async fn wrong_passwords_count_against_the_network_of_the_client_alone(kind: Kind) {
    let (_server, proxy) = stage(kind).await;
    let anna = visitor_at(ANNA, &proxy).await;
    let room = anna.create(&json!({ "title": "tea", "max": 5, "password": "right" })).await;
    let guess = async |visitor: &Browser, address: &str| {
        let request = visitor.request(Method::POST, &format!("/room/{room}/enter"));
        let request = request.header(header::ACCEPT, "application/json");
        let request = request.header("x-forwarded-for", address);
        request.form(&[("password", "wrong")]).send().await.unwrap().status()
    };
    let ben = visitor_at(BEN, &proxy).await;
    for n in 0..6 {
        // Each time as if from somewhere else.
        assert_eq!(guess(&ben, &format!("192.0.2.{n}")).await, StatusCode::FORBIDDEN, "{n}");
    }

    let again = visitor_at(BEN, &proxy).await;
    let mut answers = Vec::new();
    for _ in 0..4 {
        // The first may come after the time that Ben has to wait; then the next wait is twice as long.
        answers.push(guess(&again, "127.0.0.4").await);
    }
    assert!(answers.contains(&StatusCode::TOO_MANY_REQUESTS), "{answers:?}");
    let neighbour = visitor_at([127, 0, 0, 4], &proxy).await;
    // Ben's claims have not counted against this address.
    assert_eq!(guess(&neighbour, "127.0.0.3").await, StatusCode::FORBIDDEN);
}

async fn the_settings_and_the_proxy_fit_together(kind: Kind) {
    let (server, proxy) = stage(kind).await;
    let anna = visitor_at(ANNA, &proxy).await;
    let room = anna.create_room("tea", 5).await;
    let (_annas, _) = enter(&anna, &room).await.unwrap();
    let origin_alone = anna.request(Method::DELETE, &format!("/room/{room}"));
    let closed = origin_alone.header(OF_OUR_PAGE[0].0, OF_OUR_PAGE[0].1).send().await.unwrap();

    assert_eq!(closed.status(), StatusCode::NO_CONTENT);
    let mut warnings = server.log();
    warnings.retain(|line| line.contains("WARN") && !line.contains("MAX_CONNECTIONS"));
    assert!(warnings.is_empty(), "{warnings:?}");
}
