//! One of two servers is silent for so long that the other takes it for dead, and then goes on.

use mongodb::bson::doc;
use reqwest::StatusCode;
use serde_json::json;

use crate::common::{
    Backend,
    server::{Home, Process},
    until,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_people_come_back_and_nobody_saw_them_leave() {
    let first = Process::start(Home::new(Backend::Mongo, &[])).await;
    let second = Process::start(first.home.beside()).await;
    let (anna, ben) = (first.browser().await, first.browser().await);
    let room = anna.create_room("tea", 2).await;
    let (mut anna_socket, before) = anna.enter(&room).await;
    let (_ben_socket, _) = ben.enter(&room).await;

    first.pause().await;
    let nodes = first.home.nodes().await;
    let alone = || async { nodes.count_documents(doc! {}).await.unwrap() == 1 };
    until("the other to take it for dead", alone).await;
    first.resume().await;

    let last = anna_socket.events_until_the_end().await;
    assert_eq!(last.last().unwrap().1["code"], "restarting");
    let (_anna_socket, after) = anna.at(second.address).enter(&room).await;
    let (_ben_socket, _) = ben.enter(&room).await;
    assert_eq!(after["you"], before["you"]);
    assert_eq!(after["people"].as_array().unwrap().len(), 2);
    let (status, history) = anna.get_json(&format!("/room/{room}/chat")).await;
    assert_eq!(status, StatusCode::OK);
    let happened = history["chats"].as_array().unwrap().iter().map(|chat| &chat["system"]["code"]);
    assert_eq!(happened.collect::<Vec<_>>(), [&json!("joined"), &json!("joined")]);
}
