//! GIFs: what is taken in, who sees it, and that it goes with its room.

use futures_util::{future::join_all, stream};
use reqwest::{Method, StatusCode, header};
use serde_json::json;

use crate::{
    common::{Backend, Browser, Server, gifs, until},
    on_both_stores,
};

on_both_stores!(
    a_shared_gif_is_measured_and_heard_by_everybody,
    a_gif_is_served_whole_and_in_parts,
    what_is_no_good_gif_is_refused_by_its_content,
    a_gif_of_exactly_the_limit_is_fine_and_one_byte_more_is_not,
    an_upload_that_is_cut_off_leaves_nothing,
    trailing_bytes_are_dropped,
    the_same_upload_again_is_the_same_message,
    files_are_for_those_let_in,
    of_many_gifs_under_one_id_the_one_that_is_shown_is_kept,
    a_gif_that_is_shared_again_while_it_is_deleted_is_there,
    files_go_with_their_room,
    a_gif_that_is_shared_while_the_room_closes_has_no_room,
    only_who_is_inside_may_share,
    an_upload_without_a_file_or_with_other_fields_is_refused,
);

async fn room_with_one_person(server: &Server) -> (Browser, String, crate::common::Socket) {
    let browser = server.browser().await;
    let room = browser.create_room("tea", 5).await;
    let (socket, _) = browser.enter(&room).await;
    (browser, room, socket)
}

async fn a_shared_gif_is_measured_and_heard_by_everybody(on: Backend) {
    let server = on.server().await;
    let (browser, room, mut socket) = room_with_one_person(&server).await;

    let (status, chat) = browser.upload(&room, gifs::animation(20, 10, 3)).await;

    assert_eq!(status, StatusCode::CREATED, "{chat}");
    assert_eq!(chat["kind"], "gif");
    let gif = &chat["gif"];
    assert_eq!(
        (&gif["width"], &gif["height"], &gif["frames"]),
        (&json!(20), &json!(10), &json!(3))
    );
    assert_eq!(gif["durationMs"], 300);
    let mut heard = socket.wait_for("chat").await;
    heard.as_object_mut().unwrap().remove("prev");
    assert_eq!(heard, chat);
    let file = browser.get(gif["url"].as_str().unwrap()).await;
    assert_eq!(file.headers()[header::CONTENT_LENGTH], gif["bytes"].to_string().as_str());
    let poster = browser.get(gif["poster"].as_str().unwrap()).await;
    assert_eq!(poster.headers()[header::CONTENT_TYPE], "image/png");
    assert!(poster.bytes().await.unwrap().starts_with(b"\x89PNG"));
}

async fn a_gif_is_served_whole_and_in_parts(on: Backend) {
    let server = on.server().await;
    let (browser, room, _socket) = room_with_one_person(&server).await;
    let (_, chat) = browser.upload(&room, gifs::animation(20, 10, 3)).await;
    let url = chat["gif"]["url"].as_str().unwrap();

    let whole = browser.get(url).await;

    assert_eq!(whole.headers()[header::CONTENT_TYPE], "image/gif");
    assert_eq!(whole.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(whole.headers()[header::CONTENT_SECURITY_POLICY], "default-src 'none'; sandbox");
    let kept = whole.headers()[header::CACHE_CONTROL].to_str().unwrap();
    assert_eq!(kept, "no-store");
    let bytes = whole.bytes().await.unwrap();
    let part = |range: &'static str| browser.request(Method::GET, url).header(header::RANGE, range);
    for (range, expected) in [
        ("bytes=0-5", &bytes[..6]),
        ("bytes=6-", &bytes[6..]),
        ("bytes=-4", &bytes[bytes.len() - 4..]),
    ] {
        let response = part(range).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(response.bytes().await.unwrap(), expected, "{range}");
    }
    let beyond = part("bytes=9999999-").send().await.unwrap();
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(
        beyond.headers()[header::CONTENT_RANGE],
        format!("bytes */{}", bytes.len()).as_str()
    );
}

async fn what_is_no_good_gif_is_refused_by_its_content(on: Backend) {
    let server = on.server().await;
    let (browser, room, mut socket) = room_with_one_person(&server).await;
    let good = gifs::animation(20, 10, 3);

    for (what, file, status, code) in [
        ("a PNG", gifs::png(), 415, "not_a_gif"),
        ("HTML", b"<html><script>alert(1)</script>".to_vec(), 415, "not_a_gif"),
        ("nothing", Vec::new(), 415, "not_a_gif"),
        ("half a GIF", good[..good.len() / 2].to_vec(), 422, "bad_gif"),
        ("one without frames", gifs::without_frames(), 422, "bad_gif"),
        ("a huge canvas", gifs::claiming_to_be(60_000, 60_000), 422, "bad_gif"),
        ("a bomb", gifs::bomb(), 422, "bad_gif"),
        ("a frame off the canvas", gifs::with_a_frame_off_the_canvas(), 422, "bad_gif"),
    ] {
        let (got, error) = browser.upload(&room, file).await;
        assert_eq!((got.as_u16(), &error["error"]["code"]), (status, &json!(code)), "{what}");
    }

    assert_eq!(server.home.files(), Vec::<std::path::PathBuf>::new(), "nothing is kept");
    socket.say("still here").await;
}

async fn a_gif_of_exactly_the_limit_is_fine_and_one_byte_more_is_not(on: Backend) {
    let server = on.server().await;
    let (browser, room, _socket) = room_with_one_person(&server).await;

    let (fits, _) = browser.upload(&room, gifs::of_bytes(gifs::FIVE_MIB)).await;
    let (over, error) = browser.upload(&room, gifs::of_bytes(gifs::FIVE_MIB + 1)).await;

    assert_eq!(fits, StatusCode::CREATED);
    assert_eq!(over, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(error["error"]["code"], "too_large");
}

async fn an_upload_that_is_cut_off_leaves_nothing(on: Backend) {
    let server = on.server().await;
    let (browser, room, mut socket) = room_with_one_person(&server).await;
    let head =
        "--b\r\nContent-Disposition: form-data; name=\"gif\"; filename=\"a.gif\"\r\n\r\nGIF89a";
    let chunks = vec![Ok(head.to_owned()), Err(std::io::Error::other("the network failed"))];

    let request = browser.request(Method::POST, &format!("/room/{room}/gif"));
    let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
    let broken = request.body(reqwest::Body::wrap_stream(stream::iter(chunks))).send().await;
    let request = browser.request(Method::POST, &format!("/room/{room}/gif"));
    let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
    let short = request.header(header::ACCEPT, "application/json").body(head).send().await.unwrap();

    assert!(broken.is_err());
    assert_eq!(short.status(), StatusCode::BAD_REQUEST);
    assert_eq!(server.home.files(), Vec::<std::path::PathBuf>::new());
    socket.say("still here").await;
}

async fn trailing_bytes_are_dropped(on: Backend) {
    let server = on.server().await;
    let (browser, room, _socket) = room_with_one_person(&server).await;

    let (status, chat) = browser.upload(&room, gifs::that_is_a_zip_too()).await;

    assert_eq!(status, StatusCode::CREATED);
    let file = browser.get(chat["gif"]["url"].as_str().unwrap()).await.bytes().await.unwrap();
    assert_eq!(file.last(), Some(&b';'), "the file ends where the GIF does");
    assert!(!file.windows(2).any(|two| two == b"PK"));
}

async fn the_same_upload_again_is_the_same_message(on: Backend) {
    let server = on.server().await;
    let (browser, room, _socket) = room_with_one_person(&server).await;
    let file = gifs::animation(20, 10, 3);

    let (_, first) = browser.upload_as(&room, file.clone(), Some("g-1")).await;
    let (_, again) = browser.upload_as(&room, file.clone(), Some("g-1")).await;
    let (_, other) = browser.upload_as(&room, file, Some("g-2")).await;

    assert_eq!(first, again);
    assert_ne!(first["seq"], other["seq"]);
    assert_eq!(first["gif"], other["gif"], "the same content is the same file");
    assert_eq!(server.home.files().len(), 2, "one GIF and its poster");
}

async fn of_many_gifs_under_one_id_the_one_that_is_shown_is_kept(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 5).await;
    let _socket = browser.enter(&room).await;
    let uploads = (1..=4).map(|frames| {
        let (browser, room) = (browser.clone(), room.clone());
        async move { browser.upload_as(&room, gifs::animation(4, 4, frames), Some("same")).await }
    });

    let shared = join_all(uploads).await;

    let first = &shared[0].1["gif"];
    assert!(shared.iter().all(|(_, chat)| chat["gif"] == *first), "{shared:?}");
    until("the other files to go", async || server.home.files().len() == 2).await;
    assert_eq!(browser.get(first["url"].as_str().unwrap()).await.status(), StatusCode::OK);
}

async fn a_gif_that_is_shared_again_while_it_is_deleted_is_there(on: Backend) {
    let server = on.server().await;
    let browser = server.browser().await;
    let room = browser.create_room("tea", 5).await;
    let _socket = browser.enter(&room).await;
    for attempt in 0..15 {
        let file = gifs::animation(4, 4, 2);
        let (_, older) = browser.upload(&room, file.clone()).await;
        let path = format!("/room/{room}/chat/{}", older["seq"]);
        let delete = browser.request(Method::DELETE, &path).send();

        let (deleted, (status, again)) = tokio::join!(delete, browser.upload(&room, file));

        assert_eq!((deleted.unwrap().status(), status), (StatusCode::OK, StatusCode::CREATED));
        for kind in ["url", "poster"] {
            let found = browser.get(again["gif"][kind].as_str().unwrap()).await.status();
            assert_eq!(found, StatusCode::OK, "{kind} {attempt}");
        }
        let path = format!("/room/{room}/chat/{}", again["seq"]);
        browser.request(Method::DELETE, &path).send().await.unwrap();
        until("the files to go", async || server.home.files().is_empty()).await;
    }
}

async fn files_are_for_those_let_in(on: Backend) {
    let server = on.server().await;
    let owner = server.browser().await;
    let room = owner.create(&json!({ "title": "tea", "max": 2, "password": "sesame" })).await;
    let _socket = owner.enter(&room).await;
    let (_, chat) = owner.upload(&room, gifs::animation(20, 10, 3)).await;
    let url = chat["gif"]["url"].as_str().unwrap();
    let guest = server.browser().await;

    let strange = Browser::without_cookie(server.address).get(url).await.status();
    let refused = guest.get(url).await.status();
    guest.post_form(&format!("/room/{room}/enter"), &[("password", "sesame")]).await;
    let outside = guest.get(url).await.status();
    let _guest_socket = guest.enter(&room).await;
    let allowed = guest.get(url).await.status();
    let late = server.browser().await;
    late.post_form(&format!("/room/{room}/enter"), &[("password", "sesame")]).await;

    assert_eq!(
        [strange, refused, outside, allowed],
        [StatusCode::FORBIDDEN, StatusCode::FORBIDDEN, StatusCode::FORBIDDEN, StatusCode::OK]
    );
    assert_eq!(late.get(url).await.status(), StatusCode::FORBIDDEN, "the room is full");
    for name in [
        "aaaa.gif",
        "..%2f..%2fdata%2fcookie-secret",
        &format!("{}.exe", "a".repeat(64)),
        &format!("{}.gif", "a".repeat(64)),
    ] {
        let path = format!("/gif/{room}/{name}");
        assert_eq!(owner.get(&path).await.status(), StatusCode::NOT_FOUND, "{name}");
    }
}

async fn files_go_with_their_room(on: Backend) {
    let server = on.server().await;
    let (browser, room, mut socket) = room_with_one_person(&server).await;
    let (_, chat) = browser.upload(&room, gifs::animation(20, 10, 3)).await;
    assert_eq!(server.home.files().len(), 2);

    socket.ask("exit", json!(null)).await;

    // The folder goes last.
    until("the folder to go", || async { !server.home.uploads().join(&room).exists() }).await;
    assert!(server.home.files().is_empty());
    let gone = browser.get(chat["gif"]["url"].as_str().unwrap()).await;
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
}

async fn only_who_is_inside_may_share(on: Backend) {
    let server = on.server().await;
    let room = server.browser().await.create_room("tea", 2).await;
    let outsider = server.browser().await;

    let (status, error) = outsider.upload(&room, gifs::animation(20, 10, 3)).await;

    assert_eq!((status, &error["error"]["code"]), (StatusCode::FORBIDDEN, &json!("not_in_room")));
}

async fn an_upload_without_a_file_or_with_other_fields_is_refused(on: Backend) {
    let server = on.server().await;
    let (browser, room, _socket) = room_with_one_person(&server).await;
    let path = format!("/room/{room}/gif");

    let empty = reqwest::multipart::Form::new().text("clientId", "g-1");
    let missing = browser.request(Method::POST, &path).multipart(empty).send().await.unwrap();
    let other = reqwest::multipart::Form::new().text("shell", "rm -rf");
    let unknown = browser.request(Method::POST, &path).multipart(other).send().await.unwrap();
    let (json, _) = browser.post_json(&path, &json!({ "gif": "GIF89a" })).await;

    assert_eq!(missing.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(unknown.status(), StatusCode::BAD_REQUEST);
    assert_eq!(json, StatusCode::BAD_REQUEST);
}

async fn a_gif_that_is_shared_while_the_room_closes_has_no_room(on: Backend) {
    let server = on.server_with(&[("RATE_GIFS", "off"), ("RATE_GIF_KIB", "off")]).await;
    for round in 0..18 {
        let (browser, room, mut socket) = room_with_one_person(&server).await;
        let uploads =
            (0..3).map(|frames| browser.upload(&room, gifs::animation(60, 60, 9 + frames)));
        let exit = async {
            for _ in 0..round % 6 {
                tokio::task::yield_now().await;
            }
            socket.ask("exit", json!(null)).await
        };
        let (answers, _) = tokio::join!(join_all(uploads), exit);

        for (status, answer) in answers {
            let known = [StatusCode::CREATED, StatusCode::NOT_FOUND, StatusCode::FORBIDDEN];
            assert!(known.contains(&status), "{answer}");
        }
    }
    until("every file to be gone", async || server.home.files().is_empty()).await;
}
