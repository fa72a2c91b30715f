//! Who a bot is, and for how long.

use mongodb::bson::{DateTime, Document, doc};
use reqwest::{Method, StatusCode, header};
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, client::IntoClientRequest as _},
};

use crate::{
    common::{Backend, Bot, Server, server::Home, soon},
    on_both_stores,
};

on_both_stores!(
    a_bot_is_a_person_of_its_own_and_everybody_sees_what_it_is,
    a_bot_stays_who_it_is,
    whoever_does_not_say_who_they_are_is_shut_out,
    what_is_no_token_lets_nobody_in,
    a_token_that_has_ended_lets_nobody_in,
    a_second_word_about_who_one_is_changes_nothing,
    nothing_is_done_for_whoever_has_not_said_who_they_are,
    a_bot_whose_token_is_revoked_leaves_at_once,
    a_bot_ends_with_the_session_that_made_it,
    a_bot_has_so_many_connections,
    what_is_no_handshake_of_its_own_is_refused,
);

async fn a_bot_is_a_person_of_its_own_and_everybody_sees_what_it_is(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 5).await;
    let (mut annas, welcome) = anna.enter(&room).await;
    let token = anna.make_token().await;

    let (mut bot, ready) = Bot::with_token(server.address, &token).await;
    let greeted = bot.join(&room).await;
    bot.say(&room, "hello").await;

    assert_eq!(ready["person"]["bot"], true);
    assert_eq!(ready["rooms"], json!([]));
    assert_ne!(ready["person"]["id"], welcome["you"]["id"]);
    let name = ready["person"]["name"].as_str().unwrap();
    assert!(name.split(' ').count() == 2, "{name}: as people name it");
    assert_eq!(greeted["you"]["bot"], true);
    assert!(welcome["you"].get("bot").is_none());
    let joined = annas.wait_for("join").await;
    assert_eq!((&joined["person"]["bot"], &joined["currentUsers"]), (&json!(true), &json!(2)));
    let said = annas.wait_for("chat").await;
    assert_eq!((&said["user"], &said["chat"]), (&bot.me, &json!("hello")));
    // And after a reload.
    let (_, history) = anna.get_json(&format!("/room/{room}/chat")).await;
    assert_eq!(history["chats"].as_array().unwrap().last().unwrap()["user"]["bot"], true);
    let page = anna.get(&format!("/room/{room}")).await;
    assert_eq!(page.status(), StatusCode::OK, "{page:?}");
    let page = page.text().await.unwrap();
    let badges = page.matches(r#"<span class="badge" data-bot>"#).count();
    assert_eq!(badges, 2, "in the list of people, and beside what it said");
    let (_again, welcome) = anna.enter(&room).await;
    assert_eq!(welcome["people"][1]["bot"], true);
}

async fn a_bot_stays_who_it_is(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let (token, other) = (anna.make_token().await, anna.make_token().await);

    let (_first, one) = Bot::with_token(server.address, &token).await;
    let (_second, two) = Bot::with_token(server.address, &token).await;
    let (_third, three) = Bot::with_token(server.address, &other).await;

    assert_eq!(one["person"], two["person"]);
    assert_ne!(one["person"]["id"], three["person"]["id"]);
}

async fn whoever_does_not_say_who_they_are_is_shut_out(on: Backend) {
    let server = on.server().await;
    let mut bot = Bot::connect(server.address).await;

    let (heard, code) = bot.until_closed().await;

    assert_eq!(code, 4004);
    assert_eq!(heard.last().unwrap().1["code"], "invalid_token");
    assert_eq!(bot.hello["heartbeatMs"], 30_000);
}

async fn shut_out(server: &Server, token: Value) {
    let mut bot = Bot::connect(server.address).await;
    bot.ask("IDENTIFY", json!({ "token": token })).await;
    let (heard, code) = bot.until_closed().await;
    assert_eq!(heard.last().unwrap().1["code"], "invalid_token", "{token}");
    assert_eq!(code, 4004, "{token}");
}

async fn what_is_no_token_lets_nobody_in(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let token = anna.make_token().await;
    let forged = format!("huechat_{}", "A".repeat(43));

    for wrong in ["", "huechat_", &forged, &token[8..], &token.to_uppercase()] {
        shut_out(&server, json!(wrong)).await;
    }
    shut_out(&server, json!(anna.cookie.as_deref().unwrap())).await;
}

/// Past the server, as time does.
async fn let_every_token_expire(home: &Home) {
    let Some(uri) = home.mongodb_uri() else {
        let database = Connection::open(home.data().join("huechat.sqlite3")).unwrap();
        database.execute("UPDATE tokens SET expires_at = 1", []).unwrap();
        return;
    };
    let client = mongodb::Client::with_uri_str(uri).await.unwrap();
    let tokens = client.default_database().unwrap().collection::<Document>("tokens");
    let over = doc! { "$set": { "expiresAt": DateTime::from_millis(1) } };
    tokens.update_many(doc! {}, over).await.unwrap();
}

async fn a_token_that_has_ended_lets_nobody_in(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let token = anna.make_token().await;
    let (mut bot, _) = Bot::with_token(server.address, &token).await;

    let_every_token_expire(&server.home).await;

    assert_eq!(bot.until_closed().await.1, 4004);
    shut_out(&server, json!(token)).await;
    let (_, list) = anna.get_json("/token").await;
    assert_eq!(list, json!({ "tokens": [] }));
}

async fn a_second_word_about_who_one_is_changes_nothing(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let (token, other) = (anna.make_token().await, anna.make_token().await);
    let (mut bot, ready) = Bot::with_token(server.address, &token).await;

    bot.ask("IDENTIFY", json!({ "token": other })).await;

    assert_eq!(bot.refusal().await, "already_identified");
    let room = anna.create_room("tea", 5).await;
    assert_eq!(bot.join(&room).await["you"]["id"], ready["person"]["id"]);
}

async fn nothing_is_done_for_whoever_has_not_said_who_they_are(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 5).await;
    let mut bot = Bot::connect(server.address).await;

    let asked = [
        ("ROOM_JOIN", json!({ "room": room })),
        ("ROOM_LEAVE", json!({ "room": room })),
        ("MESSAGE_POST", json!({ "room": room, "chat": "hello" })),
        ("HEARTBEAT", Value::Null),
        ("ROOM_JOIN", json!({ "room": room })),
    ];
    for (op, d) in asked {
        bot.ask(op, d).await;
    }

    let (heard, code) = bot.until_closed().await;
    assert_eq!(heard.len(), 5);
    assert!(heard.iter().all(|(_, error)| error["code"] == "not_identified"), "{heard:?}");
    assert_eq!(code, 4002);
    let (_, listed) = anna.get_json(&format!("/room/{room}")).await;
    assert_eq!(listed["count"], 0);
}

async fn a_bot_whose_token_is_revoked_leaves_at_once(on: Backend) {
    // Far longer than a test: whoever leaves sooner has given up the seat.
    let server = on.server_with(&[("ROOM_GRACE", "3600")]).await;
    let anna = server.browser().await;
    let (tea, coffee) = (anna.create_room("tea", 5).await, anna.create_room("coffee", 5).await);
    let ((mut in_tea, _), (mut in_coffee, _)) = (anna.enter(&tea).await, anna.enter(&coffee).await);
    let (token, kept) = (anna.make_token().await, anna.make_token().await);
    let (mut bot, _) = Bot::with_token(server.address, &token).await;
    let (mut other, _) = Bot::with_token(server.address, &kept).await;
    bot.join(&tea).await;
    bot.join(&coffee).await;
    other.join(&tea).await;
    let (_, list) = anna.get_json("/token").await;
    let id = list["tokens"][0]["id"].as_str().unwrap();

    let path = format!("/token/{id}");
    let revoked = anna.request(Method::DELETE, &path).header(header::ACCEPT, "application/json");
    assert_eq!(revoked.send().await.unwrap().status(), StatusCode::NO_CONTENT);

    let (heard, code) = bot.until_closed().await;
    assert_eq!(heard.last().unwrap().1["code"], "invalid_token");
    assert_eq!(code, 4004);
    for socket in [&mut in_tea, &mut in_coffee] {
        assert_eq!(socket.wait_for("exit").await["person"]["id"], bot.me["id"]);
    }
    shut_out(&server, json!(token)).await;
    other.say(&tea, "still here").await;
}

async fn a_bot_ends_with_the_session_that_made_it(on: Backend) {
    let server = on.server_with(&[("ROOM_GRACE", "3600")]).await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = ben.create_room("tea", 5).await;
    let (mut bens, _) = ben.enter(&room).await;
    let token = anna.make_token().await;
    let (mut bot, _) = Bot::with_token(server.address, &token).await;
    bot.join(&room).await;

    anna.post_form("/logout", &[]).await;

    assert_eq!(bot.until_closed().await.1, 4004);
    assert_eq!(bens.wait_for("exit").await["person"]["id"], bot.me["id"]);
    shut_out(&server, json!(token)).await;
}

async fn a_bot_has_so_many_connections(on: Backend) {
    let server = on.server_with(&[("MAX_CONNECTIONS_PER_PERSON", "2")]).await;
    let anna = server.browser().await;
    let token = anna.make_token().await;
    let (mut first, _) = Bot::with_token(server.address, &token).await;
    let (_second, _) = Bot::with_token(server.address, &token).await;

    let mut third = Bot::connect(server.address).await;
    third.ask("IDENTIFY", json!({ "token": token })).await;

    let (heard, code) = third.until_closed().await;
    assert_eq!(heard.last().unwrap().1["code"], "too_many_connections");
    assert_eq!(code, 4003);
    first.beat().await;
}

async fn what_is_no_handshake_of_its_own_is_refused(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;

    let (status, error) = anna.get_json("/gateway").await;
    let mut foreign = format!("ws://{}/gateway", server.address).into_client_request().unwrap();
    foreign.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
    let foreign = soon("the answer", connect_async(foreign)).await;

    assert_eq!(status, StatusCode::UPGRADE_REQUIRED);
    assert_eq!(error["error"]["code"], "malformed");
    let Err(Error::Http(answer)) = foreign else { panic!("let in") };
    assert_eq!(answer.status(), 403);
}
