//! Going, coming back, and the end of a room.

use reqwest::StatusCode;
use serde_json::json;

use crate::{
    common::{
        Backend,
        server::{Home, Process},
        until,
    },
    on_both_stores,
};

on_both_stores!(
    the_last_one_to_leave_takes_the_room_with_them,
    leaving_is_told_to_the_others,
    leaving_closes_every_tab,
    a_reload_changes_nothing_for_anybody,
    twenty_reloads_leave_one_join,
    who_stays_away_loses_their_seat_after_the_grace,
    without_a_grace_the_seat_goes_at_once,
    the_owner_is_followed_by_whoever_was_there_longest,
    a_restart_keeps_rooms_seats_and_words,
    leaving_without_scripts,
    what_was_said_just_before_leaving_is_heard,
);

async fn the_last_one_to_leave_takes_the_room_with_them(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 2).await;
    let (mut socket, _) = browser.enter(&room).await;
    socket.say("goodbye").await;

    let reply = socket.ask("exit", json!(null)).await;

    assert_eq!(reply["ok"], true);
    assert_eq!(browser.listed(&room).await, None);
    let (status, _) = browser.get_json(&format!("/room/{room}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let refused = browser.try_enter(json!({ "room": room })).await;
    assert_eq!(refused.err().as_deref(), Some("no_such_room"));
}

async fn leaving_is_told_to_the_others(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 2).await;
    let (mut anna, _) = anna.enter(&room).await;
    let (mut ben, bens) = ben.enter(&room).await;

    ben.ask("exit", json!(null)).await;

    let exit = anna.wait_for("exit").await;
    assert_eq!(exit["person"], bens["you"]);
    assert_eq!((&exit["currentUsers"], &exit["connected"]), (&json!(1), &json!(false)));
    assert_eq!(exit["chat"]["system"]["code"], "left");
    assert_eq!(exit["chat"]["chat"], format!("{} left", bens["you"]["name"].as_str().unwrap()));
}

async fn leaving_closes_every_tab(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 2).await;
    let (mut one, _) = anna.enter(&room).await;
    let (mut two, _) = anna.enter(&room).await;
    let _ben = ben.enter(&room).await;

    one.ask("exit", json!(null)).await;

    two.events_until_the_end().await;
    assert_eq!(ben.listed(&room).await.unwrap()["count"], 1);
}

async fn a_reload_changes_nothing_for_anybody(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 2).await;
    let (anna_socket, before) = anna.enter(&room).await;
    let (mut ben, _) = ben.enter(&room).await;

    anna_socket.vanish();
    let (mut anna_socket, after) = anna.enter(&room).await;
    anna_socket.say("back").await;

    assert_eq!(after["you"], before["you"]);
    assert_eq!(after["room"]["owner"], before["you"]);
    let (event, heard) = ben.next().await;
    assert_eq!((event.as_str(), &heard["chat"]), ("chat", &json!("back")), "no exit and no join");
}

async fn twenty_reloads_leave_one_join(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 2).await;
    let (mut socket, first) = browser.enter(&room).await;

    let mut last = first.clone();
    for _ in 0..20 {
        socket.vanish();
        assert_eq!(browser.get(&format!("/room/{room}")).await.status(), StatusCode::OK);
        (socket, last) = browser.enter(&room).await;
    }

    assert_eq!(last["you"], first["you"]);
    assert_eq!(last["room"]["owner"], first["you"]);
    assert_eq!(last["chats"], first["chats"], "one join");
}

async fn who_stays_away_loses_their_seat_after_the_grace(on: Backend) {
    let server = on.server_with(&[("ROOM_GRACE", "0.2")]).await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 2).await;
    let (mut anna_socket, _) = anna.enter(&room).await;
    let (ben_socket, bens) = ben.enter(&room).await;

    ben_socket.vanish();
    assert_eq!(anna_socket.wait_for("exit").await["person"], bens["you"]);
    anna_socket.vanish();

    until("the empty room to go", || async { anna.listed(&room).await.is_none() }).await;
}

async fn without_a_grace_the_seat_goes_at_once(on: Backend) {
    let server = on.server_with(&[("ROOM_GRACE", "0")]).await;
    let browser = server.browser().await;
    let mut lobby = server.browser().await.lobby().await;
    let room = browser.create_room("tea", 2).await;
    let (socket, _) = browser.enter(&room).await;

    socket.vanish();

    assert_eq!(lobby.wait_for("removeRoom").await, json!(room));
}

async fn the_owner_is_followed_by_whoever_was_there_longest(on: Backend) {
    let server = on.server().await;
    let (anna, ben, cleo) =
        (server.browser().await, server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 3).await;
    let (mut anna, _) = anna.enter(&room).await;
    let (mut ben_socket, bens) = ben.enter(&room).await;
    let (mut cleo_socket, _) = cleo.enter(&room).await;

    anna.ask("exit", json!(null)).await;

    assert_eq!(cleo_socket.wait_for("owner").await, bens["you"]);
    assert_eq!(ben_socket.wait_for("owner").await, bens["you"]);
    assert_eq!(ben.listed(&room).await.unwrap()["owner"], bens["you"]);
}

async fn a_restart_keeps_rooms_seats_and_words(on: Backend) {
    let server = Process::start(Home::new(on, &[])).await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 2).await;
    let (mut anna_socket, before) = anna.enter(&room).await;
    let (_ben_socket, _) = ben.enter(&room).await;
    let said = anna_socket.say("remember me").await;

    let (home, status) = server.terminate().await;
    let server = Process::start(home).await;
    let (_socket, after) = anna.at(server.address).enter(&room).await;

    assert!(status.success(), "{status}");
    assert_eq!(after["you"], before["you"]);
    assert_eq!(after["room"]["owner"], before["you"]);
    assert_eq!(after["people"].as_array().unwrap().len(), 2, "the other one has their grace");
    let chats = after["chats"].as_array().unwrap();
    assert_eq!(chats.last(), Some(&said), "and nothing about coming or going");
}

async fn leaving_without_scripts(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 2).await;
    let _socket = browser.enter(&room).await;

    let left = browser.post_form(&format!("/room/{room}/leave"), &[]).await;

    assert_eq!(left.status(), StatusCode::SEE_OTHER);
    assert_eq!(browser.listed(&room).await, None);
}

async fn what_was_said_just_before_leaving_is_heard(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 2).await;
    let (mut anna, _) = anna.enter(&room).await;
    let (mut ben, _) = ben.enter(&room).await;

    let mut asked = Vec::new();
    for n in 0..50 {
        asked.push(ben.ask_now("chat:post", json!({ "chat": format!("goodbye {n}") })).await);
    }
    let left = ben.ask_now("exit", json!(null)).await;

    for id in asked {
        assert_eq!(ben.answer(id).await.unwrap()["ok"], true);
    }
    assert_eq!(ben.answer(left).await.unwrap()["ok"], true);
    for n in 0..50 {
        assert_eq!(anna.wait_for("chat").await["chat"], format!("goodbye {n}"));
    }
    anna.wait_for("exit").await;
}
