//! What a request meets that no route takes: JSON for programs, a page in the reader's language for people.

use huechat::web::operations;
use reqwest::{Method, StatusCode, header};
use serde_json::Value;

use crate::{
    common::{Backend, Browser},
    on_both_stores,
};

on_both_stores!(
    every_operation_is_served,
    an_address_that_does_not_exist_is_not_found_for_programs_and_for_people,
    a_method_that_an_address_does_not_take_is_refused_with_those_that_it_takes,
    an_address_that_cannot_be_read_is_refused_like_every_other_request,
    a_form_over_the_limit_is_too_large,
    what_is_no_handshake_is_refused_with_a_reason,
);

async fn every_operation_is_served(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    for operation in operations::ALL {
        let request = browser.operation(operation).header(header::ACCEPT, "application/json");
        let answer = request.send().await.unwrap();
        let (status, what) = (answer.status(), format!("{} {}", operation.method, operation.path));
        assert_ne!(status, StatusCode::METHOD_NOT_ALLOWED, "{what}");
        let error: Value = answer.json().await.unwrap_or_default();
        assert_ne!(error["error"]["code"], "not_found", "{what}");
        assert!(status != StatusCode::NOT_FOUND || error["error"]["code"].is_string(), "{what}");
    }
}

async fn as_program(browser: &Browser, method: Method, path: &str) -> (StatusCode, String, Value) {
    let request = browser.request(method, path).header(header::ACCEPT, "application/json");
    let answer = request.send().await.unwrap();
    let allow = answer.headers().get(header::ALLOW).map(|allow| allow.to_str().unwrap().to_owned());
    (answer.status(), allow.unwrap_or_default(), answer.json().await.unwrap_or_default())
}

/// The status and the words of a page for a reader of Korean.
async fn as_person(browser: &Browser, method: Method, path: &str) -> (StatusCode, String) {
    let request = browser
        .request(method, path)
        .header(header::ACCEPT, "text/html")
        .header("sec-fetch-site", "same-origin")
        .header(header::ACCEPT_LANGUAGE, "ko");
    let answer = request.send().await.unwrap();
    let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    assert!(kind.starts_with("text/html"), "{path}: {kind}");
    (answer.status(), answer.text().await.unwrap())
}

async fn an_address_that_does_not_exist_is_not_found_for_programs_and_for_people(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    for path in ["/nowhere", "/room/a/b/c", "/public/x/nothing.css", "/socket.io", "/rooms/"] {
        let (status, _, error) = as_program(&browser, Method::GET, path).await;
        assert_eq!(
            (status, error["error"]["code"].as_str()),
            (StatusCode::NOT_FOUND, Some("not_found")),
            "{path}"
        );
        assert!(error["error"]["message"].is_string(), "{path}");

        let (status, page) = as_person(&browser, Method::GET, path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.contains("아무것도 없어요"), "{path}: {page}");
    }
    let (status, _, error) = as_program(&browser, Method::DELETE, "/nowhere").await;
    assert_eq!(
        (status, error["error"]["code"].as_str()),
        (StatusCode::NOT_FOUND, Some("not_found"))
    );

    // A chosen language wins over the browser's.
    browser.post_form("/reader", &[("language", "en")]).await;
    let (_, page) = as_person(&browser, Method::GET, "/nowhere").await;
    assert!(page.contains("There is nothing here."), "{page}");
}

async fn a_method_that_an_address_does_not_take_is_refused_with_those_that_it_takes(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    for (method, path, taken) in [
        (Method::PUT, "/", "GET,HEAD"),
        (Method::DELETE, "/room", "GET,HEAD,POST"),
        (Method::POST, "/room/aaaaaaaaaaaaaaaa", "GET,HEAD,PATCH,DELETE"),
        (Method::PUT, "/room/aaaaaaaaaaaaaaaa/chat", "GET,HEAD,POST"),
        (Method::GET, "/logout", "POST"),
        (Method::POST, "/robots.txt", "GET,HEAD"),
        (Method::POST, "/healthz", "GET,HEAD"),
        (Method::POST, "/readyz", "GET,HEAD"),
        (Method::POST, "/gateway", "GET,HEAD"),
        (Method::PUT, "/socket.io/", "GET,HEAD,POST"),
    ] {
        let (status, allow, error) = as_program(&browser, method.clone(), path).await;
        let found = (status, error["error"]["code"].as_str());
        assert_eq!(
            found,
            (StatusCode::METHOD_NOT_ALLOWED, Some("method_not_allowed")),
            "{method} {path}"
        );
        assert_eq!(allow, taken, "{method} {path}");

        let (status, page) = as_person(&browser, method.clone(), path).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert!(page.contains("이 주소"), "{method} {path}: {page}");
    }
    // HEAD is GET without the content.
    let head = browser.request(Method::HEAD, "/room").send().await.unwrap();
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(head.text().await.unwrap(), "");
}

async fn an_address_that_cannot_be_read_is_refused_like_every_other_request(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    for path in
        ["/room/%ff", "/room/%ff/chat", "/gif/%ff/a.gif", "/?page=1&page=2", "/public/%ff/a.css"]
    {
        let (status, _, error) = as_program(&browser, Method::GET, path).await;
        let found = (status, error["error"]["code"].as_str());
        assert_eq!(found, (StatusCode::BAD_REQUEST, Some("malformed")), "{path}");
    }
}

async fn a_form_over_the_limit_is_too_large(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let title = "a".repeat(70_000);
    let request = browser.request(Method::POST, "/room").header(header::ACCEPT, "application/json");
    let answer = request.form(&[("title", title)]).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], "too_large");
}

async fn what_is_no_handshake_is_refused_with_a_reason(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let path = "/socket.io/?EIO=4&transport=websocket";
    let (status, _, error) = as_program(&browser, Method::GET, path).await;
    let found = (status, error["error"]["code"].as_str());
    assert_eq!(found, (StatusCode::BAD_REQUEST, Some("malformed")));
}
