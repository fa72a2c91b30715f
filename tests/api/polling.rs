//! Connections by long polling, for networks that let no WebSocket pass.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    common::{Backend, Browser},
    on_both_stores,
};

on_both_stores!(the_sid_of_a_polling_connection_is_worth_nothing_without_its_cookie,);

async fn the_sid_of_a_polling_connection_is_worth_nothing_without_its_cookie(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 2).await;
    let open = "/socket.io/?EIO=4&transport=polling";
    let answer = anna.get(open).await.text().await.unwrap();
    let packet: Value = serde_json::from_str(answer.strip_prefix('0').unwrap()).unwrap();
    let path = format!("{open}&sid={}", packet["sid"].as_str().unwrap());
    let send = async |browser: &Browser, packet: String| {
        browser.request(Method::POST, &path).body(packet).send().await.unwrap().status()
    };
    let enter = format!("40/chat,{}", json!({ "room": room }));
    assert_eq!(send(&anna, enter).await, StatusCode::OK);
    let mut heard = String::new();
    while !heard.contains("welcome") {
        heard += &anna.get(&path).await.text().await.unwrap();
    }

    let stranger = Browser::without_cookie(server.address);
    for other in [&ben, &stranger] {
        assert_eq!(other.get(&path).await.status(), StatusCode::BAD_REQUEST);
        let words =
            format!("42/chat,1{}", json!(["chat:post", { "chat": "not mine", "clientId": "x" }]));
        assert_eq!(send(other, words).await, StatusCode::BAD_REQUEST);
        let upgrade = path.replace("polling", "websocket");
        let handshake = other
            .request(Method::GET, &upgrade)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(handshake.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    }

    let words = json!(["chat:post", { "chat": "mine", "clientId": "y" }]);
    assert_eq!(send(&anna, format!("42/chat,2{words}")).await, StatusCode::OK);
    let mut heard = String::new();
    while !heard.contains("mine") {
        heard += &anna.get(&path).await.text().await.unwrap();
    }
    assert!(!heard.contains("not mine"), "{heard}");
}
