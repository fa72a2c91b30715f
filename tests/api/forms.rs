//! Forms of pages, and browsers that do not say from where they send one.

use reqwest::{Method, Response, StatusCode, header};
use serde_json::Value;

use crate::{
    common::{Backend, Browser},
    on_both_stores,
};

on_both_stores!(
    an_old_browser_has_to_show_that_a_form_is_ours,
    an_old_browser_sends_no_form_of_any_kind_for_another_site,
    a_form_of_before_is_taken_from_whoever_says_where_they_are,
    a_program_needs_no_token_and_shows_no_wrong_one,
    whoever_has_no_session_has_nothing_to_misuse,
    every_form_of_a_page_carries_a_token,
);

/// As every browser asks when a form is sent.
const A_PAGE: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn tokens(page: &str) -> Vec<String> {
    let field = "name=\"csrf_token\" value=\"";
    let rest = page.split(field).skip(1);
    rest.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

async fn token(browser: &Browser) -> String {
    let page = browser.get("/room").await.text().await.unwrap();
    tokens(&page).pop().expect("a token in the form for a new room")
}

async fn open_room(
    browser: &Browser,
    accept: &str,
    token: Option<&str>,
    origin: Option<&str>,
) -> Response {
    let mut request = browser.request(Method::POST, "/room").header(header::ACCEPT, accept);
    if let Some(origin) = origin {
        request = request.header(header::ORIGIN, origin);
    }
    let mut form = vec![("title", "tea"), ("max", "2")];
    form.extend(token.map(|token| ("csrf_token", token)));
    request.form(&form).send().await.unwrap()
}

async fn rooms(browser: &Browser) -> usize {
    browser.get_json("/").await.1["rooms"].as_array().unwrap().len()
}

async fn an_old_browser_has_to_show_that_a_form_is_ours(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let of_before = token(&anna).await;
    let own = token(&anna).await;
    let of_somebody_else = token(&server.browser().await).await;
    let cut = &own[..own.len() - 4];
    for wrong in [None, Some(""), Some("wapiti"), Some(cut), Some(&of_somebody_else)] {
        let answer = open_room(&anna, A_PAGE, wrong, None).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{wrong:?}");
        let page = answer.text().await.unwrap();
        assert!(page.contains("another site") && page.contains("Open the page again"), "{page}");
    }
    assert_eq!(rooms(&anna).await, 0);
    // What only reads is none, whatever its headers are left over from.
    let left_over = anna.request(Method::GET, "/").header(header::ACCEPT, A_PAGE);
    let left_over = left_over.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    assert_eq!(left_over.send().await.unwrap().status(), StatusCode::OK);
    for (nth, right) in [own, of_before].iter().enumerate() {
        let answer = open_room(&anna, A_PAGE, Some(right), None).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert_eq!(rooms(&anna).await, nth + 1);
    }
}

async fn an_old_browser_sends_no_form_of_any_kind_for_another_site(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 2).await;
    let (_socket, welcome) = anna.enter(&room).await;
    for path in
        ["/logout", "/token/revoke", &format!("/room/{room}/chat"), &format!("/room/{room}/leave")]
    {
        for kind in
            ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"]
        {
            let request = anna.request(Method::POST, path).header(header::ACCEPT, A_PAGE);
            let request = request.header(header::CONTENT_TYPE, kind).body("chat=hello");
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path} as {kind}");
        }
    }
    let (_other_tab, again) = anna.enter(&room).await;
    assert_eq!(again["you"], welcome["you"]);
    assert_eq!(again["chats"], welcome["chats"]);
}

async fn a_form_of_before_is_taken_from_whoever_says_where_they_are(on: Backend) {
    let server = on.server().await;
    let of_before = token(&server.browser().await).await;
    let anna = server.browser().await;
    let here = format!("http://{}", server.address);

    let answer = open_room(&anna, A_PAGE, Some(&of_before), Some(&here)).await;

    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
}

async fn a_program_needs_no_token_and_shows_no_wrong_one(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    for (accept, status) in
        [("*/*", StatusCode::SEE_OTHER), ("application/json", StatusCode::CREATED)]
    {
        assert_eq!(open_room(&anna, accept, None, None).await.status(), status);
    }
    let refused = open_room(&anna, "application/json", Some("wapiti"), None).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let said: Value = refused.json().await.unwrap();
    assert_eq!(said["error"]["code"], "foreign_origin");
}

async fn whoever_has_no_session_has_nothing_to_misuse(on: Backend) {
    let server = on.server().await;
    let stranger = Browser::without_cookie(server.address);

    let answer = open_room(&stranger, A_PAGE, None, None).await;

    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
}

async fn every_form_of_a_page_carries_a_token(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 2).await;
    for name in ["dice", "weather"] {
        assert_eq!(anna.post_form("/token", &[("name", name)]).await.status(), StatusCode::CREATED);
    }
    let mut seen = Vec::new();
    for path in ["/", "/room", "/token", &format!("/room/{room}")] {
        let page = anna.get(path).await.text().await.unwrap();
        let forms = page.matches("method=\"post\"").count();
        let found = tokens(&page);
        assert_eq!((found.len(), forms > 0), (forms, true), "{path}");
        assert!(found.iter().all(|token| token.len() == 64), "{path}: {found:?}");
        seen.extend(found.first().cloned());
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 4, "each page has a token of its own");
}
