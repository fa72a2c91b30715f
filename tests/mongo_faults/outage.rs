//! A database server that is away for a while.

use mongodb::bson::Document;
use reqwest::{Method, StatusCode, header};
use serde_json::json;

use crate::{
    PROMISED,
    common::{
        Backend, Browser,
        server::{Home, Process},
        until,
    },
    own::OwnServer,
    stage::{Stage, Tea, always, refused},
    with_deadline,
};

/// What a server does that is away.
#[derive(Clone, Copy)]
enum Away {
    Killed,
    Paused,
}

impl Away {
    fn goes(self, stage: &mut Stage) {
        match self {
            Self::Killed => stage.mongo.kill(),
            Self::Paused => stage.mongo.pause(),
        }
    }

    async fn comes_back(self, stage: &mut Stage) {
        match self {
            Self::Killed => stage.mongo.restart().await,
            Self::Paused => stage.mongo.resume(),
        }
    }
}

async fn assert_unavailable(browser: &Browser, method: Method, path: &str, accept: &str) {
    // What was read a moment ago is shown for a moment longer.
    let until_it_is_noticed = async {
        loop {
            let request = browser.request(method.clone(), path).header(header::ACCEPT, accept);
            let response =
                with_deadline(request.json(&json!({ "chat": "hello" })).send()).await.unwrap();
            if response.status() != StatusCode::OK {
                break response;
            }
        }
    };
    let noticed = tokio::time::timeout(2 * PROMISED, until_it_is_noticed).await;
    let response = noticed.unwrap_or_else(|_| panic!("{path} as {accept} is answered still"));
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path} as {accept}");
    assert!(response.headers().contains_key(header::RETRY_AFTER), "{path} as {accept}");
    // Nobody loses who they are.
    assert!(!response.headers().contains_key(header::SET_COOKIE), "{path} as {accept}");
}

async fn pages_say_so_and_come_back_by_themselves(away: Away) {
    let mut stage = Stage::new().await;
    let mut tea = Tea::on(&stage).await;
    let (room, chats) = (format!("/room/{}", tea.room), format!("/room/{}/chat", tea.room));

    away.goes(&mut stage);
    for accept in ["text/html", "application/json"] {
        assert_unavailable(&tea.anna, Method::GET, "/", accept).await;
        assert_unavailable(&tea.anna, Method::GET, &room, accept).await;
    }
    assert_unavailable(&tea.anna, Method::GET, &chats, "application/json").await;
    assert_unavailable(&tea.anna, Method::POST, &chats, "application/json").await;
    let stranger = Browser::without_cookie(stage.server.address);
    assert_unavailable(&stranger, Method::GET, "/", "text/html").await;
    let ready = with_deadline(tea.anna.get("/readyz")).await.status();
    assert_eq!(ready, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(tea.anna.get("/healthz").await.status(), StatusCode::OK);

    away.comes_back(&mut stage).await;
    stage.wait_until_ready(&tea.anna).await;
    assert_eq!(tea.anna.get(&room).await.status(), StatusCode::OK);
    assert_eq!(tea.anna.listed(&tea.room).await.unwrap()["count"], 2);
    let chat = tea.say("back").await.unwrap();
    tea.assert_once(&chat).await;
    tea.assert_heard(&chat).await;
}

#[tokio::test]
async fn pages_say_that_the_database_is_gone_and_come_back_by_themselves() {
    pages_say_so_and_come_back_by_themselves(Away::Killed).await;
}

#[tokio::test]
async fn pages_say_that_the_database_hangs_and_come_back_by_themselves() {
    pages_say_so_and_come_back_by_themselves(Away::Paused).await;
}

#[tokio::test]
async fn a_server_that_starts_before_its_database_says_so_and_comes_alive_by_itself() {
    let mut mongo = OwnServer::start().await;
    mongo.kill();
    let uri = mongo.uri();
    let server = Process::start(Home::new(Backend::Mongo, &[("MONGODB_URI", &uri)])).await;
    let anna = Browser::without_cookie(server.address);
    for (path, accept) in [("/", "text/html"), ("/room", "text/html"), ("/", "application/json")] {
        assert_unavailable(&anna, Method::GET, path, accept).await;
    }
    let ready = with_deadline(anna.get("/readyz")).await.status();
    assert_eq!(ready, StatusCode::SERVICE_UNAVAILABLE);

    mongo.restart().await;
    until("the server to be ready", async || anna.get("/readyz").await.status() == 200).await;

    assert!(server.log().iter().any(|line| line.contains("the database answers")));
    let anna = server.browser().await;
    let room = anna.create_room("tea", 2).await;
    let (mut annas, _) = anna.enter(&room).await;
    annas.say("hello").await;
    // It has prepared the database as at any other start.
    let client = mongodb::Client::with_uri_str(&uri).await.unwrap();
    let indexes = client.database("huechat").collection::<Document>("sessions");
    let names = indexes.list_index_names().await.unwrap();
    assert!(names.contains(&"ended".to_owned()), "{names:?}");
}

async fn what_was_said_meanwhile_is_stored_once(away: Away) {
    let mut stage = Stage::new().await;
    let mut tea = Tea::on(&stage).await;
    let before = tea.say("before").await.unwrap();

    away.goes(&mut stage);
    assert_eq!(tea.say("meanwhile").await.unwrap_err(), "unavailable");
    away.comes_back(&mut stage).await;
    let meanwhile = tea.say_until_stored("meanwhile").await;
    let after = tea.say("after").await.unwrap();

    for chat in [before, meanwhile, after] {
        tea.assert_once(&chat).await;
    }
}

#[tokio::test]
async fn what_is_said_while_the_database_is_gone_is_stored_once() {
    what_was_said_meanwhile_is_stored_once(Away::Killed).await;
}

#[tokio::test]
async fn what_is_said_while_the_database_hangs_is_stored_once() {
    what_was_said_meanwhile_is_stored_once(Away::Paused).await;
}

#[tokio::test]
async fn what_is_said_while_there_is_no_primary_is_stored_once() {
    let stage = Stage::new().await;
    let mut tea = Tea::on(&stage).await;

    stage.step_down().await;
    assert_eq!(tea.say("meanwhile").await.unwrap_err(), "unavailable");
    let ready = with_deadline(tea.anna.get("/readyz")).await.status();
    let meanwhile = tea.say_until_stored("meanwhile").await;

    assert_eq!(ready, StatusCode::SERVICE_UNAVAILABLE);
    stage.wait_until_ready(&tea.anna).await;
    tea.assert_once(&meanwhile).await;
    tea.assert_heard(&meanwhile).await;
}

#[tokio::test]
async fn a_stranger_whose_session_cannot_be_kept_is_told_to_come_back() {
    let stage = Stage::new().await;
    let stranger = Browser::without_cookie(stage.server.address);

    for write in ["insert", "update"] {
        stage.fail(&[write], always(), refused(112)).await;
        assert_unavailable(&stranger, Method::GET, "/", "text/html").await;
        stage.heal().await;
    }

    assert_eq!(stranger.get("/").await.status(), StatusCode::OK);
}

/// MongoDB's code for a disk that is full.
const OUT_OF_DISK_SPACE: i32 = 14_031;

#[tokio::test]
async fn a_database_that_answers_and_keeps_nothing_is_not_ready() {
    let stage = Stage::new().await;
    let browser = stage.server.browser().await;
    stage.wait_until_ready(&browser).await;

    stage.fail(&["update"], always(), refused(OUT_OF_DISK_SPACE)).await;

    until("the server to say so", || async { browser.get("/readyz").await.status() == 503 }).await;
    stage.heal().await;
    stage.wait_until_ready(&browser).await;
}
