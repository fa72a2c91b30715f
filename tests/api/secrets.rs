//! What nobody may read anywhere: passwords, session ids, and where people come from.

use futures_util::TryStreamExt as _;
use mongodb::bson::Document;
use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::{
    common::{
        BEHIND_A_PROXY, Backend, Socket,
        server::{Home, Process},
    },
    on_both_stores,
};

on_both_stores!(
    a_password_is_in_no_address_log_event_page_or_database,
    where_people_come_from_is_kept_nowhere,
);

/// All that the database holds, in words; of SQLite, the bytes of its files.
async fn database(home: &Home) -> String {
    let Some(uri) = home.mongodb_uri() else {
        let files = ["huechat.sqlite3", "huechat.sqlite3-wal"];
        let bytes = files.map(|name| std::fs::read(home.data().join(name)).unwrap_or_default());
        return String::from_utf8_lossy(&bytes.concat()).into_owned();
    };
    let database = mongodb::Client::with_uri_str(uri).await.unwrap().default_database().unwrap();
    let mut words = String::new();
    for name in ["rooms", "chats", "sessions", "nodes"] {
        let found = database.collection::<Document>(name).find(Document::new()).await.unwrap();
        let found: Vec<Document> = found.try_collect().await.unwrap();
        words.extend(found.iter().map(ToString::to_string));
    }
    words
}

async fn a_password_is_in_no_address_log_event_page_or_database(on: Backend) {
    let (first, second, wrong) = ("open-sesame-1", "open-sesame-2", "open-sesame-3");
    let secret = "open-sesame";
    let server = Process::start(Home::new(on, &[("RUST_LOG", "debug")])).await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let mut seen: Vec<(String, String)> = Vec::new();
    let mut lobby = anna.lobby().await;

    let form = json!({ "title": "tea", "max": 5, "password": first });
    let (_, room) = anna.post_json("/room", &form).await;
    seen.push(("the room as JSON".to_owned(), room.to_string()));
    let room = room["id"].as_str().unwrap();
    let path = format!("/room/{room}");
    let (mut annas, welcome) = anna.enter(room).await;
    seen.push(("the owner's welcome".to_owned(), welcome.to_string()));

    for password in [wrong, first] {
        let link = ben.get(&format!("{path}?password={password}")).await;
        assert_eq!(link.status(), 303);
        let to = link.headers()[header::LOCATION].to_str().unwrap().to_owned();
        seen.push(("where a link leads".to_owned(), to.clone()));
        seen.push(("a link's page".to_owned(), link.text().await.unwrap()));
        seen.push(("the next page".to_owned(), ben.get(&to).await.text().await.unwrap()));
    }
    let refused = ben.post_form(&format!("{path}/enter"), &[("password", wrong)]).await;
    seen.push(("a refusal".to_owned(), format!("{:?}", refused.headers())));
    let (_, refused) = ben.post_json(&format!("{path}/enter"), &json!({ "password": wrong })).await;
    seen.push(("a refusal as JSON".to_owned(), refused.to_string()));
    let (_, invalid) =
        ben.post_json("/room", &json!({ "title": "", "max": 5, "password": wrong })).await;
    seen.push(("a form's errors".to_owned(), invalid.to_string()));
    let again = ben.post_form("/room", &[("title", ""), ("max", "5"), ("password", wrong)]).await;
    seen.push(("a form that comes back".to_owned(), again.text().await.unwrap()));
    let (_bens, welcome) = ben.enter_with(json!({ "room": room, "password": first })).await;
    seen.push(("a guest's welcome".to_owned(), welcome.to_string()));
    let changed = anna
        .request(Method::PATCH, &path)
        .header(header::ACCEPT, "application/json")
        .json(&json!({ "password": second }));
    seen.push(("a change".to_owned(), changed.send().await.unwrap().text().await.unwrap()));
    seen.push(("what is told".to_owned(), annas.wait_for("updateRoom").await.to_string()));
    seen.push(("what the lobby hears".to_owned(), lobby.wait_for("newRoom").await.to_string()));
    let asked: Value = annas.ask("chat:get", json!({})).await;
    seen.push(("the history".to_owned(), asked.to_string()));
    for page in ["/", &path] {
        seen.push((page.to_owned(), anna.get(page).await.text().await.unwrap()));
    }
    seen.push(("the database".to_owned(), database(&server.home).await));
    seen.push(("the log".to_owned(), server.log().join("\n")));
    let cookie = anna.cookie.clone().unwrap();
    let session = cookie.rsplit('=').next().unwrap();
    for (what, words) in seen {
        assert!(!words.contains(secret), "{what}: {words}");
        assert!(!words.contains(session), "the session's id is in {what}");
    }
}

async fn where_people_come_from_is_kept_nowhere(on: Backend) {
    let (annas, bens) = ("203.0.113.77", "2001:db8:aaaa:bbbb::7");
    let server = Process::start(Home::new(on, &[BEHIND_A_PROXY])).await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let form = json!({ "title": "tea", "max": 5, "password": "sesame" });
    let made = anna
        .request(Method::POST, "/room")
        .header(header::ACCEPT, "application/json")
        .header("x-forwarded-for", annas);
    let room: Value = made.json(&form).send().await.unwrap().json().await.unwrap();
    let room = room["id"].as_str().unwrap();
    let enter = async |cookie: Option<String>, network: &'static str| {
        let headers = [("cookie", cookie.as_deref().unwrap()), ("x-forwarded-for", network)];
        let auth = json!({ "room": room, "password": "sesame" });
        let mut socket =
            Socket::connect_with(server.address, &headers, "/chat", auth).await.unwrap();
        let welcome = socket.wait_for("welcome").await;
        (socket, welcome)
    };
    let (mut owner, _) = enter(anna.cookie.clone(), annas).await;
    let (mut guest, welcome) = enter(ben.cookie.clone(), bens).await;
    guest.say("hello").await;
    let report = ben.request(Method::POST, &format!("/room/{room}/report"));
    let report = report.header("x-forwarded-for", bens).json(&json!({ "why": "rude" }));
    assert_eq!(report.send().await.unwrap().status(), 204);
    let kicked = owner.ask("person:kick", json!({ "id": welcome["you"]["id"] })).await;
    assert_eq!(kicked["ok"], true, "{kicked}");

    let kept = database(&server.home).await;
    assert!(kept.contains("hello"), "the database can be read");
    for words in [kept, server.log().join("\n")] {
        for part in [annas, bens, "203.0.113", "2001:db8", "aaaa:bbbb"] {
            assert!(!words.contains(part), "{part}: {words}");
        }
    }
}
