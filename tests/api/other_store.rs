//! Uploads belong to one database. Another one would take all files for leftovers of closed rooms.

use std::fs;

use crate::{
    common::{
        Backend, gifs,
        server::{Home, Process},
    },
    on_both_stores,
};

on_both_stores!(
    a_server_with_another_database_leaves_the_uploads_alone_and_does_not_start,
    a_server_that_starts_again_keeps_its_uploads,
);

async fn a_server_with_another_database_leaves_the_uploads_alone_and_does_not_start(on: Backend) {
    let server = Process::start(Home::new(on, &[])).await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 2).await;
    let (_annas, _) = anna.enter(&room).await;
    anna.upload(&room, gifs::animation(4, 4, 2)).await;
    let files = server.home.files();
    assert_eq!(files.len(), 2, "a GIF and its poster");
    let uploads = server.home.uploads().display().to_string();

    let other = Home::new(Backend::Sqlite, &[("UPLOADS_URL", &uploads)]);
    let said = Process::start_fails(&other).await;

    assert!(said.contains(&format!("UPLOADS_URL={uploads}: ")), "{said}");
    assert!(said.contains("another database") && said.contains("store-id"), "{said}");
    assert_eq!(server.home.files(), files);

    // As the words say: the file is removed when a database replaces another.
    let (home, _) = server.terminate().await;
    fs::remove_file(home.uploads().join("store-id")).unwrap();
    Process::start(other).await;
}

async fn a_server_that_starts_again_keeps_its_uploads(on: Backend) {
    let server = Process::start(Home::new(on, &[("ROOM_GRACE", "3600")])).await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 2).await;
    let (_annas, _) = anna.enter(&room).await;
    anna.upload(&room, gifs::animation(4, 4, 2)).await;
    let files = server.home.files();

    let (home, _) = server.terminate().await;
    let server = Process::start(home).await;

    assert_eq!(server.home.files(), files);
}
