//! A session's end reaches its sockets and its bots within a second, wherever and whenever it ends.

use std::time::{Duration, Instant};

use mongodb::bson::{Document, doc};
use reqwest::Method;
use rusqlite::Connection;

use crate::{
    common::{Backend, Bot, Browser, Server, Socket, server::Home},
    on_both_stores,
};

on_both_stores!(
    a_session_that_is_deleted_in_the_store_has_ended_within_a_second,
    a_session_that_ends_on_this_server_is_told_at_once,
    a_token_that_is_revoked_on_this_server_is_told_at_once,
);

/// What the contract promises.
const PROMISED: Duration = Duration::from_secs(1);
/// Tries, each in another moment of the server's cycle.
const TRIES: u32 = 12;

/// Past the server, as an admin does.
async fn delete_every_session(home: &Home) {
    let Some(uri) = home.mongodb_uri() else {
        let database = Connection::open(home.data().join("huechat.sqlite3")).unwrap();
        database.execute("DELETE FROM sessions", []).unwrap();
        return;
    };
    let client = mongodb::Client::with_uri_str(uri).await.unwrap();
    let sessions = client.default_database().unwrap().collection::<Document>("sessions");
    sessions.delete_many(doc! {}).await.unwrap();
}

/// Somebody in the lobby, and their bot.
async fn visitor_with_bot(server: &Server) -> (Browser, Socket, Bot) {
    let visitor = server.browser().await;
    let token = visitor.make_token().await;
    let (bot, _) = Bot::with_token(server.address, &token).await;
    let lobby = visitor.lobby().await;
    (visitor, lobby, bot)
}

/// How long it takes until the socket and the bot are disconnected.
async fn until_disconnected(lobby: &mut Socket, bot: &mut Bot) -> [Duration; 2] {
    let since = Instant::now();
    let socket = async {
        let (event, error) = lobby.events_until_the_end().await.pop().unwrap();
        assert_eq!((event.as_str(), error["code"].as_str()), ("error", Some("unauthorized")));
        since.elapsed()
    };
    let bot = async {
        assert_eq!(bot.until_closed().await.1, 4004);
        since.elapsed()
    };
    tokio::join!(socket, bot).into()
}

async fn a_session_that_is_deleted_in_the_store_has_ended_within_a_second(on: Backend) {
    let server = on.server().await;
    let mut took = Vec::new();
    for _ in 0..TRIES {
        let (_, mut lobby, mut bot) = visitor_with_bot(&server).await;
        delete_every_session(&server.home).await;
        took.extend(until_disconnected(&mut lobby, &mut bot).await);
    }
    assert!(took.iter().all(|took| *took < PROMISED), "{took:?}");
}

/// The server would need half of its cycle on average, if it looked for ended sessions only.
async fn a_session_that_ends_on_this_server_is_told_at_once(on: Backend) {
    let server = on.server().await;
    let mut took = Duration::ZERO;
    for _ in 0..TRIES {
        let (visitor, mut lobby, mut bot) = visitor_with_bot(&server).await;
        visitor.post_form("/logout", &[]).await;
        took += until_disconnected(&mut lobby, &mut bot).await.into_iter().max().unwrap();
    }
    assert!(took < TRIES * PROMISED / 10, "{took:?} for {TRIES}");
}

async fn a_token_that_is_revoked_on_this_server_is_told_at_once(on: Backend) {
    let server = on.server().await;
    let mut took = Duration::ZERO;
    for _ in 0..TRIES {
        let (visitor, mut lobby, mut bot) = visitor_with_bot(&server).await;
        visitor.request(Method::DELETE, "/token").send().await.unwrap();
        let since = Instant::now();
        assert_eq!(bot.until_closed().await.1, 4004);
        took += since.elapsed();
        lobby.ask("room:get", serde_json::json!({})).await;
        assert!(!lobby.ended, "the session itself lives");
    }
    assert!(took < TRIES * PROMISED / 10, "{took:?} for {TRIES}");
}
