//! Errors after the write: it is stored, and nobody was told.

use crate::{
    common::soon,
    cut::Lossy,
    stage::{Stage, Tea, once, unsure},
};

#[tokio::test]
async fn a_post_that_may_not_stay_is_unavailable_and_stored_once() {
    let stage = Stage::new().await;
    let mut tea = Tea::on(&stage).await;

    stage.fail(&["insert"], once(), unsure(&[])).await;
    assert_eq!(tea.say("unsure").await.unwrap_err(), "unavailable");

    let chat = tea.say("unsure").await.unwrap();

    tea.assert_once(&chat).await;
}

#[tokio::test]
async fn a_post_that_may_not_stay_is_tried_again_by_the_driver_and_stored_once() {
    let stage = Stage::new().await;
    let mut tea = Tea::on(&stage).await;

    stage.fail(&["insert"], once(), unsure(&["RetryableWriteError"])).await;

    let chat = tea.say("unsure").await.unwrap();

    tea.assert_once(&chat).await;
    tea.assert_heard(&chat).await;
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_by_the_driver_and_the_post_stored_once() {
    let (stage, way) = Lossy::stage("").await;
    let mut tea = Tea::on(&stage).await;

    way.lose_the_answer_to("insert");

    let chat = tea.say("lost").await.unwrap();

    tea.assert_once(&chat).await;
    tea.assert_heard(&chat).await;
}

#[tokio::test]
async fn without_the_driver_a_lost_answer_is_unavailable_and_the_post_stored_once() {
    let (stage, way) = Lossy::stage("&retryWrites=false").await;
    let mut tea = Tea::on(&stage).await;

    way.lose_the_answer_to("insert");
    assert_eq!(tea.say("lost").await.unwrap_err(), "unavailable");

    let chat = tea.say("lost").await.unwrap();

    tea.assert_once(&chat).await;
}

#[tokio::test]
async fn the_others_hear_of_a_post_that_was_stored_without_an_answer() {
    let stage = Stage::new().await;
    let mut tea = Tea::on(&stage).await;

    stage.fail(&["insert"], once(), unsure(&[])).await;
    assert_eq!(tea.say("unsure").await.unwrap_err(), "unavailable");
    let chat = tea.say("unsure").await.unwrap();

    // By itself, or by the newest number, after which a page asks for what it lacks.
    soon("word of it", async {
        loop {
            let (event, data) = tea.bens.next().await;
            if ["chat", "head"].contains(&event.as_str()) && data["seq"] == chat["seq"] {
                return;
            }
        }
    })
    .await;
}
