//! Coming into rooms, what is heard there, and leaving.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    common::{Backend, Bot, Browser},
    on_both_stores,
};

on_both_stores!(
    a_bot_hears_who_comes_and_goes_and_what_changes,
    the_door_is_the_same_for_bots,
    what_its_maker_has_shown_counts_for_the_bot,
    a_bot_takes_a_place,
    whoever_is_kicked_hears_by_whom_and_stays_out,
    whoever_is_kicked_takes_their_bots_along,
    a_bot_that_is_away_goes_with_its_kicked_maker,
    a_bot_that_comes_back_gets_what_it_missed_and_nobody_sees_it_leave,
    whoever_is_in_asks_again_for_what_they_missed,
    leaving_is_at_once_and_for_every_connection,
    a_room_in_which_only_bots_are_left_ends,
    a_bot_owns_no_room_and_a_bot_that_leaves_ends_none,
    a_room_that_is_closed_is_told_of,
    who_owns_the_room_is_told,
);

async fn a_bot_hears_who_comes_and_goes_and_what_changes(on: Backend) {
    let server = on.server_with(&[("ROOM_GRACE", "0")]).await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 5).await;
    let (mut annas, _) = anna.enter(&room).await;
    annas.say("before").await;
    let mut bot = Bot::new(server.address).await;

    let welcome = bot.join(&room).await;
    let (mut bens, _) = ben.enter(&room).await;
    let said = annas.say("delete me").await;
    annas.ask("chat:delete", json!({ "seq": said["seq"] })).await;
    let path = format!("/room/{room}");
    let change = anna.request(Method::PATCH, &path).json(&json!({ "title": "more tea" }));
    assert_eq!(change.send().await.unwrap().status(), StatusCode::OK);
    bens.ask("exit", Value::Null).await;

    assert_eq!(welcome["room"]["id"], room);
    assert_eq!(welcome["people"].as_array().unwrap().len(), 2);
    let texts: Vec<_> = welcome["chats"].as_array().unwrap().iter().map(|c| &c["chat"]).collect();
    assert!(texts.contains(&&json!("before")), "{texts:?}");
    let joined = bot.expect("MESSAGE_CREATE").await;
    assert_eq!(joined["kind"], "system");
    let came = bot.expect("PRESENCE_UPDATE").await;
    assert_eq!((&came["connected"], &came["currentUsers"]), (&json!(true), &json!(3)));
    let heard = bot.expect("MESSAGE_CREATE").await;
    assert_eq!((&heard["seq"], &heard["prev"]), (&said["seq"], &joined["seq"]));
    let deleted = bot.expect("MESSAGE_DELETE").await;
    assert_eq!(deleted, json!({ "room": room, "seq": said["seq"] }));
    assert_eq!(bot.expect("MESSAGE_CREATE").await["system"]["code"], "renamed");
    let update = bot.expect("ROOM_UPDATE").await;
    assert_eq!((&update["id"], &update["title"]), (&json!(room), &json!("more tea")));
    assert_eq!(bot.expect("MESSAGE_CREATE").await["system"]["code"], "left");
    let gone = bot.expect("PRESENCE_UPDATE").await;
    assert_eq!((&gone["connected"], &gone["currentUsers"]), (&json!(false), &json!(2)));
}

async fn the_door_is_the_same_for_bots(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let secret = json!({ "title": "tea", "max": 5, "password": "sesame" });
    let (secret, locked) = (anna.create(&secret).await, anna.create_room("shut", 5).await);
    let _inside = (anna.enter(&secret).await, anna.enter(&locked).await);
    let lock = json!({ "locked": true });
    let lock = anna.request(Method::PATCH, &format!("/room/{locked}")).json(&lock);
    assert_eq!(lock.send().await.unwrap().status(), StatusCode::OK);
    let mut bot = Bot::new(server.address).await;

    for (wanted, code) in [
        (json!({ "room": "aaaaaaaaaaaaaaaa" }), "no_such_room"),
        (json!({ "room": "../../etc" }), "no_such_room"),
        (json!({ "room": secret }), "wrong_password"),
        (json!({ "room": secret, "password": "guess" }), "wrong_password"),
        (json!({ "room": locked }), "locked"),
    ] {
        bot.ask("ROOM_JOIN", wanted.clone()).await;
        let error = bot.expect("ERROR").await;
        assert_eq!(error["code"], code, "{wanted}");
        assert_eq!((&error["op"], &error["room"]), (&json!("ROOM_JOIN"), &wanted["room"]));
    }
    let welcome = bot.join_with(json!({ "room": secret, "password": "sesame" })).await;
    assert_eq!(welcome["room"]["id"], secret);
}

async fn what_its_maker_has_shown_counts_for_the_bot(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create(&json!({ "title": "tea", "max": 5, "password": "sesame" })).await;
    let (mut bot, _) = Bot::with_token(server.address, &ben.make_token().await).await;
    bot.ask("ROOM_JOIN", json!({ "room": room })).await;
    assert_eq!(bot.refusal().await, "wrong_password");

    let shown = json!({ "password": "sesame" });
    let (status, _) = ben.post_json(&format!("/room/{room}/enter"), &shown).await;

    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(bot.join(&room).await["room"]["id"], room);
}

async fn a_bot_takes_a_place(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 2).await;
    let _annas = anna.enter(&room).await;
    let (mut bot, mut late) = (Bot::new(server.address).await, Bot::new(server.address).await);
    bot.join(&room).await;

    let refused = ben.try_enter(json!({ "room": room })).await.err();
    late.ask("ROOM_JOIN", json!({ "room": room })).await;

    assert_eq!(refused.as_deref(), Some("room_full"));
    assert_eq!(late.refusal().await, "room_full");
}

async fn whoever_is_kicked_hears_by_whom_and_stays_out(on: Backend) {
    let server = on.server_with(&[("KICK_NETWORKS", "off")]).await;
    let anna = server.browser().await;
    let (room, other) = (anna.create_room("tea", 5).await, anna.create_room("coffee", 5).await);
    let ((mut annas, welcome), _in_other) = (anna.enter(&room).await, anna.enter(&other).await);
    let mut bot = Bot::new(server.address).await;
    bot.join(&room).await;
    bot.join(&other).await;

    let kicked = annas.ask("person:kick", json!({ "id": bot.me["id"] })).await;
    assert_eq!(kicked["ok"], true);

    let out = bot.wait_for("ROOM_LEAVE").await;
    assert_eq!((&out["room"], &out["by"]), (&json!(room), &welcome["you"]));
    let left = annas.wait_for("exit").await;
    assert_eq!(left["chat"]["system"]["code"], "kicked");
    assert_eq!(left["person"]["bot"], true);
    bot.ask("ROOM_JOIN", json!({ "room": room })).await;
    assert_eq!(bot.refusal().await, "kicked");
    bot.say(&other, "still here").await;
}

async fn whoever_is_kicked_takes_their_bots_along(on: Backend) {
    let server = on.server_with(&[("KICK_NETWORKS", "off")]).await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 5).await;
    let (mut annas, _) = anna.enter(&room).await;
    let (_bens, welcome) = ben.enter(&room).await;
    let (early, late) = (ben.make_token().await, ben.make_token().await);
    let (mut bot, _) = Bot::with_token(server.address, &early).await;
    bot.join(&room).await;

    let kicked = annas.ask("person:kick", json!({ "id": welcome["you"]["id"] })).await;
    assert_eq!(kicked["ok"], true);

    assert_eq!(bot.wait_for("ROOM_LEAVE").await["room"], room);
    let (mut another, _) = Bot::with_token(server.address, &late).await;
    for bot in [&mut bot, &mut another] {
        bot.ask("ROOM_JOIN", json!({ "room": room })).await;
        assert_eq!(bot.refusal().await, "kicked");
    }
    assert_eq!(anna.get_json(&format!("/room/{room}")).await.1["count"], 1);
}

async fn a_bot_that_is_away_goes_with_its_kicked_maker(on: Backend) {
    let server = on.server_with(&[("KICK_NETWORKS", "off"), ("ROOM_GRACE", "60")]).await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 5).await;
    let (mut annas, _) = anna.enter(&room).await;
    let (_bens, welcome) = ben.enter(&room).await;
    let token = ben.make_token().await;
    let (mut bot, _) = Bot::with_token(server.address, &token).await;
    bot.join(&room).await;
    drop(bot);

    let kicked = annas.ask("person:kick", json!({ "id": welcome["you"]["id"] })).await;

    assert_eq!(kicked["ok"], true);
    assert_eq!(anna.get_json(&format!("/room/{room}")).await.1["count"], 1);
    let (mut bot, _) = Bot::with_token(server.address, &token).await;
    bot.ask("ROOM_JOIN", json!({ "room": room })).await;
    assert_eq!(bot.refusal().await, "kicked");
}

async fn a_bot_that_comes_back_gets_what_it_missed_and_nobody_sees_it_leave(on: Backend) {
    let server = on.server_with(&[("ROOM_GRACE", "60")]).await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 5).await;
    let (mut annas, _) = anna.enter(&room).await;
    let token = anna.make_token().await;
    let (mut bot, _) = Bot::with_token(server.address, &token).await;
    let welcome = bot.join(&room).await;
    let last = annas.say("heard").await;
    while bot.wait_for("MESSAGE_CREATE").await["seq"] != last["seq"] {}
    drop(bot);
    let missed = [annas.say("one").await, annas.say("two").await];

    let (mut bot, ready) = Bot::with_token(server.address, &token).await;
    let back = bot.join_with(json!({ "room": room, "after": last["seq"] })).await;
    bot.say(&room, "I am back").await;

    assert_eq!(ready["rooms"][0]["id"], room);
    assert_eq!(back["you"], welcome["you"]);
    let seqs = |chats: &[Value]| chats.iter().map(|chat| chat["seq"].clone()).collect::<Vec<_>>();
    assert_eq!(seqs(back["chats"].as_array().unwrap()), seqs(&missed));
    assert_eq!(back["more"], false);
    let mut events = Vec::new();
    loop {
        let (event, data) = annas.next().await;
        if data["chat"] == "I am back" {
            break;
        }
        events.push(event);
    }
    assert_eq!(events.iter().filter(|event| ["join", "exit"].contains(&event.as_str())).count(), 1);
}

async fn whoever_is_in_asks_again_for_what_they_missed(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 5).await;
    let (mut annas, _) = anna.enter(&room).await;
    let mut bot = Bot::new(server.address).await;
    let first = annas.say("the first").await;
    for n in 0..101 {
        annas.say(&n.to_string()).await;
    }
    let joined = bot.join(&room).await;

    let again = bot.join_with(json!({ "room": room, "after": first["seq"] })).await;
    let last = again["chats"][99]["seq"].clone();
    let rest = bot.join_with(json!({ "room": room, "after": last })).await;

    assert_eq!(joined["chats"].as_array().unwrap().len(), 50);
    assert_eq!((again["chats"].as_array().unwrap().len(), &again["more"]), (100, &json!(true)));
    assert_eq!(rest["chats"][0]["chat"], "100");
    assert_eq!(rest["more"], false);
    bot.say(&room, "I am here once").await;
    assert_eq!(bot.wait_for("MESSAGE_CREATE").await["chat"], "I am here once");
}

async fn leaving_is_at_once_and_for_every_connection(on: Backend) {
    let server = on.server_with(&[("ROOM_GRACE", "3600")]).await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 5).await;
    let (mut annas, _) = anna.enter(&room).await;
    let token = anna.make_token().await;
    let (mut bot, _) = Bot::with_token(server.address, &token).await;
    let (mut other, _) = Bot::with_token(server.address, &token).await;
    bot.join(&room).await;
    other.join(&room).await;

    bot.ask("ROOM_LEAVE", json!({ "room": room })).await;

    assert_eq!(bot.wait_for("ROOM_LEAVE").await, json!({ "room": room }));
    assert_eq!(other.wait_for("ROOM_LEAVE").await, json!({ "room": room }));
    assert_eq!(annas.wait_for("exit").await["person"]["id"], bot.me["id"]);
    for bot in [&mut bot, &mut other] {
        bot.ask("MESSAGE_POST", json!({ "room": room, "chat": "hello?" })).await;
        assert_eq!(bot.refusal().await, "not_in_room");
        bot.ask("ROOM_LEAVE", json!({ "room": room })).await;
        assert_eq!(bot.refusal().await, "not_in_room");
    }
    bot.join(&room).await;
}

async fn gone(browser: &Browser, room: &str) -> bool {
    browser.get_json(&format!("/room/{room}")).await.0 == StatusCode::NOT_FOUND
}

async fn a_room_in_which_only_bots_are_left_ends(on: Backend) {
    let server = on.server_with(&[("ROOM_GRACE", "0")]).await;
    for by_leaving in [true, false] {
        let anna = server.browser().await;
        let room = anna.create_room("tea", 5).await;
        let mut bot = Bot::new(server.address).await;
        bot.join(&room).await;
        let (mut annas, _) = anna.enter(&room).await;

        if by_leaving {
            annas.ask("exit", json!(null)).await;
        } else {
            drop(annas);
        }

        assert_eq!(bot.wait_for("ROOM_DELETE").await, json!({ "room": room }));
        assert!(gone(&anna, &room).await);
    }
}

async fn a_bot_owns_no_room_and_a_bot_that_leaves_ends_none(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 5).await;
    let mut bot = Bot::new(server.address).await;
    bot.join(&room).await;
    bot.ask("ROOM_LEAVE", json!({ "room": room })).await;
    bot.wait_for("ROOM_LEAVE").await;
    assert!(!gone(&anna, &room).await, "it waits for its first person");

    bot.join(&room).await;
    let (mut annas, _) = anna.enter(&room).await;
    let (mut bens, welcome) = ben.enter(&room).await;
    let given = annas.ask("owner:put", json!({ "id": bot.me["id"] })).await;
    annas.ask("exit", json!(null)).await;

    assert_eq!(given["error"]["code"], "not_here");
    assert_eq!(bens.wait_for("owner").await["id"], welcome["you"]["id"]);
}

async fn a_room_that_is_closed_is_told_of(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 5).await;
    let mut bot = Bot::new(server.address).await;
    bot.join(&room).await;

    let path = format!("/room/{room}");
    anna.request(Method::DELETE, &path).send().await.unwrap();

    assert_eq!(bot.wait_for("ROOM_DELETE").await, json!({ "room": room }));
    bot.ask("MESSAGE_POST", json!({ "room": room, "chat": "hello?" })).await;
    assert_eq!(bot.refusal().await, "not_in_room");
}

async fn who_owns_the_room_is_told(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 5).await;
    let ((mut annas, _), (_bens, welcome)) = (anna.enter(&room).await, ben.enter(&room).await);
    let mut bot = Bot::new(server.address).await;
    bot.join(&room).await;

    let given = annas.ask("owner:put", json!({ "id": welcome["you"]["id"] })).await;

    assert_eq!(given["ok"], true);
    let update = bot.wait_for("ROOM_UPDATE").await;
    assert_eq!(update, json!({ "id": room, "owner": welcome["you"] }));
}
