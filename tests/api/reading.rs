//! Nobody reads unseen: what was said in a room is for those who have a seat there.

use reqwest::{StatusCode, header};
use serde_json::json;

use crate::{
    common::{Backend, gifs},
    on_both_stores,
};

on_both_stores!(
    whoever_could_come_in_and_has_not_reads_nothing,
    a_page_without_scripts_takes_a_seat_to_read_and_is_seen,
    a_person_sits_in_no_more_rooms_than_they_may_have_connections,
);

async fn whoever_could_come_in_and_has_not_reads_nothing(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 3).await;
    let (mut annas, _) = anna.enter(&room).await;
    annas.say("for those who are here").await;
    let (_, gif) = anna.upload(&room, gifs::animation(4, 4, 2)).await;
    let chats = format!("/room/{room}/chat");

    let (status, refused) = ben.get_json(&chats).await;
    assert_eq!((status, &refused["error"]["code"]), (StatusCode::FORBIDDEN, &json!("not_in_room")));
    for file in ["url", "poster"] {
        let answer = ben.get(gif["gif"][file].as_str().unwrap()).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{file}");
    }
    let page = ben.get(&format!("/room/{room}")).await;
    assert_eq!(page.status(), StatusCode::OK);
    assert!(!page.text().await.unwrap().contains("for those who are here"));
    assert_eq!(ben.get_json(&format!("/room/{room}")).await.1["count"], 1);

    // Somebody whose connection dropped a moment ago still has a seat.
    let (bens, _) = ben.enter(&room).await;
    bens.vanish();
    assert_eq!(ben.get_json(&chats).await.0, StatusCode::OK);
    let page = ben.get(&format!("/room/{room}")).await.text().await.unwrap();
    assert!(page.contains("for those who are here"));
}

async fn a_page_without_scripts_takes_a_seat_to_read_and_is_seen(on: Backend) {
    let server = on.server_with(&[("ROOM_GRACE", "1")]).await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create(&json!({ "title": "tea", "max": 2, "password": "sesame" })).await;
    let (mut annas, _) = anna.enter(&room).await;
    annas.say("for those who are here").await;
    let enter = format!("/room/{room}/enter");

    let refused = ben.post_form(&enter, &[("seat", "true")]).await;
    assert_eq!(
        refused.headers()[header::LOCATION],
        format!("/?error=wrong_password&room={room}&tried=1").as_str()
    );
    ben.post_form(&enter, &[("password", "sesame")]).await;
    let entered = ben.post_form(&enter, &[("seat", "true")]).await;

    assert_eq!(entered.headers()[header::LOCATION], format!("/room/{room}").as_str());
    assert_eq!(annas.wait_for("join").await["currentUsers"], 2);
    for _ in 0..2 {
        let page = ben.get(&format!("/room/{room}")).await.text().await.unwrap();
        assert!(page.contains("for those who are here"));
        // Their seat lasts for longer than the grace of a connection.
        annas.say("later").await;
        assert_eq!(anna.get_json(&format!("/room/{room}")).await.1["count"], 2);
    }
    ben.post_form(&format!("/room/{room}/leave"), &[]).await;
    assert_eq!(annas.wait_for("exit").await["currentUsers"], 1);
}

async fn a_person_sits_in_no_more_rooms_than_they_may_have_connections(on: Backend) {
    let server = on.server_with(&[("MAX_CONNECTIONS_PER_PERSON", "3")]).await;
    let ben = server.browser().await;
    let mut taken = 0;
    for _ in 0..5 {
        let room = ben.create_room("tea", 2).await;
        ben.post_form(&format!("/room/{room}/enter"), &[("seat", "true")]).await;
        taken += ben.get_json(&format!("/room/{room}")).await.1["count"].as_u64().unwrap();
    }
    // Taking a seat needs one more for a moment.
    assert_eq!(taken, 2);
}
