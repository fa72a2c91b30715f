//! What is said, and who hears it.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    common::{Backend, socket::Heard, soon},
    on_both_stores,
};

on_both_stores!(
    everybody_hears_what_is_said,
    the_same_client_id_is_stored_once,
    messages_of_one_person_keep_their_order,
    history_is_read_in_both_directions,
    whoever_comes_back_gets_what_they_missed,
    a_bad_message_is_refused_and_the_connection_lives,
    a_bad_event_is_refused_and_the_connection_lives,
    http_says_the_same_as_a_socket,
    only_who_is_inside_may_speak,
    a_flood_is_slowed_down,
    typing_reaches_the_others,
    a_flood_of_typing_is_thinned_out,
    a_reader_that_stops_is_cut_off_and_misses_nothing,
);

async fn everybody_hears_what_is_said(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 2).await;
    let (mut anna, welcome) = anna.enter(&room).await;
    let (mut ben, _) = ben.enter(&room).await;

    let said = anna.say("<b>hello</b>\n안녕").await;

    let heard = ben.wait_for("chat").await;
    assert_eq!(heard["chat"], "<b>hello</b>\n안녕");
    assert_eq!(heard["user"], welcome["you"]);
    assert_eq!(heard["seq"], said["seq"]);
    assert_eq!(heard["kind"], "chat");
    assert!(heard["prev"].as_i64().unwrap() < heard["seq"].as_i64().unwrap());
    assert_eq!(anna.wait_for("chat").await, heard, "the sender hears it as the others do");
}

async fn the_same_client_id_is_stored_once(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 2).await;
    let (mut socket, _) = browser.enter(&room).await;
    let post = json!({ "chat": "once", "clientId": "c-1" });

    let first = socket.ask("chat:post", post.clone()).await;
    let again = socket.ask("chat:post", post.clone()).await;
    let (status, by_http) = browser.post_json(&format!("/room/{room}/chat"), &post).await;

    assert_eq!(first["data"], again["data"]);
    assert_eq!((status, &by_http), (StatusCode::CREATED, &first["data"]));
    let (_, history) = browser.get_json(&format!("/room/{room}/chat")).await;
    let said = history["chats"].as_array().unwrap().iter().filter(|chat| chat["chat"] == "once");
    assert_eq!(said.count(), 1);
}

async fn messages_of_one_person_keep_their_order(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 2).await;
    let (mut socket, _) = browser.enter(&room).await;

    let mut asked = Vec::new();
    for n in 0..200 {
        asked.push(socket.ask_now("chat:post", json!({ "chat": n.to_string() })).await);
    }
    let mut seqs = Vec::new();
    for id in asked {
        seqs.push(socket.answer(id).await.unwrap()["data"]["seq"].as_i64().unwrap());
    }

    assert!(seqs.is_sorted(), "{seqs:?}");
    for n in 0..200 {
        assert_eq!(socket.wait_for("chat").await["chat"], n.to_string());
    }
}

async fn history_is_read_in_both_directions(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 2).await;
    let (mut socket, _) = browser.enter(&room).await;
    let mut seqs = Vec::new();
    for n in 0..10 {
        seqs.push(socket.say(&n.to_string()).await["seq"].as_i64().unwrap());
    }
    let texts = |page: &Value| -> Vec<String> {
        let chats = page["chats"].as_array().unwrap();
        chats.iter().map(|chat| chat["chat"].as_str().unwrap().to_owned()).collect()
    };
    let path = format!("/room/{room}/chat");

    let (_, newest) = browser.get_json(&format!("{path}?limit=3")).await;
    assert_eq!(
        (texts(&newest), &newest["more"]),
        (vec!["7".into(), "8".into(), "9".into()], &json!(true))
    );
    let (_, older) = browser.get_json(&format!("{path}?before={}&limit=2", seqs[7])).await;
    assert_eq!(texts(&older), ["5", "6"]);
    let (_, newer) = browser.get_json(&format!("{path}?after={}&limit=2", seqs[3])).await;
    assert_eq!((texts(&newer), &newer["more"]), (vec!["4".into(), "5".into()], &json!(true)));
    let reply = socket.ask("chat:get", json!({ "after": seqs[8] })).await;
    assert_eq!((texts(&reply["data"]), &reply["data"]["more"]), (vec!["9".into()], &json!(false)));
    let (status, error) = browser.get_json(&format!("{path}?limit=x")).await;
    assert_eq!((status, &error["error"]["code"]), (StatusCode::BAD_REQUEST, &json!("malformed")));
}

async fn whoever_comes_back_gets_what_they_missed(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 2).await;
    let (mut anna, _) = anna.enter(&room).await;
    let (ben_socket, bens) = ben.enter(&room).await;
    let last = bens["chats"].as_array().unwrap().last().unwrap()["seq"].clone();
    ben_socket.vanish();
    anna.say("one").await;
    anna.say("two").await;

    let (_socket, back) = ben.enter_with(json!({ "room": room, "after": last })).await;

    let chats = back["chats"].as_array().unwrap();
    let texts: Vec<_> = chats.iter().map(|chat| chat["chat"].as_str().unwrap()).collect();
    assert_eq!(texts, ["one", "two"], "and nothing about coming or going");
    assert_eq!(back["you"], bens["you"]);
}

async fn a_bad_message_is_refused_and_the_connection_lives(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 2).await;
    let (mut socket, _) = browser.enter(&room).await;

    for (text, status, code) in [
        ("가".repeat(2_001), 413, "too_long"),
        (String::new(), 422, "invalid"),
        (" \n\t ".to_owned(), 422, "invalid"),
    ] {
        let reply = socket.ask("chat:post", json!({ "chat": text })).await;
        assert_eq!((&reply["ok"], &reply["error"]["code"]), (&json!(false), &json!(code)));
        let (got, error) =
            browser.post_json(&format!("/room/{room}/chat"), &json!({ "chat": text })).await;
        assert_eq!((got.as_u16(), &error["error"]["code"]), (status, &json!(code)));
    }
    socket.say(&"가".repeat(2_000)).await;
}

async fn a_bad_event_is_refused_and_the_connection_lives(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 2).await;
    let (mut socket, _) = browser.enter(&room).await;

    for data in [json!({}), json!({ "chat": 7 }), json!("hello"), json!(null), json!([[]])] {
        let reply = socket.ask("chat:post", data.clone()).await;
        assert_eq!(reply["error"]["code"], "malformed", "{data}");
    }
    for client_id in [json!(""), json!("two words"), json!("x".repeat(65))] {
        let reply = socket.ask("chat:post", json!({ "chat": "hi", "clientId": client_id })).await;
        assert_eq!(reply["error"]["fields"], json!({ "clientId": "client_id" }), "{client_id}");
    }
    let reply = socket.ask("chat:get", json!({ "after": "yesterday" })).await;
    assert_eq!(reply["error"]["code"], "malformed");
    let reply = socket.ask("dance", json!({})).await;
    assert_eq!(reply["error"]["code"], "malformed");
    socket.tell("chat:post", json!({})).await;
    assert_eq!(socket.wait_for("error").await["code"], "malformed", "nobody waits for an answer");
    socket.tell("typing", json!("yes")).await;
    assert_eq!(socket.wait_for("error").await["code"], "malformed");
    let extra = socket.ask("chat:post", json!({ "chat": "still here", "colour": "red" })).await;
    assert_eq!(extra["ok"], true, "what is not known is ignored");
}

async fn http_says_the_same_as_a_socket(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 2).await;
    let (mut socket, _) = browser.enter(&room).await;

    let (status, said) =
        browser.post_json(&format!("/room/{room}/chat"), &json!({ "chat": "by HTTP" })).await;

    assert_eq!(status, StatusCode::CREATED);
    let mut heard = socket.wait_for("chat").await;
    heard.as_object_mut().unwrap().remove("prev");
    assert_eq!(heard, said);
}

async fn only_who_is_inside_may_speak(on: Backend) {
    let server = on.server().await;
    let room = server.browser().await.create_room("tea", 2).await;
    let outsider = server.browser().await;

    let said = json!({ "chat": "hi" });
    let (status, error) = outsider.post_json(&format!("/room/{room}/chat"), &said).await;

    assert_eq!((status, &error["error"]["code"]), (StatusCode::FORBIDDEN, &json!("not_in_room")));
    let (status, _) = outsider.post_json("/room/aaaaaaaaaaaaaaaa/chat", &said).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

async fn a_flood_is_slowed_down(on: Backend) {
    let server = on.server_with(&[("RATE_CHATS", "5/60")]).await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 2).await;
    let (mut socket, _) = browser.enter(&room).await;
    for n in 0..5 {
        socket.say(&n.to_string()).await;
    }

    let reply = socket.ask("chat:post", json!({ "chat": "6" })).await;

    assert_eq!(reply["error"]["code"], "slow_down");
    assert!(reply["error"]["retryAfterMs"].as_u64().unwrap() > 0);
}

async fn typing_reaches_the_others(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 2).await;
    let (mut anna, welcome) = anna.enter(&room).await;
    let (mut ben, _) = ben.enter(&room).await;
    // A message waits until Ben has been greeted; who is typing does not, and may be lost.
    anna.say("hi").await;

    anna.tell("typing", json!(true)).await;

    let typing = ben.wait_for("typing").await;
    assert_eq!(typing, json!({ "person": welcome["you"], "typing": true }));
}

/// More than a socket's queue and the kernel's buffers hold together.
const A_FLOOD: usize = 4_000;

/// On the quicker store alone: on a slow one, on a busy machine, the reader may seem to be gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_falls_behind_is_told_that_it_is_too_slow() {
    let server = Backend::Sqlite.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("busy", 5).await;
    let (mut anna, _) = anna.enter(&room).await;
    let (mut slow, _) = ben.enter(&room).await;
    let mut heard = Vec::new();

    let long = "가".repeat(2_000);
    for _ in 0..A_FLOOD / 50 {
        let mut asked = Vec::new();
        for _ in 0..50 {
            asked.push(anna.ask_now("chat:post", json!({ "chat": long })).await);
        }
        for id in asked {
            assert_eq!(anna.answer(id).await.unwrap()["ok"], true);
        }
        // It is alive, unlike one that the kernel cuts off.
        for _ in 0..10 {
            if let Some(Heard::Event(event, data)) = soon("an event", slow.hear()).await {
                heard.push((event, data));
            }
        }
    }

    heard.extend(slow.events_until_the_end().await);
    assert!(heard.len() < A_FLOOD, "{}", heard.len());
    let (event, error) = heard.last().unwrap();
    assert_eq!((event.as_str(), &error["code"]), ("error", &json!("too_slow")));
}

async fn a_flood_of_typing_is_thinned_out(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 2).await;
    let (mut anna, _) = anna.enter(&room).await;
    let (mut ben, _) = ben.enter(&room).await;
    anna.say("at first").await; // As above.

    for n in 0..500 {
        anna.tell("typing", json!(n % 2 == 0)).await;
    }
    anna.say("at last").await;

    let mut told = 0;
    loop {
        match ben.next().await {
            (event, _) if event == "typing" => told += 1,
            (event, chat) if event == "chat" && chat["chat"] == "at last" => break,
            _ => {}
        }
    }
    assert!((1..100).contains(&told), "{told}");
}

async fn a_reader_that_stops_is_cut_off_and_misses_nothing(on: Backend) {
    let server = on.server().await;
    let (anna, ben, cleo) =
        (server.browser().await, server.browser().await, server.browser().await);
    let room = anna.create_room("busy", 5).await;
    let (mut anna, _) = anna.enter(&room).await;
    let (mut frozen, bens) = ben.enter(&room).await;
    let (mut cleo, _) = cleo.enter(&room).await;
    let last = bens["chats"].as_array().unwrap().last().unwrap()["seq"].as_i64().unwrap();

    let long = "가".repeat(2_000);
    for batch in 0..A_FLOOD / 100 {
        let mut asked = Vec::new();
        for n in 0..100 {
            let text = format!("{} {long}", batch * 100 + n);
            let post = json!({ "chat": text.chars().take(2_000).collect::<String>() });
            asked.push(anna.ask_now("chat:post", post).await);
        }
        for id in asked {
            assert_eq!(anna.answer(id).await.unwrap()["ok"], true);
        }
        for n in 0..100 {
            let heard = cleo.wait_for("chat").await;
            let number = format!("{} ", batch * 100 + n);
            assert!(heard["chat"].as_str().unwrap().starts_with(&number), "the others hear all");
        }
    }

    let seen = frozen.events_until_the_end().await; // It is over for the one who did not read.
    assert!(seen.len() < A_FLOOD);
    let (mut back, mut page) = ben.enter_with(json!({ "room": room, "after": last })).await;
    let mut missed = page["chats"].as_array().unwrap().clone();
    while page["more"] == true {
        let after = &missed.last().unwrap()["seq"];
        page = back.ask("chat:get", json!({ "after": after })).await["data"].take();
        missed.extend(page["chats"].as_array().unwrap().iter().cloned());
    }
    let texts = missed.iter().filter(|chat| chat["kind"] == "chat");
    for (n, chat) in texts.enumerate() {
        assert!(chat["chat"].as_str().unwrap().starts_with(&format!("{n} ")));
    }
    assert_eq!(missed.iter().filter(|chat| chat["kind"] == "chat").count(), A_FLOOD);
}
