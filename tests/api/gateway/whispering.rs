//! `POST /chatter/{id}/message`: to one person, wherever they are.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    common::{Backend, Bot, Browser, Server, until},
    on_both_stores,
};

on_both_stores!(
    a_visitor_finds_a_bot_and_a_bot_a_visitor,
    of_several_rooms_it_is_the_one_they_came_into_last,
    whoever_shares_no_room_is_not_here,
    who_shows_a_token_has_no_cookies_rights,
    what_nobody_may_say_is_refused,
);

async fn with_token(server: &Server, token: &str, id: &Value, body: Value) -> (StatusCode, Value) {
    let browser = Browser::without_cookie(server.address);
    send(&browser, Some(token), id, body).await
}

async fn send(
    browser: &Browser,
    token: Option<&str>,
    id: &Value,
    body: Value,
) -> (StatusCode, Value) {
    let path = format!("/chatter/{}/message", id.as_str().unwrap());
    let request = browser.request(Method::POST, &path).header(header::ACCEPT, "application/json");
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    let answer = request.json(&body).send().await.unwrap();
    assert!(!answer.headers().contains_key(header::SET_COOKIE));
    (answer.status(), answer.json().await.unwrap())
}

async fn a_visitor_finds_a_bot_and_a_bot_a_visitor(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 5).await;
    let ((mut annas, welcome), (mut bens, _)) = (anna.enter(&room).await, ben.enter(&room).await);
    let token = ben.make_token().await;
    let (mut bot, _) = Bot::with_token(server.address, &token).await;
    bot.join(&room).await;

    let words = json!({ "chat": "psst", "clientId": "c-1" });
    let (status, sent) = with_token(&server, &token, &welcome["you"]["id"], words.clone()).await;
    let (_, again) = with_token(&server, &token, &welcome["you"]["id"], words).await;
    let (back, _) = send(&anna, None, &bot.me["id"], json!({ "content": "what?" })).await;
    annas.say("aloud").await;

    assert_eq!((status, back), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!((&sent["kind"], &sent["room"]), (&json!("whisper"), &json!(room)));
    assert_eq!(sent, again);
    let heard = annas.wait_for("chat").await;
    assert_eq!((&heard["chat"], &heard["user"]), (&json!("psst"), &bot.me));
    assert_eq!(bens.wait_for("chat").await["chat"], "aloud");
    loop {
        let chat = bot.wait_for("MESSAGE_CREATE").await;
        if chat["chat"] == "what?" {
            assert_eq!(chat["to"], bot.me);
            break;
        }
    }
}

async fn of_several_rooms_it_is_the_one_they_came_into_last(on: Backend) {
    let server = on.server_with(&[("ROOM_GRACE", "3600")]).await;
    let anna = server.browser().await;
    let ben = server.browser().await;
    let mut rooms = Vec::new();
    for title in ["one", "two", "three"] {
        rooms.push(anna.create_room(title, 5).await);
    }
    let mut bens = Vec::new();
    let mut id = Value::Null;
    for room in [&rooms[1], &rooms[0], &rooms[2]] {
        let (socket, welcome) = ben.enter(room).await;
        id = welcome["you"]["id"].clone();
        bens.push(socket);
    }
    let token = anna.make_token().await;
    let (mut bot, _) = Bot::with_token(server.address, &token).await;
    for room in &rooms {
        bot.join(room).await;
    }

    let (_, newest) = with_token(&server, &token, &id, json!({ "chat": "1" })).await;
    bens.pop().unwrap().vanish();

    assert_eq!(newest["room"], json!(rooms[2]));
    // Once it is known that they are away there, it is the last of those where they are.
    until("the connection to be missed", || async {
        let (_, next) = with_token(&server, &token, &id, json!({ "chat": "2" })).await;
        next["room"] == json!(rooms[0])
    })
    .await;
}

async fn whoever_shares_no_room_is_not_here(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let (tea, coffee) = (anna.create_room("tea", 5).await, anna.create_room("coffee", 5).await);
    let ((_annas, _), (_bens, welcome)) = (anna.enter(&tea).await, ben.enter(&coffee).await);
    let token = anna.make_token().await;

    for id in [&welcome["you"]["id"], &json!("aaaaaaaaaaaa"), &json!("nobody")] {
        let (status, error) = send(&anna, None, id, json!({ "chat": "psst" })).await;
        assert_eq!((status, &error["error"]["code"]), (StatusCode::NOT_FOUND, &json!("not_here")));
        let (status, _) = with_token(&server, &token, id, json!({ "chat": "psst" })).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}

async fn who_shows_a_token_has_no_cookies_rights(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 5).await;
    let ((_annas, _), (_bens, welcome)) = (anna.enter(&room).await, ben.enter(&room).await);
    let (id, token) = (&welcome["you"]["id"], anna.make_token().await);
    let words = || json!({ "chat": "psst" });

    // Anna is here, and her bot is not.
    let (status, _) = send(&anna, Some(&token), id, words()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let forged = format!("huechat_{}", "A".repeat(43));
    for wrong in ["", "nonsense", &forged] {
        let (status, error) = send(&anna, Some(wrong), id, words()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{wrong}");
        assert_eq!(error["error"]["code"], "invalid_token");
    }
    let nobody = Browser::without_cookie(server.address);
    let (status, error) = send(&nobody, None, id, words()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(error["error"]["code"], "unauthorized");
}

async fn what_nobody_may_say_is_refused(on: Backend) {
    let server = on.server_with(&[("RATE_WHISPERS", "1/60")]).await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 5).await;
    let ((_annas, mine), (_bens, welcome)) = (anna.enter(&room).await, ben.enter(&room).await);
    let id = &welcome["you"]["id"];

    for (to, body, status, code) in [
        (id, json!({}), 400, "malformed"),
        (id, json!({ "chat": " " }), 422, "invalid"),
        (id, json!({ "chat": "x".repeat(2_001) }), 413, "too_long"),
        (id, json!({ "chat": "x", "clientId": "a b" }), 422, "invalid"),
        (&mine["you"]["id"], json!({ "chat": "x" }), 422, "yourself"),
    ] {
        let (answered, error) = send(&anna, None, to, body).await;
        assert_eq!((answered.as_u16(), &error["error"]["code"]), (status, &json!(code)));
    }
    assert_eq!(send(&anna, None, id, json!({ "chat": "x" })).await.0, StatusCode::CREATED);
    let (status, error) = send(&anna, None, id, json!({ "chat": "x" })).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert!(error["error"]["retryAfterMs"].as_u64().unwrap() > 0);
}
