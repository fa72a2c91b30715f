//! What is left after `kill -9`.

use std::collections::HashSet;

use futures_util::future::join_all;
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
