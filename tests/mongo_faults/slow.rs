//! Writes that take longer than anybody may have to wait, and happen all the same.

use serde_json::json;

use crate::{
    common::{soon, until},
    cut::Lossy,
    stage::{Stage, Tea, always, blocked, once, outcome},
    with_deadline,
};

#[tokio::test]
async fn a_post_that_is_stored_too_late_is_unavailable_and_stored_once() {
    let stage = Stage::new().await;
    let mut tea = Tea::on(&stage).await;
    stage.fail(&["insert"], once(), blocked()).await;

    assert_eq!(tea.say("late").await.unwrap_err(), "unavailable");
    until("the late one", || async { stage.stored("late").await == 1 }).await;

    let chat = tea.say("late").await.unwrap();
    assert_eq!(tea.say("late").await.unwrap(), chat, "and so it stays");
    tea.assert_once(&chat).await;
}

#[tokio::test]
async fn a_post_that_is_sent_again_before_the_late_one_is_stored_is_stored_once() {
    let stage = Stage::new().await;
    let mut tea = Tea::on(&stage).await;
    let before = stage.insertions().await;
    stage.fail(&["insert"], once(), blocked()).await;

    assert_eq!(tea.say("late").await.unwrap_err(), "unavailable");
    let chat = tea.say("late").await.unwrap();

    // The other, and then the late one, whose number is taken.
    until("the late one", || async { stage.insertions().await == before + 2 }).await;
    tea.assert_once(&chat).await;
    tea.assert_heard(&chat).await;
}

#[tokio::test]
async fn posts_that_wait_behind_a_slow_one_have_their_answer_in_time_too() {
    let (stage, way) = Lossy::stage("").await;
    let mut tea = Tea::on(&stage).await;
    stage.fail(&["insert"], always(), blocked()).await;
    let before = way.insertions();

    let post = |id: &str| json!({ "chat": id, "clientId": id });
    let first = tea.annas.ask_now("chat:post", post("first")).await;
    until("the first to be under way", || async { way.insertions() > before }).await;
    let second = tea.annas.ask_now("chat:post", post("second")).await;
    let third = tea.bens.ask_now("chat:post", post("third")).await;
    let annas =
        async { [tea.annas.answer(first).await.unwrap(), tea.annas.answer(second).await.unwrap()] };
    let (annas, bens) = with_deadline(async { tokio::join!(annas, tea.bens.answer(third)) }).await;

    for reply in annas.into_iter().chain(bens) {
        assert_eq!(outcome(reply).unwrap_err(), "unavailable");
    }
    stage.heal().await;
    for id in ["first", "second", "third"] {
        let chat = tea.say_until_stored(id).await;
        tea.assert_once(&chat).await;
    }
}

#[tokio::test]
async fn the_others_hear_of_a_post_that_was_stored_too_late() {
    let stage = Stage::new().await;
    let mut tea = Tea::on(&stage).await;

    stage.fail(&["insert"], once(), blocked()).await;
    assert_eq!(tea.say("late").await.unwrap_err(), "unavailable");

    soon("word of it", async {
        loop {
            let head = tea.bens.wait_for("head").await;
            let after = head["seq"].as_i64().unwrap() - 1;
            let page = tea.bens.ask("chat:get", json!({ "after": after })).await;
            if page["data"]["chats"][0]["clientId"] == "late" {
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_post_that_is_late_does_not_appear_behind_a_later_one() {
    let stage = Stage::new().await;
    let mut tea = Tea::on(&stage).await;
    let before = stage.insertions().await;

    stage.fail(&["insert"], once(), blocked()).await;
    assert_eq!(tea.say("late").await.unwrap_err(), "unavailable");
    let later = tea.say_until_stored("later").await;
    tea.assert_heard(&later).await;
    // The later one, and then the late one, whose number is taken.
    until("the late one", || async { stage.insertions().await == before + 2 }).await;

    let again = tea.say_until_stored("late").await;
    assert!(
        again["seq"].as_i64() > later["seq"].as_i64(),
        "it is heard after what was heard before"
    );
    tea.assert_heard(&again).await;
    tea.assert_once(&again).await;
}
