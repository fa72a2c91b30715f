//! What an owner may do with a room, what anybody may do with what they said, and what the others hear of it.

use futures_util::future::join_all;
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    common::{Backend, Browser, Server, Socket, gifs, until},
    on_both_stores,
};

on_both_stores!(
    the_owner_changes_the_room_and_everybody_hears_of_it,
    of_changes_at_once_the_last_one_is_told_last,
    what_is_asked_for_is_done_and_told_when_the_connection_ends,
    what_makes_no_room_changes_nothing,
    only_the_owner_may,
    a_lock_keeps_newcomers_out_and_nobody_else,
    another_password_shuts_out_who_knew_the_old_one,
    a_whisper_is_for_two,
    a_whisper_to_nobody_is_refused,
    whoever_is_kicked_hears_by_whom_and_does_not_come_back,
    an_owner_hands_the_room_over,
    a_deleted_message_is_gone_for_everybody,
    a_deleted_gif_takes_its_files_along,
    an_owner_closes_the_room,
);

/// A room of Anna's with Ben in it.
struct Tea {
    server: Server,
    anna: Browser,
    ben: Browser,
    room: String,
    annas: Socket,
    bens: Socket,
    /// Ben's id.
    ben_id: Value,
    anna_id: Value,
}

impl Tea {
    async fn on(backend: Backend) -> Self {
        let server = backend.server().await;
        let (anna, ben) = (server.browser().await, server.browser().await);
        let room = anna.create_room("tea", 5).await;
        let (annas, welcome) = anna.enter(&room).await;
        let anna_id = welcome["you"]["id"].clone();
        let (bens, welcome) = ben.enter(&room).await;
        let ben_id = welcome["you"]["id"].clone();
        Self { server, anna, ben, room, annas, bens, ben_id, anna_id }
    }

    async fn patch(&self, by: &Browser, change: Value) -> (StatusCode, Value) {
        send(by, Method::PATCH, &format!("/room/{}", self.room), change).await
    }

    async fn history(&self, viewer: &Browser) -> Vec<Value> {
        let (_, history) = viewer.get_json(&format!("/room/{}/chat", self.room)).await;
        history["chats"].as_array().unwrap().clone()
    }
}

async fn send(by: &Browser, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    let request = by.request(method, path).header(header::ACCEPT, "application/json");
    let response = request.json(&body).send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

async fn said_by_the_room(socket: &mut Socket) -> String {
    socket.wait_for("chat").await["system"]["code"].as_str().unwrap().to_owned()
}

async fn the_owner_changes_the_room_and_everybody_hears_of_it(on: Backend) {
    let mut tea = Tea::on(on).await;
    let mut lobby = tea.server.browser().await.lobby().await;

    let change = json!({ "title": "coffee", "max": 7, "locked": true, "password": "secret" });
    let (status, room) = tea.patch(&tea.anna, change).await;

    assert_eq!(status, StatusCode::OK, "{room}");
    assert_eq!((&room["title"], &room["max"]), (&json!("coffee"), &json!(7)));
    assert_eq!(room["locked"], true);
    let mut heard = Vec::new();
    for _ in 0..4 {
        heard.push(said_by_the_room(&mut tea.bens).await);
    }
    assert_eq!(heard, ["renamed", "capacity", "password", "locked"]);
    assert_eq!(tea.bens.wait_for("updateRoom").await, room);
    let listed = loop {
        let updated = lobby.wait_for("updateRoom").await;
        if updated["title"] == "coffee" {
            break updated;
        }
    };
    assert_eq!(listed, room);
    assert_eq!(tea.anna.listed(&tea.room).await.unwrap(), room);
}

async fn of_changes_at_once_the_last_one_is_told_last(on: Backend) {
    let mut tea = Tea::on(on).await;
    let changes = (0..20).map(|n| tea.patch(&tea.anna, json!({ "title": format!("tea {n}") })));
    for (status, room) in join_all(changes).await {
        assert_eq!(status, StatusCode::OK, "{room}");
    }
    let chat = format!("/room/{}/chat", tea.room);
    tea.anna.post_json(&chat, &json!({ "chat": "that was it" })).await;

    let mut last = Value::Null;
    loop {
        match tea.bens.next().await {
            (name, chat) if name == "chat" && chat["chat"] == "that was it" => break,
            (name, room) if name == "updateRoom" => last = room,
            _ => {}
        }
    }
    assert_eq!(last["title"], tea.anna.listed(&tea.room).await.unwrap()["title"]);
}

async fn what_is_asked_for_is_done_and_told_when_the_connection_ends(on: Backend) {
    let mut tea = Tea::on(on).await;
    let change = br#"{"title":"coffee"}"#;
    let head = format!(
        "PATCH /room/{} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nExpect: 100-continue\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        tea.room,
        tea.server.address,
        tea.anna.cookie.as_ref().unwrap(),
        change.len(),
    );

    let mut connection = TcpStream::connect(tea.server.address).await.unwrap();
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    connection.read_exact(&mut go_on).await.unwrap(); // It is being asked for.
    connection.write_all(change).await.unwrap();
    drop(connection);

    assert_eq!(tea.bens.wait_for("updateRoom").await["title"], "coffee");
}

async fn what_makes_no_room_changes_nothing(on: Backend) {
    let tea = Tea::on(on).await;
    let carl = tea.server.browser().await;
    let (_socket, _) = carl.enter(&tea.room).await;
    let before = tea.anna.listed(&tea.room).await;

    for (change, fields) in [
        (
            json!({ "title": " ", "max": 1 }),
            json!({ "title": "title_empty", "max": "max_out_of_range" }),
        ),
        (json!({ "max": 2, "title": "coffee" }), json!({ "max": "max_too_few" })),
        (json!({ "max": "many" }), json!({ "max": "max_not_a_number" })),
        (json!({ "password": "x".repeat(129) }), json!({ "password": "password_too_long" })),
    ] {
        let (status, answer) = tea.patch(&tea.anna, change.clone()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{change}");
        assert_eq!(answer["error"]["code"], "invalid");
        assert_eq!(answer["error"]["fields"], fields, "{change}");
    }
    let (status, _) = tea.patch(&tea.anna, json!({ "locked": "perhaps" })).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(tea.anna.listed(&tea.room).await, before);
}

async fn only_the_owner_may(on: Backend) {
    let mut tea = Tea::on(on).await;
    let path = format!("/room/{}", tea.room);
    let whom = json!({ "id": tea.anna_id });

    for (method, body) in [
        (Method::PATCH, json!({ "title": "mine" })),
        (Method::PATCH, json!({ "password": "secret" })),
        (Method::DELETE, Value::Null),
    ] {
        let (status, answer) = send(&tea.ben, method, &path, body).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (StatusCode::FORBIDDEN, &json!("not_owner"))
        );
    }
    for event in ["person:kick", "owner:put"] {
        let reply = tea.bens.ask(event, whom.clone()).await;
        assert_eq!(reply["error"]["code"], "not_owner", "{event}");
    }
    let nowhere = format!("/room/{}", "a".repeat(16));
    for method in [Method::PATCH, Method::DELETE] {
        let (status, _) = send(&tea.anna, method, &nowhere, json!({ "title": "mine" })).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
    assert_eq!(tea.anna.listed(&tea.room).await.unwrap()["title"], "tea");
}

async fn a_lock_keeps_newcomers_out_and_nobody_else(on: Backend) {
    let tea = Tea::on(on).await;
    let carl = tea.server.browser().await;
    tea.patch(&tea.anna, json!({ "locked": true })).await;

    let refused = carl.try_enter(json!({ "room": tea.room })).await.err();
    let (_another_tab, _) = tea.ben.enter(&tea.room).await;

    assert_eq!(refused.as_deref(), Some("locked"));
    tea.patch(&tea.anna, json!({ "locked": false })).await;
    carl.enter(&tea.room).await;
}

async fn another_password_shuts_out_who_knew_the_old_one(on: Backend) {
    let tea = Tea::on(on).await;
    let carl = tea.server.browser().await;
    let unlock = format!("/room/{}/enter", tea.room);
    tea.patch(&tea.anna, json!({ "password": "old" })).await;
    let (status, _) = carl.post_json(&unlock, &json!({ "password": "old" })).await;
    assert_eq!(status, StatusCode::NO_CONTENT);

    tea.patch(&tea.anna, json!({ "password": "new" })).await;

    let refused = carl.try_enter(json!({ "room": tea.room })).await.err();
    assert_eq!(refused.as_deref(), Some("wrong_password"));
    let (_his_seat, _) = tea.ben.enter(&tea.room).await;
    tea.patch(&tea.anna, json!({ "password": "" })).await;
    carl.enter(&tea.room).await;
}

async fn a_whisper_is_for_two(on: Backend) {
    let mut tea = Tea::on(on).await;
    let carl = tea.server.browser().await;
    let (mut carls, _) = carl.enter(&tea.room).await;
    let before = tea.annas.say("aloud").await;

    let whisper = json!({ "to": tea.ben_id, "chat": "psst", "clientId": "w-1" });
    let reply = tea.annas.ask("whisper:post", whisper.clone()).await;
    let again = tea.annas.ask("whisper:post", whisper).await;
    let after = tea.bens.say("after").await;

    assert_eq!(reply["data"], again["data"], "{reply}");
    let whisper = &reply["data"];
    assert_eq!((&whisper["kind"], &whisper["chat"]), (&json!("whisper"), &json!("psst")));
    assert_eq!(whisper["to"]["id"], tea.ben_id);
    for socket in [&mut tea.annas, &mut tea.bens] {
        while socket.wait_for("chat").await["chat"] != "aloud" {}
        let heard = socket.wait_for("chat").await;
        assert_eq!((&heard["chat"], &heard["prev"]), (&json!("psst"), &before["seq"]));
    }
    while carls.wait_for("chat").await["chat"] != "aloud" {}
    let next = carls.wait_for("chat").await;
    assert_eq!((&next["chat"], &next["prev"]), (&json!("after"), &before["seq"]));
    assert!(tea.history(&tea.ben).await.contains(whisper));
    assert_eq!(tea.history(&carl).await.last().unwrap()["seq"], after["seq"]);
    assert!(!tea.history(&carl).await.iter().any(|chat| chat["kind"] == "whisper"));
}

async fn a_whisper_to_nobody_is_refused(on: Backend) {
    let mut tea = Tea::on(on).await;
    tea.bens.ask("exit", Value::Null).await;

    for (whisper, code) in [
        (json!({ "to": tea.ben_id, "chat": "psst" }), "not_here"),
        (json!({ "to": "nobody", "chat": "psst" }), "not_here"),
        (json!({ "to": tea.anna_id, "chat": "psst" }), "yourself"),
        (json!({ "to": tea.ben_id, "chat": " " }), "invalid"),
        (json!({ "to": tea.ben_id, "chat": "x".repeat(2_001) }), "too_long"),
        (json!({ "chat": "psst" }), "malformed"),
    ] {
        let reply = tea.annas.ask("whisper:post", whisper.clone()).await;
        assert_eq!(reply["error"]["code"], code, "{whisper}");
    }
    assert!(!tea.history(&tea.anna).await.iter().any(|chat| chat["kind"] == "whisper"));
}

async fn whoever_is_kicked_hears_by_whom_and_does_not_come_back(on: Backend) {
    let mut tea = Tea::on(on).await;
    let (mut another_tab, _) = tea.ben.enter(&tea.room).await;

    for (whom, code) in [(&tea.anna_id, "yourself"), (&json!("nobody"), "not_here")] {
        let reply = tea.annas.ask("person:kick", json!({ "id": whom })).await;
        assert_eq!(reply["error"]["code"], code);
    }
    let reply = tea.annas.ask("person:kick", json!({ "id": tea.ben_id })).await;

    assert_eq!(reply["ok"], true, "{reply}");
    for socket in [&mut tea.bens, &mut another_tab] {
        let (event, kicked) = socket.events_until_the_end().await.pop().unwrap();
        assert_eq!((event.as_str(), &kicked["by"]["id"]), ("kicked", &tea.anna_id));
    }
    let exit = tea.annas.wait_for("exit").await;
    assert_eq!((&exit["person"]["id"], &exit["currentUsers"]), (&tea.ben_id, &json!(1)));
    assert_eq!(exit["chat"]["system"]["code"], "kicked");
    let refused = tea.ben.try_enter(json!({ "room": tea.room })).await.err();
    assert_eq!(refused.as_deref(), Some("kicked"));
    assert_eq!(tea.anna.listed(&tea.room).await.unwrap()["count"], 1);
    let again = tea.annas.ask("person:kick", json!({ "id": tea.ben_id })).await;
    assert_eq!(again["error"]["code"], "not_here");
}

async fn an_owner_hands_the_room_over(on: Backend) {
    let mut tea = Tea::on(on).await;

    for (whom, code) in [(&tea.anna_id, "yourself"), (&json!("nobody"), "not_here")] {
        let reply = tea.annas.ask("owner:put", json!({ "id": whom })).await;
        assert_eq!(reply["error"]["code"], code);
    }
    let reply = tea.annas.ask("owner:put", json!({ "id": tea.ben_id })).await;

    assert_eq!(reply["data"]["id"], tea.ben_id, "{reply}");
    assert_eq!(tea.bens.wait_for("owner").await, reply["data"]);
    assert_eq!(tea.annas.wait_for("owner").await, reply["data"]);
    assert_eq!(tea.anna.listed(&tea.room).await.unwrap()["owner"], reply["data"]);
    let (status, _) = tea.patch(&tea.anna, json!({ "title": "mine" })).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, _) = tea.patch(&tea.ben, json!({ "title": "Ben's" })).await;
    assert_eq!(status, StatusCode::OK);
}

async fn a_deleted_message_is_gone_for_everybody(on: Backend) {
    let mut tea = Tea::on(on).await;
    let bens = tea.bens.say("never mind").await;
    let annas = tea.annas.say("hello").await;

    let not_his = tea.bens.ask("chat:delete", json!({ "seq": annas["seq"] })).await;
    let nothing = tea.bens.ask("chat:delete", json!({ "seq": 999 })).await;
    let own = tea.bens.ask("chat:delete", json!({ "seq": bens["seq"] })).await;
    let again = tea.annas.ask("chat:delete", json!({ "seq": bens["seq"] })).await;

    assert_eq!(not_his["error"]["code"], "not_owner");
    assert_eq!(nothing["error"]["code"], "no_such_message");
    assert_eq!((&own["data"]["seq"], own["data"].get("chat")), (&bens["seq"], None), "{own}");
    assert_eq!(own, again, "the owner may, too");
    for socket in [&mut tea.annas, &mut tea.bens] {
        assert_eq!(socket.wait_for("chat:removed").await, json!({ "seq": bens["seq"] }));
    }
    let history = tea.history(&tea.anna).await;
    let left = history.iter().find(|chat| chat["seq"] == bens["seq"]).unwrap();
    assert_eq!(left, &own["data"]);
    assert!(history.contains(&annas));
}

async fn a_deleted_gif_takes_its_files_along(on: Backend) {
    let mut tea = Tea::on(on).await;
    let (_, first) = tea.ben.upload(&tea.room, gifs::animation(4, 4, 2)).await;
    let (_, same) = tea.ben.upload(&tea.room, gifs::animation(4, 4, 2)).await;
    let url = first["gif"]["url"].as_str().unwrap().to_owned();

    let deleted = tea.bens.ask("chat:delete", json!({ "seq": first["seq"] })).await;
    assert_eq!((&deleted["data"]["kind"], deleted["data"].get("gif")), (&json!("gif"), None));
    assert_eq!(tea.ben.get(&url).await.status(), StatusCode::OK, "another message shows it");
    tea.bens.ask("chat:delete", json!({ "seq": same["seq"] })).await;

    until("the file to go", || async { tea.ben.get(&url).await.status() == StatusCode::NOT_FOUND })
        .await;
    tea.bens.say("still here").await;
}

async fn an_owner_closes_the_room(on: Backend) {
    let mut tea = Tea::on(on).await;

    let path = format!("/room/{}", tea.room);
    let (status, _) = send(&tea.anna, Method::DELETE, &path, Value::Null).await;

    assert_eq!(status, StatusCode::NO_CONTENT);
    let (event, id) = tea.bens.events_until_the_end().await.pop().unwrap();
    assert_eq!((event.as_str(), id), ("removeRoom", json!(tea.room)));
    let (status, _) = send(&tea.anna, Method::DELETE, &path, Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(tea.anna.listed(&tea.room).await, None);
}
