//! Every event and every request has a rate. The server refuses what exceeds it, without a call of the store.

use std::collections::BTreeMap;

use huechat::{
    protocol::{CHAT, LOBBY, client_events},
    web::{operation::Limit, operations},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    common::{
        Backend, Browser, Socket,
        server::{Home, Process},
        socket::Heard,
        soon, until,
    },
    on_both_stores,
};

on_both_stores!(
    every_event_is_refused_when_it_comes_too_often,
    every_route_is_refused_when_it_is_asked_too_often,
    whoever_does_not_wait_is_disconnected_and_takes_no_memory,
    a_line_that_anybody_can_cause_is_logged_a_few_times,
);

/// More than any class of events lets through at once.
const FLOOD: usize = 450;

/// Sends an event very often, and counts the answers by their code.
async fn flood(socket: &mut Socket, event: &str) -> BTreeMap<String, usize> {
    let mut asked = Vec::new();
    for _ in 0..FLOOD {
        // Data that makes sense for no event: what counts is that it was sent.
        match socket.try_ask_now(event, json!({ "id": "aaaaaaaaaaaa", "seq": 1 })).await {
            Ok(id) => asked.push(id),
            Err(_) => break, // It has ended the connection.
        }
    }
    let mut answers = BTreeMap::new();
    for id in asked {
        let Some(answer) = socket.answer(id).await else { break };
        let code = answer["error"]["code"].as_str().unwrap_or("ok").to_owned();
        *answers.entry(code).or_default() += 1;
    }
    answers
}

async fn every_event_is_refused_when_it_comes_too_often(on: Backend) {
    let server = Process::start(Home::new(on, &[("RATE_EVENTS", "300/600")])).await;
    for event in client_events::all() {
        // Typing is not acknowledged; `rates::typing_that_comes_too_often_is_not_passed_on` has it.
        if event.answer.is_none() {
            continue;
        }
        for namespace in event.namespaces {
            let browser = server.browser().await;
            let room = browser.create_room("tea", 2).await;
            let mut socket = match *namespace {
                LOBBY => browser.lobby().await,
                namespace => {
                    assert_eq!(namespace, CHAT);
                    browser.enter(&room).await.0
                }
            };
            let answers = flood(&mut socket, event.name).await;
            // Who leaves is gone with the first.
            let refused = answers.get("slow_down").copied().unwrap_or_default();
            assert!(refused >= 100 || event.name == "exit", "{} {answers:?}", event.name);
        }
    }
}

async fn every_route_is_refused_when_it_is_asked_too_often(on: Backend) {
    let rates = [("RATE_REQUESTS", "5/600"), ("RATE_HANDSHAKES", "5/600")];
    let server = Process::start(Home::new(on, &rates)).await;
    let browser = Browser::without_cookie(server.address);
    // Visitors of unknown networks share ten times the rate.
    for _ in 0..50 {
        browser.get("/nowhere").await;
        browser.get("/gateway").await;
    }
    for operation in operations::ALL {
        let answer = browser.operation(operation).send().await.unwrap();
        let what = format!("{} {}", operation.method, operation.path);
        let is_refused = answer.status() == StatusCode::TOO_MANY_REQUESTS;
        match operation.limit {
            Limit::Requests | Limit::Handshakes => {
                assert!(is_refused, "{what}: {}", answer.status());
                assert!(answer.headers().contains_key("retry-after"), "{what}");
            }
            Limit::Unlimited(reason) => assert!(!is_refused, "{what}, although {reason}"),
        }
    }
}

async fn whoever_does_not_wait_is_disconnected_and_takes_no_memory(on: Backend) {
    let server = Process::start(Home::new(on, &[("RATE_EVENTS", "300/600")])).await;
    let mut lobby = server.browser().await.lobby().await;
    let before = server.memory("VmRSS");

    let mut sent = 0;
    while sent < 200_000 {
        let theme = json!({ "theme": "dark" });
        if lobby.try_ask_now("reader:put", theme).await.is_err() {
            break;
        }
        sent += 1;
    }
    while let Some(heard) = soon("the end", lobby.hear()).await {
        assert!(matches!(heard, Heard::Answer(..) | Heard::Event(..)));
    }

    let grown = server.memory("VmRSS").saturating_sub(before);
    assert!(grown < 32 << 20, "{grown} bytes after {sent} events");
    // Others are served as before.
    let ben = server.browser().await;
    let room = ben.create_room("tea", 2).await;
    let (mut bens, _) = ben.enter(&room).await;
    let said: Value = bens.say("hello").await;
    assert_eq!(said["chat"], "hello");
}

async fn a_line_that_anybody_can_cause_is_logged_a_few_times(on: Backend) {
    let server = Process::start(Home::new(on, &[])).await;
    let mut lobby = server.browser().await.lobby().await;
    // It reads nothing, and so the answers fill every buffer on the way.
    for _ in 0..150_000 {
        if lobby.try_send_frame("40/nowhere,{}".to_owned()).await.is_err() {
            break;
        }
    }

    let lines = || server.log().iter().filter(|line| line.contains("invalid namespace")).count();
    until("the log to say so", async || lines() > 0).await;
    lobby.vanish();
    server.browser().await;
    assert!(lines() < 50, "{}", lines());
}
