//! What is left after `kill -9`.

use std::collections::HashSet;

use futures_util::future::join_all;
use mongodb::bson::{DateTime, Document, doc};
use serde_json::{Value, json};

use crate::{
    common::{
        Backend, Browser, Socket, gifs,
        server::{Home, Process},
        soon, until,
    },
    on_both_stores,
};

on_both_stores!(
    a_seat_that_was_left_before_the_clock_was_set_back_ends,
    what_was_acknowledged_is_there_once_after_a_kill,
    nobody_notices_a_crash_that_is_short,
    a_room_that_nobody_comes_back_to_goes_after_a_crash,
    what_a_crash_left_of_a_room_is_cleared_at_the_next_start,
);

/// As many acknowledged messages as make the kill come in the middle of the work.
const ENOUGH: usize = 300;

async fn what_was_acknowledged_is_there_once_after_a_kill(on: Backend) {
    let server = Process::start(Home::new(on, &[])).await;
    let owner = server.browser().await;
    let room = owner.create_room("busy", 50).await;
    let (_owner_socket, _) = owner.enter(&room).await;
    let (acked, mut acks) = tokio::sync::mpsc::unbounded_channel::<Value>();
    let writers = (0..20).map(|_| async {
        let browser = server.browser().await;
        browser.enter(&room).await.0
    });
    let writers = join_all(writers).await.into_iter();
    let writers = writers.map(|socket| tokio::spawn(post_until_the_end(socket, acked.clone())));
    let writers: Vec<_> = writers.collect();
    drop(acked);

    let mut acknowledged = Vec::new();
    while acknowledged.len() < ENOUGH {
        acknowledged.push(soon("an acknowledgement", acks.recv()).await.unwrap());
    }
    let home = server.kill().await;
    join_all(writers).await;
    while let Some(late) = acks.recv().await {
        acknowledged.push(late);
    }

    let server = Process::start(home).await;
    let owner = owner.at(server.address);
    let _owner_socket = owner.enter(&room).await;
    let stored = whole_history(&owner, &room).await;
    let seqs: Vec<i64> = stored.iter().map(|chat| chat["seq"].as_i64().unwrap()).collect();
    assert!(seqs.is_sorted() && seqs.iter().collect::<HashSet<_>>().len() == seqs.len());
    for chat in &acknowledged {
        let same = stored.iter().filter(|stored| stored["clientId"] == chat["clientId"]);
        assert_eq!(same.collect::<Vec<_>>(), [chat], "acknowledged, so stored once and as told");
    }
}

/// Posts as fast as it is acknowledged.
async fn post_until_the_end(mut socket: Socket, acked: tokio::sync::mpsc::UnboundedSender<Value>) {
    for n in 0.. {
        let client_id = format!("{:016x}-{n}", rand::random::<u64>());
        let post = json!({ "chat": format!("message {n}"), "clientId": client_id });
        let Ok(asked) = socket.try_ask_now("chat:post", post).await else { return };
        match socket.answer(asked).await {
            Some(reply) => acked.send(reply["data"].clone()).unwrap(),
            None => return,
        }
    }
}

async fn whole_history(browser: &Browser, room: &str) -> Vec<Value> {
    let mut chats: Vec<Value> = Vec::new();
    loop {
        let after = chats.last().map_or(0, |chat| chat["seq"].as_i64().unwrap());
        let (_, page) = browser.get_json(&format!("/room/{room}/chat?after={after}")).await;
        chats.extend(page["chats"].as_array().unwrap().iter().cloned());
        if page["more"] == false {
            return chats;
        }
    }
}

async fn nobody_notices_a_crash_that_is_short(on: Backend) {
    let server = Process::start(Home::new(on, &[])).await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 2).await;
    let (_anna_socket, before) = anna.enter(&room).await;
    let (_ben_socket, bens) = ben.enter(&room).await;

    let server = Process::start(server.kill().await).await;
    let (_anna_socket, after) = anna.at(server.address).enter(&room).await;
    let (_ben_socket, back) = ben.at(server.address).enter(&room).await;

    assert_eq!(after["you"], before["you"]);
    assert_eq!(after["room"]["owner"], before["you"]);
    assert_eq!(back["chats"], bens["chats"], "nothing about coming or going");
}

async fn a_room_that_nobody_comes_back_to_goes_after_a_crash(on: Backend) {
    let server = Process::start(Home::new(on, &[("ROOM_GRACE", "0.5")])).await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 2).await;
    let (socket, _) = browser.enter(&room).await;
    let (_, chat) = browser.upload(&room, gifs::animation(20, 10, 2)).await;
    assert_eq!(chat["kind"], "gif");

    let server = Process::start(server.kill().await).await;
    drop(socket);
    let browser = browser.at(server.address);

    until("the room to go", || async { browser.listed(&room).await.is_none() }).await;
    until("its files to go", || async { server.home.files().is_empty() }).await;
}

async fn what_a_crash_left_of_a_room_is_cleared_at_the_next_start(on: Backend) {
    let server = Process::start(Home::new(on, &[])).await;
    let home = server.kill().await;
    let left_behind = home.uploads().join("aaaaaaaaaaaaaaaa");
    std::fs::create_dir_all(&left_behind).unwrap();
    std::fs::write(left_behind.join(format!("{}.gif", "a".repeat(64))), "GIF89a").unwrap();

    let server = Process::start(home).await;

    until("the files to go", || async { server.home.files().is_empty() }).await;
}

/// Moves the times at which people left, as they are when the clock is set back after them.
async fn leave_a_day_later(home: &Home) {
    const DAY: i64 = 24 * 60 * 60 * 1_000;
    let Some(uri) = home.mongodb_uri() else {
        let database = rusqlite::Connection::open(home.data().join("huechat.sqlite3")).unwrap();
        let moved = database.execute("UPDATE seats SET left_at = left_at + ?", [DAY]).unwrap();
        return assert_eq!(moved, 1);
    };
    let client = mongodb::Client::with_uri_str(uri).await.unwrap();
    let rooms = client.default_database().unwrap().collection::<Document>("rooms");
    let tomorrow = DateTime::from_millis(DateTime::now().timestamp_millis() + DAY);
    let later = doc! { "$set": { "people.$[].leftAt": tomorrow } };
    assert_eq!(rooms.update_many(doc! {}, later).await.unwrap().modified_count, 1);
}

async fn a_seat_that_was_left_before_the_clock_was_set_back_ends(on: Backend) {
    let server = Process::start(Home::new(on, &[("ROOM_GRACE", "2")])).await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 2).await;
    let (_annas, _) = anna.enter(&room).await;
    let (home, _) = server.terminate().await;

    leave_a_day_later(&home).await;
    let server = Process::start(home).await;

    let ben = server.browser().await;
    until("the room to end", async || ben.listed(&room).await.is_none()).await;
}
