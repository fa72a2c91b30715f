//! Seats taken while the database is in trouble: each once, and none for nobody.

use serde_json::{Value, json};

use crate::{
    common::{Browser, Socket, until},
    cut::Lossy,
    stage::{Stage, Tea, blocked, cut_off, once, refused, unsure},
    with_deadline,
};

const NOT_WRITABLE_PRIMARY: i32 = 10_107;
const WRITE_CONFLICT: i32 = 112;

/// What a seat is taken with.
const ENTER: &str = "findAndModify";

/// Somebody who wants to come in.
async fn try_to_enter(cleo: &Browser, tea: &Tea) -> Result<(Socket, Value), String> {
    with_deadline(async {
        let mut socket = cleo.try_enter(json!({ "room": tea.room })).await?;
        let welcome = socket.wait_for("welcome").await;
        Ok((socket, welcome))
    })
    .await
}

async fn connections(stage: &Stage, tea: &Tea) -> Vec<usize> {
    stage.seats(&tea.room).await.into_iter().map(|(_, sockets)| sockets).collect()
}

async fn wait_for_connections(stage: &Stage, tea: &Tea, wanted: &[usize]) {
    until("the seats to be settled", || async { connections(stage, tea).await == wanted }).await;
}

/// They are in, with one connection, and their seat goes when they go.
async fn assert_seated(stage: &Stage, tea: &Tea, cleo: Socket) {
    wait_for_connections(stage, tea, &[1, 1, 1]).await;
    cleo.vanish();
    wait_for_connections(stage, tea, &[1, 1]).await;
}

#[tokio::test]
async fn a_refused_write_leaves_no_seat_and_the_next_try_takes_one() {
    let stage = Stage::new().await;
    let tea = Tea::on(&stage).await;
    let cleo = stage.server.browser().await;

    stage.fail(&[ENTER], once(), refused(WRITE_CONFLICT)).await;
    assert_eq!(try_to_enter(&cleo, &tea).await.err().unwrap(), "unavailable");
    assert_eq!(connections(&stage, &tea).await, [1, 1]);

    let (cleo, _) = try_to_enter(&cleo, &tea).await.unwrap();
    assert_seated(&stage, &tea, cleo).await;
}

#[tokio::test]
async fn nobody_notices_a_trouble_that_the_driver_may_try_again_after() {
    let stage = Stage::watchful().await;
    let tea = Tea::on(&stage).await;
    let cleo = stage.server.browser().await;

    for fault in [refused(NOT_WRITABLE_PRIMARY), cut_off(), unsure(&["RetryableWriteError"])] {
        stage.fail(&[ENTER], once(), fault).await;

        let (socket, _) = try_to_enter(&cleo, &tea).await.unwrap();

        assert_seated(&stage, &tea, socket).await;
    }
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_by_the_driver() {
    let (stage, way) = Lossy::stage("").await;
    let tea = Tea::on(&stage).await;
    let cleo = stage.server.browser().await;

    way.lose_the_answer_to(ENTER);
    let (cleo, _) = try_to_enter(&cleo, &tea).await.unwrap();

    assert_seated(&stage, &tea, cleo).await;
}

#[tokio::test]
async fn a_seat_that_nobody_was_told_of_is_given_up() {
    let stage = Stage::new().await;
    let tea = Tea::on(&stage).await;
    let cleo = stage.server.browser().await;

    stage.fail(&[ENTER], once(), unsure(&[])).await;
    assert_eq!(try_to_enter(&cleo, &tea).await.err().unwrap(), "unavailable");
    assert_eq!(connections(&stage, &tea).await, [1, 1, 1], "it was taken");

    wait_for_connections(&stage, &tea, &[1, 1]).await;
    let (cleo, _) = try_to_enter(&cleo, &tea).await.unwrap();
    assert_seated(&stage, &tea, cleo).await;
}

#[tokio::test]
async fn a_seat_that_nobody_was_told_of_is_theirs_when_they_try_again() {
    let (stage, way) = Lossy::stage("&retryWrites=false").await;
    let tea = Tea::on(&stage).await;
    let cleo = stage.server.browser().await;

    way.lose_the_answer_to(ENTER);
    assert_eq!(try_to_enter(&cleo, &tea).await.err().unwrap(), "unavailable");
    let (cleo, _) = try_to_enter(&cleo, &tea).await.unwrap();

    assert_eq!(connections(&stage, &tea).await.len(), 3);
    assert_seated(&stage, &tea, cleo).await;
}

#[tokio::test]
async fn a_seat_that_is_taken_too_late_is_given_up() {
    let stage = Stage::new().await;
    let mut tea = Tea::on(&stage).await;
    let cleo = stage.server.browser().await;

    stage.fail(&[ENTER], once(), blocked()).await;
    assert_eq!(try_to_enter(&cleo, &tea).await.err().unwrap(), "unavailable");
    let exit = tea.bens.wait_for("exit").await;
    assert_ne!(exit["person"], tea.annas_person, "Cleo's seat was never given up");

    let (cleo, _) = try_to_enter(&cleo, &tea).await.unwrap();
    assert_seated(&stage, &tea, cleo).await;
}

#[tokio::test]
async fn whoever_got_in_unnoticed_is_told_of_when_they_are_in() {
    let stage = Stage::new().await;
    let mut tea = Tea::on(&stage).await;
    let cleo = stage.server.browser().await;
    tea.annas.wait_for("join").await;

    stage.fail(&[ENTER], once(), unsure(&[])).await;
    assert_eq!(try_to_enter(&cleo, &tea).await.err().unwrap(), "unavailable");
    let (_cleos, welcome) = try_to_enter(&cleo, &tea).await.unwrap();

    assert_eq!(tea.annas.wait_for("join").await["person"], welcome["you"]);
}
