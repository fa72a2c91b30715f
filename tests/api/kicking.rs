//! Whoever is kicked stays out, with another cookie, too; and what cannot be done to a room is refused, however often
//! it is asked for.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    common::{
        BEHIND_A_PROXY, Backend, Browser, Server, Socket, WITHOUT_A_PROXY,
        server::{Home, Process},
    },
    on_both_stores,
};

on_both_stores!(
    a_kick_shuts_out_the_network_too,
    a_kick_shuts_out_nobody_else_where_that_is_not_wanted,
    only_who_is_trusted_says_whom_it_speaks_for,
    a_kick_shuts_out_nobody_else_where_visitors_share_an_address,
    a_proxy_and_a_setting_that_do_not_fit_are_named_once,
    a_thousand_calls_in_a_second_are_answered_and_most_refused,
    of_a_kick_and_an_end_at_the_same_moment_nothing_is_half_done,
);

/// Somebody behind a proxy on this machine, at this address.
struct From<'a> {
    browser: Browser,
    address: &'a str,
}

impl<'a> From<'a> {
    async fn at(server: &Server, address: &'a str) -> Self {
        Self { browser: server.browser().await, address }
    }

    async fn door(&self, room: &str) -> (StatusCode, Value) {
        let request = self.browser.request(Method::GET, &format!("/room/{room}"));
        let request = request.header(header::ACCEPT, "application/json");
        let answer = request.header("X-Forwarded-For", self.address).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn enter(&self, room: &str) -> Result<Socket, String> {
        let cookie = self.browser.cookie.as_deref().unwrap();
        let headers = [("cookie", cookie), ("x-forwarded-for", self.address)];
        let auth = json!({ "room": room });
        Socket::connect_with(self.browser.address, &headers, "/chat", auth).await
    }
}

async fn id_in(socket: &mut Socket) -> Value {
    socket.wait_for("welcome").await["you"]["id"].clone()
}

async fn a_kick_shuts_out_the_network_too(on: Backend) {
    let server = on.server_with(&[BEHIND_A_PROXY]).await;
    let owner = From::at(&server, "198.51.100.1").await;
    let room = owner.browser.create_room("tea", 5).await;
    let mut owners = owner.enter(&room).await.unwrap();
    let ben = From::at(&server, "2001:db8:7:7::1").await;
    let mut bens = ben.enter(&room).await.unwrap();
    let bens_id = id_in(&mut bens).await;
    let sister = From::at(&server, "2001:db8:7:7::2").await;
    let _sisters = sister.enter(&room).await.unwrap();

    assert_eq!(owners.ask("person:kick", json!({ "id": bens_id })).await["ok"], true);

    assert_eq!(ben.door(&room).await.1["error"]["code"], "kicked");
    let again = From::at(&server, "2001:db8:7:7:ffff::9").await;
    assert_eq!(again.door(&room).await.0, StatusCode::FORBIDDEN);
    assert_eq!(again.enter(&room).await.err().as_deref(), Some("kicked"));
    let history = again.browser.request(Method::GET, &format!("/room/{room}/chat"));
    let history = history.header("X-Forwarded-For", again.address).send().await.unwrap();
    assert_eq!(history.status(), StatusCode::FORBIDDEN);
    assert_eq!(sister.door(&room).await.0, StatusCode::OK, "whoever is there stays");
    sister.enter(&room).await.unwrap();
    let neighbour = From::at(&server, "2001:db8:7:8::1").await;
    neighbour.enter(&room).await.unwrap();
    let elsewhere = owner.browser.create_room("coffee", 5).await;
    again.enter(&elsewhere).await.unwrap();
}

async fn a_kick_shuts_out_nobody_else_where_that_is_not_wanted(on: Backend) {
    let server = on.server_with(&[BEHIND_A_PROXY, ("KICK_NETWORKS", "off")]).await;
    let owner = From::at(&server, "198.51.100.1").await;
    let room = owner.browser.create_room("tea", 5).await;
    let mut owners = owner.enter(&room).await.unwrap();
    let ben = From::at(&server, "192.0.2.1").await;
    let mut bens = ben.enter(&room).await.unwrap();
    let bens_id = id_in(&mut bens).await;

    assert_eq!(owners.ask("person:kick", json!({ "id": bens_id })).await["ok"], true);

    assert_eq!(ben.enter(&room).await.err().as_deref(), Some("kicked"));
    From::at(&server, "192.0.2.1").await.enter(&room).await.unwrap();
}

async fn only_who_is_trusted_says_whom_it_speaks_for(on: Backend) {
    let server = on.server_with(&[WITHOUT_A_PROXY]).await;
    let owner = server.browser().await;
    let room = owner.create_room("tea", 5).await;
    let (mut owners, _) = owner.enter(&room).await;
    let ben = From::at(&server, "192.0.2.1").await;
    let mut bens = ben.enter(&room).await.unwrap();
    let bens_id = id_in(&mut bens).await;

    assert_eq!(owners.ask("person:kick", json!({ "id": bens_id })).await["ok"], true);

    let elsewhere = From::at(&server, "192.0.2.2").await;
    assert_eq!(elsewhere.enter(&room).await.err().as_deref(), Some("kicked"));
}

/// By default no proxy is trusted, and this machine may be one.
async fn a_kick_shuts_out_nobody_else_where_visitors_share_an_address(on: Backend) {
    for settings in [&[][..], &[BEHIND_A_PROXY]] {
        let server = on.server_with(settings).await;
        let (owner, ben) = (server.browser().await, server.browser().await);
        let room = owner.create_room("tea", 5).await;
        let (mut owners, _) = owner.enter(&room).await;
        let (_bens, welcome) = ben.enter(&room).await;

        let kick = json!({ "id": welcome["you"]["id"] });
        assert_eq!(owners.ask("person:kick", kick).await["ok"], true);

        let refused = ben.try_enter(json!({ "room": room })).await.err();
        assert_eq!(refused.as_deref(), Some("kicked"));
        // Somebody else behind the same proxy, which says nothing about either.
        server.browser().await.enter(&room).await;
        // What a stranger claims counts for nothing, without the setting.
        if settings.is_empty() {
            From::at(&server, "192.0.2.1").await.enter(&room).await.unwrap();
        }
    }
}

async fn a_proxy_and_a_setting_that_do_not_fit_are_named_once(on: Backend) {
    for (setting, address, missing) in [
        (("TRUSTED_PROXIES", "none"), "192.0.2.1", "TRUSTED_PROXIES does not name"),
        (BEHIND_A_PROXY, "", "no header X-Forwarded-For"),
    ] {
        let server = Process::start(Home::new(on, &[setting])).await;
        server.browser().await.get("/readyz").await;
        for _ in 0..3 {
            let request = server.browser().await.request(Method::GET, "/");
            let request = match address {
                "" => request,
                address => request.header("X-Forwarded-For", address),
            };
            assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
        }
        let log = server.log();
        let warnings: Vec<_> = log.iter().filter(|line| line.contains(missing)).collect();
        assert_eq!(warnings.len(), 1, "{log:?}");
        assert!(warnings[0].contains("127.0.0.1"), "{warnings:?}");
    }
}

async fn a_thousand_calls_in_a_second_are_answered_and_most_refused(on: Backend) {
    let rates = [("RATE_ITEMS", "30/60"), ("RATE_READS", "200/60")];
    let server = on.server_with(&rates).await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 5).await;
    let (mut annas, welcome) = anna.enter(&room).await;
    let (mut bens, _) = ben.enter(&room).await;

    let nobody = json!({ "id": "aaaaaaaaaaaa" });
    for (event, data, rate) in [
        ("chat:delete", json!({ "seq": 99 }), 30),
        ("person:kick", nobody.clone(), 0), // The rate is one for all of these.
        ("chat:get", json!({ "limit": 1 }), 200),
    ] {
        let mut asked = Vec::new();
        for _ in 0..1_000 {
            asked.push(annas.ask_now(event, data.clone()).await);
        }
        let mut answers: BTreeMap<String, usize> = BTreeMap::new();
        for asked in asked {
            let reply = annas.answer(asked).await.expect("the connection lives on");
            let code = reply["error"]["code"].as_str().unwrap_or("ok").to_owned();
            if code == "slow_down" {
                assert!(reply["error"]["retryAfterMs"].as_u64().unwrap() > 0, "{reply}");
            }
            *answers.entry(code).or_default() += 1;
        }
        let refused = answers.remove("slow_down").unwrap_or_default();
        let done: usize = answers.values().sum();
        assert_eq!(refused + done, 1_000);
        assert!((rate..=rate + 5).contains(&done), "{event}: {done} {answers:?}");
    }

    assert_eq!(bens.say("all is well").await["chat"], "all is well");
    while annas.wait_for("chat").await["chat"] != "all is well" {}
    assert_eq!(anna.listed(&room).await.unwrap()["owner"]["id"], welcome["you"]["id"]);
}

async fn of_a_kick_and_an_end_at_the_same_moment_nothing_is_half_done(on: Backend) {
    let server = on.server().await;
    for _ in 0..10 {
        let (anna, ben) = (server.browser().await, server.browser().await);
        let room = anna.create_room("tea", 5).await;
        let (mut annas, _) = anna.enter(&room).await;
        let (bens, welcome) = ben.enter(&room).await;
        let kick = annas.ask_now("person:kick", json!({ "id": welcome["you"]["id"] })).await;
        let path = format!("/room/{room}");
        let close = anna.request(Method::DELETE, &path).send();
        let (closed, kicked) = tokio::join!(close, annas.answer(kick));

        assert_eq!(closed.unwrap().status(), StatusCode::NO_CONTENT);
        if let Some(kicked) = kicked {
            let code = kicked["error"]["code"].as_str().unwrap_or("ok");
            assert!(["ok", "no_such_room", "not_here"].contains(&code), "{kicked}");
        }
        drop(bens);
        assert_eq!(anna.listed(&room).await, None);
        assert_eq!(ben.get_json(&path).await.0, StatusCode::NOT_FOUND);
    }
}
