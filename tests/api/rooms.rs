//! Rooms: made, listed, looked up.

use reqwest::{Method, StatusCode, header};
use serde_json::json;

use crate::{common::Backend, on_both_stores};

on_both_stores!(
    a_room_is_made_and_listed,
    a_form_redirects_to_the_new_room,
    wrong_fields_are_named_all_at_once,
    a_page_that_no_lobby_has_is_empty,
    what_is_optional_may_be_left_out_whole,
    a_body_over_the_bound_is_too_large,
    a_wrong_form_comes_back_with_what_was_filled_in,
    every_wrong_capacity_is_refused,
    a_title_of_sixty_emoji_is_fine_and_sixty_one_are_too_many,
    an_unknown_room_is_said_in_words_and_by_code,
    a_body_that_is_no_json_is_refused,
    the_lobby_finds_rooms_by_their_title,
    too_many_rooms_are_refused,
    too_many_rooms_of_one_person_are_slowed_down,
    the_lobby_hears_of_rooms_as_they_come_fill_and_go,
);

async fn a_room_is_made_and_listed(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;

    let request = browser.request(Method::POST, "/room").header(header::ACCEPT, "application/json");
    let response = request.json(&json!({ "title": " tea ", "max": 7 })).send().await.unwrap();

    assert_eq!(response.status(), StatusCode::CREATED);
    let location = response.headers()[header::LOCATION].to_str().unwrap().to_owned();
    let room: serde_json::Value = response.json().await.unwrap();
    assert_eq!(location, format!("/room/{}", room["id"].as_str().unwrap()));
    assert_eq!(room["title"], "tea");
    assert_eq!(
        (&room["max"], &room["count"], &room["locked"]),
        (&json!(7), &json!(0), &json!(false))
    );
    assert!(room.get("password").is_none());
    assert_eq!(browser.listed(room["id"].as_str().unwrap()).await, Some(room));
}

async fn a_form_redirects_to_the_new_room(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;

    let response =
        browser.post_form("/room", &[("title", "tea"), ("max", "5"), ("password", "")]).await;

    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let location = response.headers()[header::LOCATION].to_str().unwrap();
    assert_eq!(browser.get(location).await.status(), StatusCode::OK);
}

async fn what_is_optional_may_be_left_out_whole(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 5).await;
    let (mut inside, _) = anna.enter(&room).await;
    let mut lobby = anna.lobby().await;

    for (socket, frame) in
        [(&mut lobby, "42/room,7[\"room:get\"]"), (&mut inside, "42/chat,7[\"chat:get\"]")]
    {
        socket.send_frame(frame.to_owned()).await;
        let answer = socket.answer(7).await.unwrap();
        assert_eq!(answer["ok"], true, "{frame}: {answer}");
    }
    let token = anna.request(Method::POST, "/token").header(header::ACCEPT, "application/json");
    assert_eq!(token.send().await.unwrap().status(), StatusCode::CREATED);
}

async fn a_body_over_the_bound_is_too_large(on: Backend) {
    let server = on.server().await;
    let anna = server.browser().await;

    let form = json!({ "title": "x".repeat(3 << 20), "max": 5 });
    let (status, error) = anna.post_json("/room", &form).await;

    assert_eq!(
        (status, &error["error"]["code"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!("too_large"))
    );
}

async fn a_page_that_no_lobby_has_is_empty(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    browser.create_room("tea", 5).await;

    for page in ["2", "9223372036854775807", "18446744073709551615"] {
        let (status, lobby) = browser.get_json(&format!("/?page={page}")).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        assert_eq!(lobby["rooms"], json!([]), "{page}");
    }
}

async fn wrong_fields_are_named_all_at_once(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;

    let form = json!({ "title": "   ", "max": "ten", "password": "x".repeat(10_240) });
    let (status, error) = browser.post_json("/room", &form).await;

    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(error["error"]["code"], "invalid");
    let fields = json!({
        "title": "title_empty", "max": "max_not_a_number", "password": "password_too_long",
    });
    assert_eq!(error["error"]["fields"], fields);
}

async fn a_wrong_form_comes_back_with_what_was_filled_in(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;

    let title = "a".repeat(61);
    let response = browser
        .post_form("/room", &[("title", &title), ("max", "501"), ("password", "s3cret")])
        .await;

    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(response.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
    let page = response.text().await.unwrap();
    assert!(page.contains(&title) && page.contains("501"), "{page}");
    assert!(!page.contains("s3cret"), "a password does not come back in a page");
}

async fn every_wrong_capacity_is_refused(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;

    for (max, code) in [
        (json!(0), "max_out_of_range"),
        (json!(1), "max_out_of_range"),
        (json!(501), "max_out_of_range"),
        (json!(-3), "max_out_of_range"),
        (json!("ten"), "max_not_a_number"),
        (json!(2.5), "max_not_a_number"),
        (json!(null), "max_not_a_number"),
    ] {
        let (status, error) =
            browser.post_json("/room", &json!({ "title": "tea", "max": max })).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{max}");
        assert_eq!(error["error"]["fields"], json!({ "max": code }), "{max}");
    }
}

async fn a_title_of_sixty_emoji_is_fine_and_sixty_one_are_too_many(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;

    let room = browser.create_room(&"🫖".repeat(60), 2).await;
    let (status, _) =
        browser.post_json("/room", &json!({ "title": "🫖".repeat(61), "max": 2 })).await;

    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(browser.listed(&room).await.unwrap()["title"], "🫖".repeat(60));
}

async fn an_unknown_room_is_said_in_words_and_by_code(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;

    for id in ["aaaaaaaaaaaaaaaa", "nonsense", "..%2f..%2fetc", "%F0%9F%AB%96"] {
        let response = browser.get(&format!("/room/{id}")).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{id}");
        assert_eq!(response.headers()[header::LOCATION], "/?error=no_such_room", "{id}");
        let (status, error) = browser.get_json(&format!("/room/{id}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{id}");
        assert_eq!(error["error"]["code"], "no_such_room", "{id}");
    }
    let page = browser.get("/?error=%3Cscript%3E").await.text().await.unwrap();
    assert!(!page.contains("%3Cscript") && !page.contains("&lt;script"), "only codes are shown");
}

async fn a_body_that_is_no_json_is_refused(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;

    for body in ["", "{", "[]", "\"tea\"", "{\"title\":{}}"] {
        let request = browser.request(Method::POST, "/room");
        let request = request.header(header::ACCEPT, "application/json");
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let response = request.body(body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body}");
        let error: serde_json::Value = response.json().await.unwrap();
        assert_eq!(error["error"]["code"], "malformed", "{body}");
    }
}

async fn the_lobby_finds_rooms_by_their_title(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let tea = browser.create_room("Green TEA (loose)", 2).await;
    browser.create_room("Coffee", 2).await;

    let (_, found) = browser.get_json("/?q=tea%20(").await;

    assert_eq!(found["total"], 1);
    assert_eq!(found["rooms"][0]["id"], tea);
    assert_eq!(browser.get_json("/?q=zzz").await.1["total"], 0);
}

async fn too_many_rooms_are_refused(on: Backend) {
    let server = on.server_with(&[("MAX_ROOMS", "1")]).await;
    let browser = server.browser().await;
    browser.create_room("tea", 2).await;

    let (status, error) = browser.post_json("/room", &json!({ "title": "more", "max": 2 })).await;

    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(error["error"]["code"], "too_many_rooms");
    let page = browser.post_form("/room", &[("title", "more"), ("max", "2")]).await;
    assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.text().await.unwrap().contains("more"), "what was filled in is still there");
}

async fn too_many_rooms_of_one_person_are_slowed_down(on: Backend) {
    let server = on.server_with(&[("RATE_ROOMS", "2/60")]).await;
    let browser = server.browser().await;
    let form = json!({ "title": "tea", "max": 2 });
    browser.create(&form).await;
    browser.create(&form).await;

    let request = browser.request(Method::POST, "/room").header(header::ACCEPT, "application/json");
    let response = request.json(&form).send().await.unwrap();

    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(response.headers().contains_key(header::RETRY_AFTER));
    let error: serde_json::Value = response.json().await.unwrap();
    assert_eq!(error["error"]["code"], "slow_down");
    assert!(error["error"]["retryAfterMs"].as_u64().unwrap() > 0);
    server.browser().await.create(&form).await; // Somebody else is free to.
}

async fn the_lobby_hears_of_rooms_as_they_come_fill_and_go(on: Backend) {
    let server = on.server().await;
    let mut lobby = server.browser().await.lobby().await;
    let browser = server.browser().await;

    let room = browser.create_room("tea", 2).await;
    assert_eq!(lobby.wait_for("newRoom").await["id"], room);

    let (mut socket, welcome) = browser.enter(&room).await;
    let update = lobby.wait_for("updateRoom").await;
    assert_eq!((&update["id"], &update["count"]), (&json!(room), &json!(1)));
    assert_eq!(update["colors"], json!([welcome["you"]["color"]]));

    socket.ask("exit", json!(null)).await;
    assert_eq!(lobby.wait_for("removeRoom").await, json!(room));
}
