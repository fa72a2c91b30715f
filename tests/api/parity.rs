//! Every operation there is, by its route and by its event: the same answer, and the same effect on the room, on
//! its history and on what somebody else there hears.

use std::collections::BTreeSet;

use huechat::protocol::client_events as events;
use reqwest::{Method, StatusCode, header};
use serde_json::{Map, Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    common::{Backend, Bot, Browser, Socket},
    on_both_stores,
};

on_both_stores!(
    an_event_does_what_its_route_does,
    what_is_no_operation_is_malformed,
    a_list_of_values_is_no_request_on_any_edge,
);

/// Events without a route: nobody waits for what they do.
const WITHOUT_ROUTE: [&str; 1] = [events::TYPING];

/// Who does something.
#[derive(Debug, Clone, Copy)]
enum Actor {
    /// She owns the room.
    Anna,
    Ben,
}
use Actor::{Anna, Ben};

/// Something that is done, by its event and by its route. Where `{room}`, `{anna}`, `{ben}` or `{cleo}` stands, the id
/// does. The room has the messages 1 to 3, in which the three came, 4 of Ben, and 5 of Anna.
struct Case {
    event: &'static str,
    by: Actor,
    data: Value,
    route: (Method, &'static str, Value),
}

fn case(event: &'static str, by: Actor, data: Value, route: (Method, &'static str, Value)) -> Case {
    Case { event, by, data, route }
}

/// Where the event's data is the route's body.
fn alike(event: &'static str, by: Actor, method: Method, path: &'static str, data: Value) -> Case {
    case(event, by, data.clone(), (method, path, data))
}

fn cases() -> Vec<Case> {
    let nothing = || Value::Null;
    let (get, post, put) = (|| Method::GET, || Method::POST, || Method::PUT);
    let (patch, delete) = (|| Method::PATCH, || Method::DELETE);
    let nobody = "aaaaaaaaaaaa";
    let mut cases = vec![
        case(events::ROOM_GET, Ben, json!({ "id": "{room}" }), (get(), "/room/{room}", nothing())),
        case(events::ROOM_GET, Ben, json!({ "id": "none" }), (get(), "/room/none", nothing())),
        case(events::ROOM_GET, Ben, json!({ "q": "te" }), (get(), "/?q=te", nothing())),
        case(events::ROOM_GET, Ben, json!({ "page": 2 }), (get(), "/?page=2", nothing())),
        alike(events::ROOM_POST, Ben, post(), "/room", json!({ "title": "coffee", "max": 3 })),
        alike(
            events::ROOM_POST,
            Ben,
            post(),
            "/room",
            json!({ "title": "coffee", "max": "3", "password": "p" }),
        ),
        alike(events::ROOM_POST, Ben, post(), "/room", json!({ "title": " ", "max": "x" })),
        alike(events::ROOM_POST, Ben, post(), "/room", json!([])),
    ];
    for (by, change) in [
        (Anna, json!({ "title": "<b>coffee</b>", "max": 7, "locked": true })),
        (Anna, json!({ "password": "secret" })),
        (Anna, json!({ "title": "", "max": 1 })),
        (Anna, json!({ "max": 2 })),
        (Anna, json!({ "locked": "yes" })),
        (Anna, json!({})),
        (Ben, json!({ "title": "mine" })),
    ] {
        let mut data = change.clone();
        data["id"] = json!("{room}");
        cases.push(case(events::ROOM_PUT, by, data, (patch(), "/room/{room}", change)));
    }
    for by in [Anna, Ben] {
        let route = (delete(), "/room/{room}", nothing());
        cases.push(case(events::ROOM_DELETE, by, json!({ "id": "{room}" }), route));
    }
    for choice in [
        json!({ "language": "ko", "theme": "dark" }),
        json!({ "theme": "" }),
        json!({ "language": "tlh", "theme": "neon" }),
    ] {
        cases.push(alike(events::READER_PUT, Ben, post(), "/reader", choice));
    }
    for words in [
        json!({ "chat": "hello", "clientId": "c-1" }),
        json!({ "chat": "  " }),
        json!({ "chat": "x".repeat(2_001) }),
        json!({ "chat": "hello", "clientId": "" }),
        json!({ "words": "hello" }),
    ] {
        cases.push(alike(events::CHAT_POST, Ben, post(), "/room/{room}/chat", words));
    }
    for (data, path) in [
        (json!({ "limit": 2 }), "/room/{room}/chat?limit=2"),
        (json!({ "before": 4, "limit": 2 }), "/room/{room}/chat?before=4&limit=2"),
        (json!({ "after": 2 }), "/room/{room}/chat?after=2"),
        (json!({ "after": "x" }), "/room/{room}/chat?after=x"),
    ] {
        cases.push(case(events::CHAT_GET, Ben, data, (get(), path, nothing())));
    }
    for (by, seq, path) in [
        (Ben, 4, "/room/{room}/chat/4"),
        (Ben, 5, "/room/{room}/chat/5"),
        (Anna, 4, "/room/{room}/chat/4"),
        (Anna, 1, "/room/{room}/chat/1"),
        (Anna, 99, "/room/{room}/chat/99"),
    ] {
        let route = (delete(), path, nothing());
        cases.push(case(events::CHAT_DELETE, by, json!({ "seq": seq }), route));
    }
    for to in ["{anna}", "{ben}", nobody, "nobody"] {
        let words = json!({ "to": to, "chat": "psst", "clientId": "c-2" });
        cases.push(alike(events::WHISPER_POST, Ben, post(), "/room/{room}/whisper", words));
    }
    for (by, whom, path) in [
        (Anna, "{ben}", "/room/{room}/person/{ben}"),
        (Anna, "{anna}", "/room/{room}/person/{anna}"),
        (Anna, nobody, "/room/{room}/person/aaaaaaaaaaaa"),
        (Ben, "{cleo}", "/room/{room}/person/{cleo}"),
    ] {
        let route = (delete(), path, nothing());
        cases.push(case(events::PERSON_KICK, by, json!({ "id": whom }), route));
    }
    for (by, whom) in [(Anna, "{ben}"), (Anna, "{anna}"), (Anna, nobody), (Ben, "{cleo}")] {
        let data = json!({ "id": whom });
        cases.push(alike(events::OWNER_PUT, by, put(), "/room/{room}/owner", data));
    }
    for by in [Anna, Ben] {
        let route = (post(), "/room/{room}/leave", nothing());
        cases.push(case(events::EXIT, by, nothing(), route));
    }
    cases
}

async fn an_event_does_what_its_route_does(on: Backend) {
    let cases = cases();
    let tried: BTreeSet<&str> = cases.iter().map(|case| case.event).collect();
    let all: BTreeSet<&str> = events::all().iter().map(|event| event.name).collect();
    let without: BTreeSet<&str> = WITHOUT_ROUTE.into();
    assert_eq!(tried, &all - &without, "an operation is not tried");

    let server = on.server().await;
    let three = [server.browser().await, server.browser().await, server.browser().await];
    for case in cases {
        let outcome = async |way| World::of(&three).await.after(&case, way).await;
        let (by_event, by_route) = tokio::join!(outcome(Way::Event), outcome(Way::Route));
        let what = format!("{} {} by {:?}", case.event, case.data, case.by);
        assert_eq!(by_event, by_route, "{what}");
    }
}

#[derive(Clone, Copy)]
enum Way {
    Event,
    Route,
}

/// A room of Anna's with Ben and Cleo in it.
struct World {
    room: String,
    /// Everybody with what they are called in what is compared.
    people: Vec<(Value, &'static str)>,
    browsers: [Browser; 2],
    sockets: [Socket; 2],
    cleo: Socket,
}

impl World {
    async fn of([anna, ben, cleo]: &[Browser; 3]) -> Self {
        let room = anna.create_room("tea", 5).await;
        let (annas, welcome) = anna.enter(&room).await;
        let mut people = vec![(welcome["you"].clone(), "anna")];
        let (bens, welcome) = ben.enter(&room).await;
        people.push((welcome["you"].clone(), "ben"));
        let (mut cleo, welcome) = cleo.enter(&room).await;
        people.push((welcome["you"].clone(), "cleo"));
        for (by, words) in [(ben, "of Ben"), (anna, "of Anna")] {
            let said = by.post_json(&format!("/room/{room}/chat"), &json!({ "chat": words })).await;
            assert_eq!(said.0, 201, "{said:?}");
            while cleo.wait_for("chat").await["chat"] != words {}
        }
        Self { room, people, browsers: [anna.clone(), ben.clone()], sockets: [annas, bens], cleo }
    }

    /// What somebody is answered, and what there is afterwards.
    async fn after(mut self, case: &Case, way: Way) -> Value {
        let answer = match way {
            Way::Event => self.by_event(case).await,
            Way::Route => self.by_route(case).await,
        };
        let heard = self.heard_by_cleo().await;
        let room = self.browsers[0].listed(&self.room).await;
        let history = format!("/room/{}/chat", self.room);
        let mut histories = Vec::new();
        for browser in &self.browsers {
            histories.push(browser.get_json(&history).await.1);
        }
        let reader = match case.event {
            events::READER_PUT => {
                let page = self.browsers[1].get("/room").await.text().await.unwrap();
                page.lines().find(|line| line.starts_with("<html")).map(ToOwned::to_owned)
            }
            _ => None,
        };
        for browser in &self.browsers {
            // Whoever owns it now.
            browser.request(Method::DELETE, &format!("/room/{}", self.room)).send().await.unwrap();
        }
        let all = json!({
            "answer": answer, "heard": heard, "room": room, "histories": histories, "reader": reader,
        });
        self.comparable(all)
    }

    async fn by_event(&mut self, case: &Case) -> Value {
        let data: Value = serde_json::from_str(&self.with_ids(&case.data.to_string())).unwrap();
        let in_lobby = case.event.starts_with("room:");
        let reply = if in_lobby {
            let mut lobby = self.browsers[case.by as usize].lobby().await;
            lobby.ask(case.event, data).await
        } else {
            self.sockets[case.by as usize].ask(case.event, data).await
        };
        let ok = reply["ok"] == true;
        if ok { json!({ "ok": reply["data"] }) } else { json!({ "refused": reply["error"] }) }
    }

    async fn by_route(&mut self, case: &Case) -> Value {
        let (method, path, body) = &case.route;
        let browser = &self.browsers[case.by as usize];
        let request = browser.request(method.clone(), &self.with_ids(path));
        let request = request.header(header::ACCEPT, "application/json");
        let request = if body.is_null() {
            request
        } else {
            let body = self.with_ids(&body.to_string());
            request.header(header::CONTENT_TYPE, "application/json").body(body)
        };
        let response = request.send().await.unwrap();
        let ok = response.status().is_success();
        let text = response.text().await.unwrap();
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if ok { json!({ "ok": body }) } else { json!({ "refused": body["error"] }) }
    }

    /// What Cleo hears of it, until something is said that comes after it, or the room is gone.
    async fn heard_by_cleo(&mut self) -> Vec<Value> {
        let chat = format!("/room/{}/chat", self.room);
        let mut last = Value::Null;
        for browser in &self.browsers {
            let (status, _) = browser.post_json(&chat, &json!({ "chat": "that was it" })).await;
            if status == 201 {
                last = json!("that was it");
                break;
            }
        }
        let mut heard = Vec::new();
        if last.is_null() {
            let events = self.cleo.events_until_the_end().await;
            let events = events.into_iter().filter(|(name, _)| name != "head");
            return events.map(|(name, data)| json!([name, data])).collect();
        }
        loop {
            let (name, data) = self.cleo.next().await;
            if name == "chat" && data["chat"] == last {
                return heard;
            }
            // How far a room has got is told every few seconds, whatever happens.
            if name != "head" {
                heard.push(json!([name, data]));
            }
        }
    }

    fn with_ids(&self, text: &str) -> String {
        let mut text = text.replace("{room}", &self.room);
        for (person, called) in &self.people {
            text = text.replace(&format!("{{{called}}}"), person["id"].as_str().unwrap());
        }
        text
    }

    /// The same for two rooms in which the same happened.
    fn comparable(&self, value: Value) -> Value {
        match value {
            Value::Object(fields) if fields.contains_key("hue") => {
                let known = self.people.iter().find(|(person, _)| person["id"] == fields["id"]);
                json!(known.map_or("somebody", |(_, called)| called))
            }
            Value::Object(fields) => {
                let compared = fields.into_iter().map(|(name, value)| {
                    let value = match name.as_str() {
                        // What differs from one room to the next; and of the server's other rooms
                        // there are as many as were made before.
                        "createdAt" | "colors" | "rooms" | "total" => Value::Null,
                        "id" => {
                            json!(if value == json!(self.room) { "this room" } else { "another" })
                        }
                        _ => self.comparable(value),
                    };
                    (name, value)
                });
                Value::Object(compared.collect::<Map<_, _>>())
            }
            Value::Array(all) => all.into_iter().map(|one| self.comparable(one)).collect(),
            Value::String(text) => {
                let mut text = text.replace(&self.room, "this room");
                for (person, called) in &self.people {
                    text = text.replace(person["name"].as_str().unwrap(), called);
                }
                json!(text)
            }
            other => other,
        }
    }
}

async fn what_is_no_operation_is_malformed(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let (mut lobby, room) = (anna.lobby().await, anna.create_room("tea", 2).await);
    let (mut inside, _) = anna.enter(&room).await;
    for (event, data) in [
        ("room:put", json!([])),
        ("room:delete", json!(7)),
        ("room:dance", json!({})),
        ("reader:put", json!("ko")),
        ("chat:post", json!({ "chat": "of another namespace" })),
    ] {
        assert_eq!(lobby.ask(event, data).await["error"]["code"], "malformed", "{event}");
    }
    for (event, data) in [
        ("chat:delete", json!({ "seq": "1" })),
        ("person:kick", json!({})),
        ("owner:put", Value::Null),
        ("chat:dance", json!({})),
        ("room:delete", json!({ "id": room })),
    ] {
        assert_eq!(inside.ask(event, data).await["error"]["code"], "malformed", "{event}");
    }
    assert!(anna.listed(&room).await.is_some());
}

async fn a_list_of_values_is_no_request_on_any_edge(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 5).await;
    let (mut inside, _) = anna.enter(&room).await;
    let mut bot = Bot::new(server.address).await;
    bot.join(&room).await;

    for (path, values) in [("/reader", json!([null, "dark"])), ("/room", json!(["tea", 5, null]))] {
        let (status, error) = anna.post_json(path, &values).await;
        assert_eq!(
            (status, &error["error"]["code"]),
            (StatusCode::BAD_REQUEST, &json!("malformed")),
            "{path}"
        );
    }
    let (status, _) = anna.post_json(&format!("/room/{room}/chat"), &json!(["hello", null])).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let answer = inside.ask("chat:post", json!(["hello", null])).await;
    assert_eq!(answer["error"]["code"], "malformed");
    let answer = inside.ask("chat:get", json!([null, null, 5])).await;
    assert_eq!(answer["error"]["code"], "malformed");
    bot.ask("MESSAGE_POST", json!([room, "hello", "one", null])).await;
    assert_eq!(bot.refusal().await, "malformed");
    bot.send(Message::text(r#"["HEARTBEAT", null]"#)).await;
    assert_eq!(bot.refusal().await, "malformed");
}
