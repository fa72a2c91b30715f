//! Reports: they reach whoever runs the server, with what they are about.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    common::{
        Backend, Browser,
        server::{Home, Process},
        until,
    },
    on_both_stores,
};

on_both_stores!(a_report_reaches_the_log_with_what_it_is_about, what_is_no_report_is_refused);

async fn a_report_reaches_the_log_with_what_it_is_about(on: Backend) {
    let server = Process::start(Home::new(on, &[])).await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 3).await;
    let (mut annas, _) = anna.enter(&room).await;
    let (_bens, welcome) = ben.enter(&room).await;
    let first = annas.say("first\nERROR made up").await;
    annas.say("second").await;
    let annas_id = first["user"]["id"].as_str().unwrap();
    let path = format!("/room/{room}/report");
    for (about, held, not_held) in [
        (
            json!({ "seq": first["seq"], "why": "rude\nas well" }),
            vec!["first\\nERROR", "rude\\nas"],
            "second",
        ),
        (json!({ "person": annas_id }), vec!["first\\n", "second", annas_id], "joined"),
        (json!({}), vec!["first\\n", "second", "joined", "tea"], "rude"),
    ] {
        let before = server.log().len();
        let (status, _) = ben.post_json(&path, &about).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{about}");
        let reported =
            || server.log().into_iter().skip(before).find(|line| line.contains("huechat::report"));
        until("the log", || async { reported().is_some() }).await;
        let line = reported().unwrap();
        let by = welcome["you"]["id"].as_str().unwrap();
        for words in held.into_iter().chain([room.as_str(), by]) {
            assert!(line.contains(words), "{words}: {line}");
        }
        assert!(!line.contains(not_held), "{not_held}: {line}");
    }
}

async fn what_is_no_report_is_refused(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 3).await;
    let _inside = anna.enter(&room).await;
    let refused = async |by: &Browser, about: Value| {
        let (status, answer) = by.post_json(&format!("/room/{room}/report"), &about).await;
        (status.as_u16(), answer["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    for (about, status, code) in [
        (json!({ "seq": 99 }), 404, "no_such_message"),
        (json!({ "seq": "one" }), 400, "malformed"),
        (json!({ "seq": i64::MAX }), 404, "no_such_message"),
        (json!({ "person": "nobody" }), 404, "not_here"),
        (json!({ "why": "x".repeat(501) }), 422, "invalid"),
        (json!([]), 400, "malformed"),
    ] {
        assert_eq!(refused(&anna, about.clone()).await, (status, code.to_owned()), "{about}");
    }
    assert_eq!(refused(&ben, json!({})).await, (403, "not_in_room".to_owned()));
}
