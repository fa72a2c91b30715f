//! How much may be uploaded: at once, in a while, and in all.

use futures_util::{StreamExt as _, future::select_all, stream};
use reqwest::{Body, Method, StatusCode, header};

use crate::{
    common::{Backend, gifs, soon, until},
    on_both_stores,
};

on_both_stores!(
    a_person_uploads_so_many_gifs_at_once_and_no_more,
    gifs_are_counted_by_their_bytes_too,
    an_upload_that_trickles_ends_and_takes_no_place_from_others,
    all_gifs_together_take_so_much_space_and_no_more,
);

async fn a_person_uploads_so_many_gifs_at_once_and_no_more(on: Backend) {
    let server = on.server().await;
    let (anna, ben) = (server.browser().await, server.browser().await);
    let room = anna.create_room("tea", 2).await;
    let _inside = (anna.enter(&room).await, ben.enter(&room).await);
    let path = format!("/room/{room}/gif");
    let never_ending = (0..5).map(|_| {
        let begun = b"--x\r\nContent-Disposition: form-data; name=\"gif\"; filename=\"a.gif\"\r\n\r\nGIF89a";
        let begun = stream::iter([Ok::<_, std::io::Error>(begun.as_slice())]);
        let upload = anna
            .request(Method::POST, &path)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
            .body(Body::wrap_stream(begun.chain(stream::pending())));
        tokio::spawn(upload.send())
    });
    let gif = || gifs::animation(20, 10, 3);

    let (one_too_many, _, four) = soon("a refusal", select_all(never_ending)).await;
    assert_eq!(one_too_many.unwrap().unwrap().status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(anna.upload(&room, gif()).await.0, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(ben.upload(&room, gif()).await.0, StatusCode::CREATED);
    four[0].abort();
    until("a place", || async { anna.upload(&room, gif()).await.0 == StatusCode::CREATED }).await;
    four.iter().for_each(tokio::task::JoinHandle::abort);
}

async fn an_upload_that_trickles_ends_and_takes_no_place_from_others(on: Backend) {
    let server = on.server().await;
    let owner = server.browser().await;
    let room = owner.create_room("tea", 20).await;
    let _inside = owner.enter(&room).await;
    let path = format!("/room/{room}/gif");
    let mut trickling = Vec::new();
    let mut seats = Vec::new();
    // More than the memory for uploads holds, of what they announce.
    for _ in 0..3 {
        let hostile = server.browser().await;
        seats.push(hostile.enter(&room).await);
        for _ in 0..4 {
            let begun = b"--x\r\nContent-Disposition: form-data; name=\"gif\"; filename=\"a.gif\"\r\n\r\nGIF89a";
            let begun = stream::iter([Ok::<_, std::io::Error>(begun.as_slice())]);
            let upload = hostile
                .request(Method::POST, &path)
                .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
                .header(header::CONTENT_LENGTH, 5 << 20)
                .body(Body::wrap_stream(begun.chain(stream::pending())));
            trickling.push(tokio::spawn(upload.send()));
        }
    }

    let (status, chat) = owner.upload(&room, gifs::animation(20, 10, 3)).await;
    assert_eq!(status, StatusCode::CREATED, "{chat}");
    for upload in trickling {
        let ended = soon("the end of a slow upload", upload).await.unwrap();
        // An answer in the middle of a body may be lost with the connection.
        if let Ok(answer) = ended {
            assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        }
    }
}

async fn gifs_are_counted_by_their_bytes_too(on: Backend) {
    let server = on.server_with(&[("RATE_GIF_KIB", "2/600")]).await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 2).await;
    let _inside = anna.enter(&room).await;
    let small = || gifs::animation(20, 10, 3);
    assert!(small().len() <= 1024, "{}", small().len());
    for status in [StatusCode::CREATED, StatusCode::CREATED, StatusCode::TOO_MANY_REQUESTS] {
        assert_eq!(anna.upload(&room, small()).await.0, status);
    }
}

async fn all_gifs_together_take_so_much_space_and_no_more(on: Backend) {
    let server = on.server_with(&[("MAX_UPLOADS_BYTES", "1000")]).await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 2).await;
    let _inside = anna.enter(&room).await;
    let gif = |frames| gifs::animation(20, 10, frames);
    let mut taken = Vec::new();
    let mut frames = 0;
    let refused = loop {
        frames += 1;
        let (status, chat) = anna.upload(&room, gif(frames)).await;
        if status != StatusCode::CREATED {
            break (status, chat);
        }
        taken.push(chat);
        assert!(taken.len() < 20);
    };
    assert_eq!(refused.0, StatusCode::INSUFFICIENT_STORAGE);
    assert_eq!(refused.1["error"]["code"], "uploads_full");
    assert!(!taken.is_empty());
    // What is there already takes no more, and what goes leaves room.
    assert_eq!(anna.upload(&room, gif(1)).await.0, StatusCode::CREATED);
    for gone in &taken[1..] {
        let path = format!("/room/{room}/chat/{}", gone["seq"]);
        let deleted = anna.request(Method::DELETE, &path).send().await.unwrap();
        assert_eq!(deleted.status(), StatusCode::OK);
    }
    until("room for it", || async {
        anna.upload(&room, gif(frames)).await.0 == StatusCode::CREATED
    })
    .await;
}
