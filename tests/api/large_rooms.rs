//! Rooms with so many connections that they are told in parts.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    common::{Backend, Socket},
    on_both_stores,
};

on_both_stores!(
    a_crowd_hears_everything_once_and_in_order,
    a_room_that_became_large_hears_everything_too,
);

const WHISPERS: usize = 5;

/// Places for so many divide a room into parts.
const MANY: u32 = 200;

async fn a_crowd_hears_everything_once_and_in_order(on: Backend) {
    a_crowd_hears_everything(on, MANY).await;
}

/// Some came in before it had so many places, some after.
async fn a_room_that_became_large_hears_everything_too(on: Backend) {
    a_crowd_hears_everything(on, 4).await;
}

async fn a_crowd_hears_everything(on: Backend, places_at_first: u32) {
    let server = on.server_with(&[("MAX_CONNECTIONS_PER_PERSON", "220")]).await;
    let (anna, ben, carl) =
        (server.browser().await, server.browser().await, server.browser().await);
    let room = anna.create_room("tea", places_at_first).await;
    let mut crowd = Vec::new();
    for _ in 0..100 {
        crowd.push(anna.enter(&room).await.0);
    }
    let grown = anna.request(Method::PATCH, &format!("/room/{room}")).json(&json!({ "max": MANY }));
    assert_eq!(grown.send().await.unwrap().status(), StatusCode::OK);
    for _ in 0..100 {
        crowd.push(anna.enter(&room).await.0);
    }
    let (mut ben, _) = ben.enter(&room).await;
    let (mut carl, welcome) = carl.enter(&room).await;
    let before = newest(&welcome);

    let talk = async |speaker: &mut Socket| {
        for n in 0..15 {
            speaker.say(&n.to_string()).await;
        }
    };
    let whisper = async |speaker: &mut Socket| {
        let whisper = json!({ "to": welcome["you"]["id"], "chat": "psst" });
        for _ in 0..WHISPERS {
            assert_eq!(speaker.ask("whisper:post", whisper.clone()).await["ok"], true);
        }
    };
    let mut dora = async || {
        carl.wait_for("chat").await; // They are talking.
        server.browser().await.enter(&room).await
    };
    let (talkers, whisperers) = crowd.split_at_mut(1);
    let talking =
        async { tokio::join!(talk(&mut ben), talk(&mut talkers[0]), whisper(&mut whisperers[0])) };
    let (_, (mut late, welcome)) = tokio::join!(talking, dora());

    // Two who talk, and one who comes: thirty messages and "joined". Anna whispers.
    let hears = async |socket: &mut Socket, from: Value| {
        let mut last = from;
        let (mut chats, mut whispers) = (0, 0);
        while chats < 30 || whispers < WHISPERS {
            let (event, heard) = socket.next().await;
            let chat = match event.as_str() {
                "chat" => &heard,
                "join" => &heard["chat"],
                _ => continue,
            };
            if chat["kind"] == "whisper" {
                assert_eq!(chat["prev"], last, "a whisper before what was said before it");
                whispers += 1;
            } else if chat["seq"].as_i64() > last.as_i64() {
                assert_eq!(chat["prev"], last, "{chat}");
                last = chat["seq"].clone();
                chats += i32::from(event == "chat");
            }
        }
        assert_eq!(whispers, WHISPERS);
    };
    for socket in &mut crowd[1..] {
        hears(socket, before.clone()).await;
    }
    let seen = welcome["chats"].as_array().unwrap();
    let missed = 30 - seen.iter().filter(|chat| chat["kind"] == "chat").count();
    let mut last = newest(&welcome);
    for _ in 0..missed {
        let chat = late.wait_for("chat").await;
        assert_eq!((&chat["prev"], &chat["kind"]), (&last, &json!("chat")), "no whisper");
        last = chat["seq"].clone();
    }
}

fn newest(welcome: &Value) -> Value {
    welcome["chats"].as_array().unwrap().last().unwrap()["seq"].clone()
}
