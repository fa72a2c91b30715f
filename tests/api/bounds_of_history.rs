//! How much of what is said a room keeps.

use serde_json::Value;

use crate::{
    common::{Backend, Browser, gifs, until},
    on_both_stores,
};

on_both_stores!(
    a_room_keeps_so_many_messages_and_the_oldest_go,
    the_gifs_of_the_oldest_messages_go_with_them,
);

/// All that a room has kept, read from its end in pages of five.
async fn history(browser: &Browser, room: &str) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let before = all.first().map(|chat| format!("&before={}", chat["seq"])).unwrap_or_default();
        let path = format!("/room/{room}/chat?limit=5{before}");
        let (_, page) = browser.get_json(&path).await;
        let chats = page["chats"].as_array().unwrap();
        assert!(!chats.is_empty() || page["more"] == false, "{page}");
        all.splice(0..0, chats.iter().cloned());
        if page["more"] == false {
            return all;
        }
    }
}

async fn a_room_keeps_so_many_messages_and_the_oldest_go(on: Backend) {
    let server = on.server_with(&[("MAX_CHATS_PER_ROOM", "20")]).await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 2).await;
    let (mut socket, _) = anna.enter(&room).await;
    for number in 1..=60 {
        socket.say(&number.to_string()).await;
    }
    // Every second message somebody looks: twenty are left, or one more.
    until("the oldest to go", || async { history(&anna, &room).await.len() <= 21 }).await;
    let kept = history(&anna, &room).await;
    let words: Vec<&str> = kept.iter().map(|chat| chat["chat"].as_str().unwrap()).collect();
    let newest: Vec<String> = (61 - kept.len()..=60).map(|number| number.to_string()).collect();
    assert_eq!(words, newest);
    assert!(kept.len() >= 20, "{words:?}");

    // What goes on is said and heard as ever, and whoever was away longer than that gets what there is.
    let again = anna.enter_with(serde_json::json!({ "room": room, "after": 1 })).await.1;
    assert_eq!(again["chats"].as_array().unwrap().len(), kept.len());
    assert_eq!(again["more"], false);
    let next = socket.say("and on").await;
    assert_eq!(socket.wait_for("chat").await["room"], next["room"]);
}

async fn the_gifs_of_the_oldest_messages_go_with_them(on: Backend) {
    let server = on.server_with(&[("MAX_CHATS_PER_ROOM", "10")]).await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 2).await;
    let (mut socket, _) = anna.enter(&room).await;
    let (once, twice) = (gifs::animation(20, 10, 2), gifs::animation(20, 10, 3));
    anna.upload(&room, once).await;
    anna.upload(&room, twice.clone()).await;
    for number in 1..=7 {
        socket.say(&number.to_string()).await;
    }
    anna.upload(&room, twice).await;
    assert_eq!(server.home.files().len(), 4);
    for number in 8..=12 {
        socket.say(&number.to_string()).await;
    }
    until("the files to go", || async { server.home.files().len() == 2 }).await;
    let kept = history(&anna, &room).await;
    let shown = kept.iter().find_map(|chat| chat["gif"]["url"].as_str()).unwrap();
    assert_eq!(anna.get(shown).await.status(), 200);
}
