//! What a bot says, and how it hears that it is stored.

use serde_json::json;

use crate::{
    common::{
        Backend, Bot,
        server::{Home, Process},
    },
    on_both_stores,
};

on_both_stores!(
    what_a_bot_says_is_stored_once_and_everybody_hears_it,
    what_is_said_in_a_row_stays_in_its_order,
    nothing_is_said_that_nobody_may_say,
    whoever_talks_too_fast_is_told_when_to_go_on,
    a_bot_whispers_and_is_whispered_to,
    a_bot_in_two_rooms_hears_both,
    a_deploy_asks_bots_to_come_back,
);

async fn what_a_bot_says_is_stored_once_and_everybody_hears_it(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 5).await;
    let (mut annas, _) = anna.enter(&room).await;
    let mut bot = Bot::new(server.address).await;
    bot.join(&room).await;

    let post = json!({ "room": room, "chat": "hello", "clientId": "c-1" });
    bot.ask("MESSAGE_POST", post.clone()).await;
    let stored = bot.wait_for("MESSAGE_ACK").await;
    bot.ask("MESSAGE_POST", post).await;
    let again = bot.wait_for("MESSAGE_ACK").await;

    assert_eq!(stored, again);
    assert_eq!((&stored["clientId"], &stored["room"]), (&json!("c-1"), &json!(room)));
    assert_eq!(annas.wait_for("chat").await["seq"], stored["seq"]);
    let (_, history) = anna.get_json(&format!("/room/{room}/chat")).await;
    let said = history["chats"].as_array().unwrap().iter().filter(|c| c["chat"] == "hello");
    assert_eq!(said.count(), 1);
}

async fn what_is_said_in_a_row_stays_in_its_order(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 5).await;
    let (_annas, _) = anna.enter(&room).await;
    let mut bot = Bot::new(server.address).await;

    // Not even for the welcome does it wait.
    bot.ask("ROOM_JOIN", json!({ "room": room })).await;
    for n in 0..100 {
        bot.ask("MESSAGE_POST", json!({ "room": room, "chat": n.to_string() })).await;
    }

    let mut acknowledged = 0;
    while acknowledged < 100 {
        bot.wait_for("MESSAGE_ACK").await;
        acknowledged += 1;
    }
    let (_, history) = anna.get_json(&format!("/room/{room}/chat?limit=100")).await;
    let chats = history["chats"].as_array().unwrap().iter();
    let said: Vec<_> = chats.filter(|c| c["kind"] == "chat").map(|c| c["chat"].clone()).collect();
    assert_eq!(said, (0..100).map(|n| json!(n.to_string())).collect::<Vec<_>>());
}

async fn nothing_is_said_that_nobody_may_say(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let (room, other) = (anna.create_room("tea", 5).await, anna.create_room("coffee", 5).await);
    let mut bot = Bot::new(server.address).await;
    bot.join(&room).await;

    for (post, code) in [
        (json!({ "room": other, "chat": "hello", "clientId": "c-1" }), "not_in_room"),
        (json!({ "room": "nowhere", "chat": "hello" }), "no_such_room"),
        (json!({ "room": room, "chat": " " }), "invalid"),
        (json!({ "room": room, "chat": "x".repeat(2_001) }), "too_long"),
        (json!({ "room": room, "chat": "hello", "clientId": "a b" }), "invalid"),
        (json!({ "room": room, "chat": "hello", "to": "nobody" }), "not_here"),
        (json!({ "room": room, "chat": "hello", "to": "aaaaaaaaaaaa" }), "not_here"),
        (json!({ "room": room, "chat": "hello", "to": bot.me["id"] }), "yourself"),
    ] {
        bot.ask("MESSAGE_POST", post.clone()).await;
        let error = bot.expect("ERROR").await;
        assert_eq!(error["code"], code, "{post}");
        assert_eq!((&error["op"], &error["room"]), (&json!("MESSAGE_POST"), &post["room"]));
        assert_eq!(error["clientId"], post["clientId"]);
    }
    bot.say(&room, "and now something else").await;
}

async fn whoever_talks_too_fast_is_told_when_to_go_on(on: Backend) {
    let server = on.server_with(&[("RATE_CHATS", "3/60")]).await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 5).await;
    let mut bot = Bot::new(server.address).await;
    bot.join(&room).await;
    for n in 0..3 {
        bot.say(&room, &n.to_string()).await;
    }

    bot.ask("MESSAGE_POST", json!({ "room": room, "chat": "more", "clientId": "c-4" })).await;

    let error = bot.wait_for("ERROR").await;
    assert_eq!((&error["code"], &error["clientId"]), (&json!("slow_down"), &json!("c-4")));
    assert!(error["retryAfterMs"].as_u64().unwrap() > 0, "{error}");
    bot.beat().await;
}

async fn a_bot_whispers_and_is_whispered_to(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 5).await;
    let ((mut annas, welcome), (mut bens, _)) = (anna.enter(&room).await, ben.enter(&room).await);
    let (mut bot, mut other) = (Bot::new(server.address).await, Bot::new(server.address).await);
    bot.join(&room).await;
    other.join(&room).await;

    let whisper = json!({ "room": room, "chat": "psst", "to": welcome["you"]["id"] });
    bot.ask("MESSAGE_POST", whisper).await;
    let stored = bot.pick("MESSAGE_ACK").await;
    let back = json!({ "to": bot.me["id"], "chat": "what?" });
    assert_eq!(annas.ask("whisper:post", back).await["ok"], true);
    annas.say("aloud").await;

    assert_eq!((&stored["kind"], &stored["to"]), (&json!("whisper"), &welcome["you"]));
    let heard = annas.wait_for("chat").await;
    assert_eq!((&heard["chat"], &heard["user"]), (&json!("psst"), &bot.me));
    let mut kinds = Vec::new();
    loop {
        let chat = bot.wait_for("MESSAGE_CREATE").await;
        if chat["chat"] == "aloud" {
            break;
        }
        kinds.push((chat["kind"].clone(), chat["chat"].clone()));
    }
    assert!(kinds.contains(&(json!("whisper"), json!("psst"))), "{kinds:?}");
    assert!(kinds.contains(&(json!("whisper"), json!("what?"))), "{kinds:?}");
    assert_eq!(bens.wait_for("chat").await["chat"], "aloud");
    while let Some((op, d)) = other.hear().await {
        assert!(d["kind"] != "whisper", "{op} {d}");
        if d["chat"] == "aloud" {
            break;
        }
    }
}

async fn a_bot_in_two_rooms_hears_both(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let (tea, coffee) = (anna.create_room("tea", 5).await, anna.create_room("coffee", 5).await);
    let ((mut in_tea, _), (mut in_coffee, _)) = (anna.enter(&tea).await, anna.enter(&coffee).await);
    let mut bot = Bot::new(server.address).await;
    bot.join(&tea).await;
    bot.join(&coffee).await;

    in_tea.say("milk?").await;
    in_coffee.say("sugar?").await;

    let mut heard = Vec::new();
    while heard.len() < 2 {
        let chat = bot.wait_for("MESSAGE_CREATE").await;
        if chat["kind"] == "chat" {
            heard.push((chat["room"].clone(), chat["chat"].clone()));
        }
    }
    assert_eq!(heard, [(json!(tea), json!("milk?")), (json!(coffee), json!("sugar?"))]);
}

async fn a_deploy_asks_bots_to_come_back(on: Backend) {
    let server = Process::start(Home::new(on, &[])).await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 5).await;
    let (mut annas, _) = anna.enter(&room).await;
    let token = anna.make_token().await;
    let (mut bot, _) = Bot::with_token(server.address, &token).await;
    bot.join(&room).await;
    let last = annas.say("the last word").await;

    let (home, status) = server.terminate().await;

    assert!(status.success(), "{status}");
    let (heard, code) = bot.until_closed().await;
    let (op, error) = heard.last().unwrap();
    assert_eq!((op.as_str(), &error["code"], code), ("ERROR", &json!("restarting"), 1012));
    assert!(error["retryAfterMs"].as_u64().unwrap() <= 1_000, "{error}");
    assert!(heard.iter().any(|(_, d)| d["seq"] == last["seq"]));
    let server = Process::start(home).await;
    let (mut bot, ready) = Bot::with_token(server.address, &token).await;
    assert_eq!(ready["rooms"][0]["id"], room);
    let back = bot.join_with(json!({ "room": room, "after": last["seq"] })).await;
    assert_eq!(back["chats"], json!([]));
}
