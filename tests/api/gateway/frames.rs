//! What makes no sense, what is too much, and what does not come.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::{
    common::{Backend, Bot},
    on_both_stores,
};

on_both_stores!(
    what_is_not_understood_is_told_why_and_the_fifth_in_a_row_ends_it,
    a_frame_that_is_understood_begins_the_count_anew,
    a_binary_frame_ends_it,
    a_frame_of_more_than_16_kib_ends_it,
    ten_thousand_frames_at_once_end_it_and_trouble_nobody_else,
    whoever_shows_no_sign_of_life_is_cut_off,
    a_silent_bot_is_cut_off_two_and_a_half_intervals_after_its_last_heartbeat,
    whoever_does_not_read_is_cut_off_and_holds_nobody_up,
);

async fn what_is_not_understood_is_told_why_and_the_fifth_in_a_row_ends_it(on: Backend) {
    let server = on.server().await;
    let mut bot = Bot::new(server.address).await;

    let frames = [
        ("not JSON", "a frame is a JSON object with op and d"),
        ("[1, 2]", "a frame is a JSON object with op and d"),
        (r#"{"op":"DANCE","d":{}}"#, "there is no such op"),
        (r#"{"op":"ROOM_JOIN","d":{"room":7}}"#, "d is not what this op takes"),
    ];
    for (frame, why) in frames {
        bot.send(Message::text(frame)).await;
        let error = bot.expect("ERROR").await;
        assert_eq!((&error["code"], &error["message"]), (&json!("malformed"), &json!(why)));
    }
    bot.send(Message::text("")).await;

    let (heard, code) = bot.until_closed().await;
    assert_eq!((heard.len(), code), (1, 4002));
}

async fn a_frame_that_is_understood_begins_the_count_anew(on: Backend) {
    let server = on.server().await;
    let mut bot = Bot::new(server.address).await;

    for _ in 0..3 {
        for _ in 0..4 {
            bot.send(Message::text("{}")).await;
            assert_eq!(bot.refusal().await, "malformed");
        }
        bot.beat().await;
    }
}

async fn a_binary_frame_ends_it(on: Backend) {
    let server = on.server().await;
    let mut bot = Bot::new(server.address).await;

    bot.send(Message::binary(Bytes::from_static(b"{\"op\":\"HEARTBEAT\"}"))).await;

    assert_eq!(bot.until_closed().await.1, 1003);
}

async fn a_frame_of_more_than_16_kib_ends_it(on: Backend) {
    let server = on.server().await;
    for bytes in [16 * 1024 + 1, 1024 * 1024] {
        let mut bot = Bot::new(server.address).await;
        bot.beat().await;

        bot.send(Message::text("x".repeat(bytes))).await;

        assert_eq!(bot.until_closed().await.1, 1009, "{bytes}");
    }
    // And one that is just not too big is only nonsense.
    let mut bot = Bot::new(server.address).await;
    bot.send(Message::text("x".repeat(16 * 1024))).await;
    assert_eq!(bot.refusal().await, "malformed");
}

async fn ten_thousand_frames_at_once_end_it_and_trouble_nobody_else(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 5).await;
    let (mut annas, _) = anna.enter(&room).await;
    let mut bot = Bot::new(server.address).await;
    let mut neighbour = Bot::new(server.address).await;
    bot.join(&room).await;
    neighbour.join(&room).await;

    let beat = Message::text(json!({ "op": "HEARTBEAT" }).to_string());
    for _ in 0..10_000 {
        if bot.try_send(beat.clone()).await.is_err() {
            break; // It was shut before it was done.
        }
    }
    annas.say("does anybody hear me?").await;
    neighbour.say(&room, "I do").await;

    let (heard, code) = bot.until_closed().await;
    let refused: Vec<_> = heard.iter().filter(|(op, _)| op == "ERROR").collect();
    assert_eq!(code, 4008, "{:?}", heard.last());
    assert!(refused.len() >= 100, "{}", refused.len());
    for (_, error) in refused {
        assert_eq!(error["code"], "slow_down");
        assert!(error["retryAfterMs"].as_u64().unwrap() > 0);
    }
    let answered = heard.iter().filter(|(op, _)| op == "HEARTBEAT_ACK").count();
    assert!(answered < 1_000, "{answered} were answered");
}

async fn whoever_shows_no_sign_of_life_is_cut_off(on: Backend) {
    let server =
        on.server_with(&[("HEARTBEAT", "1"), ("ROOM_GRACE", "0"), ("RATE_FRAMES", "off")]).await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 5).await;
    let (mut annas, _) = anna.enter(&room).await;
    let (mut silent, mut alive) = (Bot::new(server.address).await, Bot::new(server.address).await);
    silent.join(&room).await;
    alive.join(&room).await;

    // It beats for as long as the other one is borne.
    let exit = async {
        let exit = annas.wait_for("exit").await;
        (exit["person"]["id"].clone(), ())
    };
    let beating = async {
        let mut due = tokio::time::interval(Duration::from_millis(500));
        loop {
            due.tick().await;
            alive.beat().await;
        }
    };
    let gone = tokio::select! { (gone, ()) = exit => gone, () = beating => unreachable!() };

    assert_eq!(gone, silent.me["id"]);
    assert_eq!(silent.until_closed().await.1, 4009);
    alive.say(&room, "I am here").await;
}

async fn a_silent_bot_is_cut_off_two_and_a_half_intervals_after_its_last_heartbeat(on: Backend) {
    let server = on.server_with(&[("HEARTBEAT", "1")]).await;
    let mut bot = Bot::new(server.address).await;
    bot.beat().await;
    let since = Instant::now();

    assert_eq!(bot.until_closed().await.1, 4009);

    let silent = since.elapsed();
    let promised = Duration::from_millis(2_400)..Duration::from_millis(3_400);
    assert!(promised.contains(&silent), "{silent:?}");
}

async fn whoever_does_not_read_is_cut_off_and_holds_nobody_up(on: Backend) {
    let server = on.server_with(&[("ROOM_GRACE", "0")]).await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 5).await;
    let (mut annas, _) = anna.enter(&room).await;
    let mut deaf = Bot::new(server.address).await;
    let mut neighbour = Bot::new(server.address).await;
    neighbour.join(&room).await;
    deaf.join(&room).await;

    let words = "가".repeat(2_000);
    let gone = async {
        loop {
            annas.ask("chat:post", json!({ "chat": words })).await;
            if let Some(exit) = annas.heard("exit") {
                return exit["person"]["id"].clone();
            }
        }
    };
    let hearing = async {
        loop {
            neighbour.wait_for("MESSAGE_CREATE").await;
        }
    };
    let gone = tokio::select! { gone = gone => gone, () = hearing => unreachable!() };

    assert_eq!(gone, deaf.me["id"]);
    neighbour.say(&room, "I have heard all of it").await;
}
