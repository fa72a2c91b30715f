//! Who gets in, and who does not.

use futures_util::future::join_all;
use reqwest::{StatusCode, header};
use serde_json::json;

use crate::{
    common::{Backend, Browser, Socket, until},
    on_both_stores,
};

on_both_stores!(
    whoever_enters_is_welcomed_first,
    nothing_is_told_before_the_welcome,
    the_others_hear_who_came,
    two_people_never_share_a_name_in_a_room,
    of_fifty_who_race_for_ten_places_ten_get_in,
    a_full_room_turns_the_next_visitor_away,
    a_person_with_three_tabs_takes_one_place,
    a_handshake_needs_a_session,
    a_handshake_for_a_room_that_is_not_there_is_refused,
    a_handshake_without_a_room_reads_it_from_the_page,
    a_handshake_with_a_field_of_another_type_is_malformed,
    a_password_is_asked_once,
    a_wrong_password_is_refused_on_every_way_in,
    a_password_in_a_link_leaves_the_address_at_once,
    guessing_passwords_is_slowed_down,
    a_forged_cookie_is_a_stranger,
);

async fn whoever_enters_is_welcomed_first(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 2).await;

    let (_socket, welcome) = browser.enter(&room).await;

    assert_eq!(welcome["room"]["title"], "tea");
    assert_eq!(welcome["room"]["count"], 1);
    assert_eq!(welcome["people"], json!([welcome["you"]]));
    assert_eq!(welcome["room"]["owner"], welcome["you"]);
    let you = &welcome["you"];
    assert_eq!(you["id"].as_str().unwrap().len(), 12);
    let name = format!("{} {}", capitalised(you["hue"].as_str().unwrap()), you["number"]);
    assert_eq!(you["name"], name);
    assert_eq!(welcome["chats"].as_array().unwrap().len(), 1);
    assert_eq!(welcome["chats"][0]["system"]["code"], "joined");
    assert_eq!(welcome["more"], false);
}

async fn nothing_is_told_before_the_welcome(on: Backend) {
    let server = on.server_with(&[("RATE_TYPING", "off")]).await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 2).await;
    let (mut annas, _) = anna.enter(&room).await;
    let typing = tokio::spawn(async move {
        loop {
            annas.tell("typing", json!(true)).await;
        }
    });

    for _ in 0..50 {
        ben.enter(&room).await; // Asserts it.
    }
    typing.abort();
}

fn capitalised(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

async fn the_others_hear_who_came(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 2).await;
    let (mut anna_socket, welcome) = anna.enter(&room).await;

    let (_ben_socket, bens) = ben.enter(&room).await;

    let join = anna_socket.wait_for("join").await;
    assert_eq!(join["user"], "system");
    assert_eq!(join["person"], bens["you"]);
    assert_eq!((&join["currentUsers"], &join["connected"]), (&json!(2), &json!(true)));
    assert_eq!(join["chat"]["prev"], welcome["chats"][0]["seq"]);
    assert_eq!(bens["people"], json!([welcome["you"], bens["you"]]));
}

async fn two_people_never_share_a_name_in_a_room(on: Backend) {
    let server = on.server().await;
    let owner = server.browser().await;
    let room = owner.create_room("crowd", 500).await;

    let crowd = join_all((0..60).map(|_| async {
        let browser = server.browser().await;
        browser.enter(&room).await
    }))
    .await;

    let mut names: Vec<_> =
        crowd.iter().map(|(_, welcome)| welcome["you"]["name"].to_string()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 60);
}

async fn of_fifty_who_race_for_ten_places_ten_get_in(on: Backend) {
    let server = on.server().await;
    let room = server.browser().await.create_room("race", 10).await;
    let mut lobby = server.browser().await.lobby().await;
    let racers: Vec<Browser> = join_all((0..50).map(|_| server.browser())).await;

    let outcomes =
        join_all(racers.iter().map(|racer| racer.try_enter(json!({ "room": room })))).await;

    let (inside, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(inside.len(), 10);
    assert!(refused.into_iter().all(|refusal| refusal.err().unwrap() == "room_full"));
    let mut count = 0;
    while count < 10 {
        count = lobby.wait_for("updateRoom").await["count"].as_u64().unwrap();
        assert!(count <= 10, "{count}");
    }
    assert_eq!(racers[0].listed(&room).await.unwrap()["count"], 10);
}

async fn a_full_room_turns_the_next_visitor_away(on: Backend) {
    let server = on.server().await;
    let owner = server.browser().await;
    let room = owner.create_room("tea", 2).await;
    let _first = owner.enter(&room).await;
    let _second = server.browser().await.enter(&room).await;
    let third = server.browser().await;

    let (status, error) = third.get_json(&format!("/room/{room}")).await;
    assert_eq!((status, &error["error"]["code"]), (StatusCode::CONFLICT, &json!("room_full")));
    let page = third.get(&format!("/room/{room}")).await;
    assert_eq!(page.headers()[header::LOCATION], "/?error=room_full");
    let refused = third.try_enter(json!({ "room": room })).await;
    assert_eq!(refused.err().as_deref(), Some("room_full"));
    assert_eq!(
        owner.get(&format!("/room/{room}")).await.status(),
        StatusCode::OK,
        "who is in may reload"
    );
}

async fn a_person_with_three_tabs_takes_one_place(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 2).await;

    let (_one, first) = browser.enter(&room).await;
    let (_two, _) = browser.enter(&room).await;
    let (_three, third) = browser.enter(&room).await;

    assert_eq!(third["room"]["count"], 1);
    assert_eq!(third["people"], json!([first["you"]]));
    assert_eq!(third["chats"].as_array().unwrap().len(), 1, "one join");
    let _other = server.browser().await.enter(&room).await;
}

async fn a_handshake_needs_a_session(on: Backend) {
    let server = on.server().await;
    let room = server.browser().await.create_room("tea", 2).await;
    let stranger = Browser::without_cookie(server.address);

    let refused = stranger.try_enter(json!({ "room": room })).await;

    assert_eq!(refused.err().as_deref(), Some("unauthorized"));
    let lobby = Socket::connect(server.address, None, "/room", json!({})).await;
    assert_eq!(lobby.err().as_deref(), Some("unauthorized"));
}

async fn a_forged_cookie_is_a_stranger(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 2).await;
    let real = browser.cookie.clone().unwrap();
    let unsigned = format!("huechat.sid={}", real.rsplit('=').next().unwrap());
    let mut changed = real.clone().into_bytes();
    let last = changed.len() - 1;
    changed[last] = if changed[last] == b'A' { b'B' } else { b'A' };

    for cookie in [unsigned, String::from_utf8(changed).unwrap(), "huechat.sid=x".to_owned()] {
        let forged = Browser { cookie: Some(cookie.clone()), ..browser.clone() };
        let refused = forged.try_enter(json!({ "room": room })).await;
        assert_eq!(refused.err().as_deref(), Some("unauthorized"), "{cookie}");
        let fresh = forged.get("/").await;
        assert!(fresh.headers().contains_key(header::SET_COOKIE), "a new session begins");
    }
}

async fn a_handshake_for_a_room_that_is_not_there_is_refused(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;

    for auth in [json!({ "room": "aaaaaaaaaaaaaaaa" }), json!({ "room": "tea" }), json!({})] {
        let refused = browser.try_enter(auth.clone()).await;
        assert_eq!(refused.err().as_deref(), Some("no_such_room"), "{auth}");
    }
}

async fn a_handshake_without_a_room_reads_it_from_the_page(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 2).await;
    let page = format!("http://{}/room/{room}", server.address);
    let headers = [("cookie", browser.cookie.as_deref().unwrap()), ("referer", page.as_str())];

    let socket = Socket::connect_with(server.address, &headers, "/chat", json!({})).await;

    let (event, welcome) = socket.unwrap().next().await;
    assert_eq!((event.as_str(), &welcome["room"]["id"]), ("welcome", &json!(room)));
}

async fn a_handshake_with_a_field_of_another_type_is_malformed(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 2).await;
    for auth in [
        json!({ "room": 5 }),
        json!({ "room": [&room] }),
        json!({ "room": &room, "password": { "is": "sesame" } }),
        json!({ "room": &room, "after": "1" }),
        json!({ "room": &room, "after": 1.5 }),
        json!([&room, null, null]),
        json!("room"),
        json!(true),
    ] {
        let refused = browser.try_enter(auth.clone()).await.err();
        assert_eq!(refused.as_deref(), Some("malformed"), "{auth}");
    }
    let refused = browser.try_enter(json!({ "room": "nowhere" })).await.err();
    assert_eq!(refused.as_deref(), Some("no_such_room"));
}

async fn a_password_is_asked_once(on: Backend) {
    let server = on.server().await;
    let owner = server.browser().await;
    let room = owner.create(&json!({ "title": "secret", "max": 5, "password": "sesame" })).await;
    let guest = server.browser().await;
    let door = format!("/room/{room}/enter");

    assert_eq!(owner.get(&format!("/room/{room}")).await.status(), StatusCode::OK);
    let page = guest.get(&format!("/room/{room}")).await;
    assert_eq!(
        page.headers()[header::LOCATION],
        format!("/?error=wrong_password&room={room}").as_str()
    );
    let opened = guest.post_form(&door, &[("password", "sesame")]).await;
    assert_eq!(opened.status(), StatusCode::SEE_OTHER);

    assert_eq!(guest.get(&format!("/room/{room}")).await.status(), StatusCode::OK);
    let (_socket, welcome) = guest.enter(&room).await;
    assert_eq!(welcome["room"]["locked"], true);
    let by_json = server.browser().await;
    let (status, _) = by_json.post_json(&door, &json!({ "password": "sesame" })).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let by_socket = server.browser().await;
    by_socket.enter_with(json!({ "room": room, "password": "sesame" })).await;
    // A pass that no longer fits does not stand in the way of the right password.
    owner.post_json(&format!("/room/{room}/enter"), &json!({ "password": "sesame" })).await;
    owner.enter_with(json!({ "room": room, "password": "sesame" })).await;
}

async fn a_wrong_password_is_refused_on_every_way_in(on: Backend) {
    let server = on.server().await;
    let owner = server.browser().await;
    let room = owner.create(&json!({ "title": "secret", "max": 5, "password": "sesame" })).await;
    let guest = server.browser().await;

    for password in ["", "Sesame", &"x".repeat(10_240)] {
        let path = format!("/room/{room}/enter");
        let (status, error) = guest.post_json(&path, &json!({ "password": password })).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert_eq!(error["error"]["code"], "wrong_password");
        let refused = guest.try_enter(json!({ "room": room, "password": password })).await;
        assert_eq!(refused.err().as_deref(), Some("wrong_password"));
    }
    for (path, code) in [("", "wrong_password"), ("/chat", "not_in_room")] {
        let (status, error) = guest.get_json(&format!("/room/{room}{path}")).await;
        assert_eq!((status, &error["error"]["code"]), (StatusCode::FORBIDDEN, &json!(code)));
    }
    let linked = guest.get(&format!("/room/{room}?password=nope")).await;
    assert_eq!(
        linked.headers()[header::LOCATION],
        format!("/?error=wrong_password&room={room}&tried=1").as_str()
    );
}

async fn a_password_in_a_link_leaves_the_address_at_once(on: Backend) {
    let server = on.server().await;
    let room = server.browser().await;
    let room = room.create(&json!({ "title": "secret", "max": 5, "password": "se&same" })).await;
    let guest = server.browser().await;

    let linked = guest.get(&format!("/room/{room}?password=se%26same")).await;

    assert_eq!(linked.status(), StatusCode::SEE_OTHER);
    assert_eq!(linked.headers()[header::LOCATION], format!("/room/{room}").as_str());
    assert_eq!(guest.get(&format!("/room/{room}")).await.status(), StatusCode::OK);
}

async fn guessing_passwords_is_slowed_down(on: Backend) {
    let server = on.server_with(&[("RATE_PASSWORDS", "3/60")]).await;
    let room = server.browser().await;
    let room = room.create(&json!({ "title": "secret", "max": 5, "password": "sesame" })).await;
    let guest = server.browser().await;
    let mut statuses = Vec::new();

    until("being slowed down", || {
        let path = format!("/room/{room}/enter");
        let guest = guest.clone();
        async move { guest.post_json(&path, &json!({ "password": "guess" })).await.0 == 429 }
    })
    .await;
    statuses.push(
        guest.post_json(&format!("/room/{room}/enter"), &json!({ "password": "sesame" })).await.0,
    );

    assert_eq!(statuses, [StatusCode::TOO_MANY_REQUESTS], "the right one has to wait too");
}
