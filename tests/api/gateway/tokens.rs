//! Making tokens, and taking them back.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    common::{Backend, Bot, Browser},
    on_both_stores,
};

on_both_stores!(
    a_token_is_shown_once,
    a_session_has_so_many_tokens,
    a_name_is_checked,
    tokens_are_made_so_often,
    all_tokens_are_revoked_together,
    a_page_does_all_of_it_without_scripts,
    a_token_is_nobody_elses_to_see_or_revoke,
    another_site_makes_no_token,
);

async fn list(browser: &Browser) -> Vec<Value> {
    let (status, list) = browser.get_json("/token").await;
    assert_eq!(status, StatusCode::OK);
    list["tokens"].as_array().unwrap().clone()
}

async fn a_token_is_shown_once(on: Backend) {
    let server = on.server_with(&[("TOKEN_DAYS", "2")]).await;
    let anna = server.browser().await;
    assert_eq!(list(&anna).await, [] as [Value; 0]);

    let (status, made) = anna.post_json("/token", &json!({ "name": " dice\nbot " })).await;
    let (_, unnamed) = anna.post_json("/token", &json!({})).await;

    assert_eq!(status, StatusCode::CREATED);
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with("huechat_") && token.len() == 51, "{token}");
    let kept = list(&anna).await;
    assert_eq!(kept.len(), 2);
    assert_eq!((&kept[0]["id"], &kept[0]["name"]), (&made["id"], &json!("dice bot")));
    assert_eq!(unnamed["name"], "bot");
    assert!(kept[0]["expiresAt"].as_str() > kept[0]["createdAt"].as_str());
    assert!(!json!(kept).to_string().contains(token));
    let page = anna.get("/token").await;
    assert_eq!(page.headers()[header::CACHE_CONTROL], "no-store");
    assert!(!page.text().await.unwrap().contains(token));
    Bot::with_token(server.address, token).await;
}

async fn a_session_has_so_many_tokens(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    for _ in 0..10 {
        anna.make_token().await;
    }

    let (status, error) = anna.post_json("/token", &json!({})).await;
    ben.make_token().await;

    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(error["error"]["code"], "too_many_tokens");
    let id = list(&anna).await[3]["id"].as_str().unwrap().to_owned();
    anna.request(Method::DELETE, &format!("/token/{id}")).send().await.unwrap();
    anna.make_token().await;
}

async fn a_name_is_checked(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;

    let (longest, _) = anna.post_json("/token", &json!({ "name": "👩‍🚀".repeat(30) })).await;
    let (status, error) = anna.post_json("/token", &json!({ "name": "x".repeat(31) })).await;
    let (malformed, _) = anna.post_json("/token", &json!({ "name": 7 })).await;

    assert_eq!(longest, StatusCode::CREATED);
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(error["error"]["fields"], json!({ "name": "name_too_long" }));
    assert_eq!(malformed, StatusCode::BAD_REQUEST);
    assert_eq!(list(&anna).await.len(), 1);
}

async fn tokens_are_made_so_often(on: Backend) {
    let server = on.server_with(&[("RATE_TOKENS", "1/60")]).await;
    let anna = server.browser().await;
    anna.make_token().await;

    let (status, error) = anna.post_json("/token", &json!({})).await;

    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(error["error"]["code"], "slow_down");
}

async fn all_tokens_are_revoked_together(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let (one, two) = (anna.make_token().await, anna.make_token().await);
    ben.make_token().await;
    let (mut first, _) = Bot::with_token(server.address, &one).await;
    let (mut second, _) = Bot::with_token(server.address, &two).await;

    for _ in 0..2 {
        let revoke = anna.request(Method::DELETE, "/token");
        let revoke = revoke.header(header::ACCEPT, "application/json").send().await.unwrap();
        assert_eq!(revoke.status(), StatusCode::NO_CONTENT);
    }

    assert_eq!(first.until_closed().await.1, 4004);
    assert_eq!(second.until_closed().await.1, 4004);
    assert_eq!((list(&anna).await.len(), list(&ben).await.len()), (0, 1));
}

async fn a_page_does_all_of_it_without_scripts(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let empty = anna.get("/token").await.text().await.unwrap();
    assert!(empty.contains("You have none yet."), "{empty}");

    let made = anna.post_form("/token", &[("name", "<dice>")]).await;
    let wrong = anna.post_form("/token", &[("name", &"x".repeat(31))]).await;

    assert_eq!(made.status(), StatusCode::CREATED);
    let page = made.text().await.unwrap();
    assert!(page.contains("huechat_") && page.contains("&#60;dice&#62;"), "{page}");
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = wrong.text().await.unwrap();
    assert!(page.contains("at 30") || page.contains("to 30 characters"), "{page}");
    assert!(page.contains("aria-invalid"), "{page}");
    let id = list(&anna).await[0]["id"].as_str().unwrap().to_owned();
    let revoked = anna.post_form(&format!("/token/{id}/revoke"), &[]).await;
    assert_eq!(
        (revoked.status(), &revoked.headers()[header::LOCATION]),
        (StatusCode::SEE_OTHER, &"/token".parse().unwrap())
    );
    assert!(list(&anna).await.is_empty());
}

async fn a_token_is_nobody_elses_to_see_or_revoke(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let token = anna.make_token().await;
    let id = list(&anna).await[0]["id"].as_str().unwrap().to_owned();

    for path in [format!("/token/{id}"), "/token".to_owned(), "/token/nonsense".to_owned()] {
        let revoke = ben.request(Method::DELETE, &path);
        let revoke = revoke.header(header::ACCEPT, "application/json").send().await.unwrap();
        assert_eq!(revoke.status(), StatusCode::NO_CONTENT);
    }

    assert!(list(&ben).await.is_empty());
    Bot::with_token(server.address, &token).await;
}

async fn another_site_makes_no_token(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;

    let request = anna.request(Method::POST, "/token").header("origin", "https://evil.example");
    let answer = request.json(&json!({})).send().await.unwrap();

    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(list(&anna).await.is_empty());
}
