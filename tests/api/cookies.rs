//! Cookies that somebody else has made, or put beside the right one.

use reqwest::header;
use serde_json::json;

use crate::{
    common::{Backend, Browser, Server},
    on_both_stores,
};

on_both_stores!(
    a_cookie_that_nobody_was_given_begins_a_session_of_another_name,
    of_two_cookies_one_counts_and_makes_nobody_a_third,
    over_https_a_siblings_cookie_counts_for_nothing,
    whoever_logs_out_leaves_nothing_to_come_back_with,
);

fn with_cookie(server: &Server, cookie: &str) -> Browser {
    let mut browser = Browser::without_cookie(server.address);
    browser.cookie = Some(cookie.to_owned());
    browser
}

/// Whom a server takes somebody with this cookie for: a room that they make is theirs.
async fn taken_for(server: &Server, cookie: &str) -> String {
    let form = json!({ "title": "whose", "max": 2 });
    let (status, room) = with_cookie(server, cookie).post_json("/room", &form).await;
    assert_eq!(status, 201, "{room}");
    room["owner"]["id"].as_str().unwrap().to_owned()
}

/// Session fixation: whoever names a session before it begins does not get it.
async fn a_cookie_that_nobody_was_given_begins_a_session_of_another_name(on: Backend) {
    let server = on.server().await;
    let real = server.browser().await.cookie.unwrap();
    let id = real.rsplit('=').next().unwrap();
    let signature = &real["huechat.sid=".len()..real.len() - id.len()];
    for made_up in [
        "huechat.sid=AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        format!("huechat.sid={signature}AAAAAAAAAAAAAAAAAAAAAA"),
        format!("huechat.sid={id}"),
    ] {
        let answer = with_cookie(&server, &made_up).get("/").await;
        let given = answer.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
        let given = given.split(';').next().unwrap();
        let id = |cookie: &str| cookie.rsplit('=').next().unwrap().to_owned();
        assert_ne!(id(given), id(&made_up), "{made_up}");
        let refused = with_cookie(&server, &made_up).try_enter(json!({ "room": "x" })).await.err();
        assert_eq!(refused.as_deref(), Some("unauthorized"), "{made_up}");
    }
}

/// Cookie tossing: a sibling of the host can put its own cookie beside ours.
async fn of_two_cookies_one_counts_and_makes_nobody_a_third(on: Backend) {
    let server = on.server().await;
    let (annas, evils) =
        (server.browser().await.cookie.unwrap(), server.browser().await.cookie.unwrap());
    let (anna, evil) = (taken_for(&server, &annas).await, taken_for(&server, &evils).await);
    assert_ne!(anna, evil);
    for both in [format!("{annas}; {evils}"), format!("{evils}; {annas}")] {
        let who = taken_for(&server, &both).await;
        assert!([&anna, &evil].contains(&&who), "{both}");
        // Whoever they are taken for, it is the same one on every way in.
        let browser = with_cookie(&server, &both);
        let room = browser.create_room("tea", 2).await;
        assert_eq!(browser.enter(&room).await.1["you"]["id"], who.as_str());
    }
}

async fn over_https_a_siblings_cookie_counts_for_nothing(on: Backend) {
    let server = on.server_with(&[("PUBLIC_URL", "https://chat.example")]).await;
    let annas = server.browser().await.cookie.unwrap();
    let evils = server.browser().await.cookie.unwrap();
    let anna = taken_for(&server, &annas).await;
    // The prefix is what browsers keep a sibling from setting; without it a cookie is none of ours.
    let tossed = evils.trim_start_matches("__Host-").to_owned();
    assert_ne!(tossed, evils);
    for both in [format!("{annas}; {tossed}"), format!("{tossed}; {annas}")] {
        assert_eq!(taken_for(&server, &both).await, anna, "{both}");
    }
    let refused = with_cookie(&server, &tossed).try_enter(json!({ "room": "x" })).await.err();
    assert_eq!(refused.as_deref(), Some("unauthorized"));
}

async fn whoever_logs_out_leaves_nothing_to_come_back_with(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let cookie = anna.cookie.clone().unwrap();
    let before = taken_for(&server, &cookie).await;
    anna.post_json("/logout", &json!({})).await;
    let refused = with_cookie(&server, &cookie).try_enter(json!({ "room": "x" })).await.err();
    assert_eq!(refused.as_deref(), Some("unauthorized"));
    assert_ne!(taken_for(&server, &cookie).await, before);
}
