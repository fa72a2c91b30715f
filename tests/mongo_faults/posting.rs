//! Posts while writes fail.

use mongodb::bson::doc;

use crate::stage::{Stage, Tea, always, cut_off, once, refused};

/// What a post asks with: who is there, and then it inserts.
const COMMANDS: [&str; 2] = ["find", "insert"];

const WRITE_CONFLICT: i32 = 112;
const NOT_WRITABLE_PRIMARY: i32 = 10_107;
const SHUTTING_DOWN: i32 = 91;
/// What a hosted database says when it refuses by its own rules.
const ATLAS: i32 = 8_000;

#[tokio::test]
async fn a_post_that_is_refused_is_unavailable_and_stored_when_sent_again() {
    let stage = Stage::new().await;
    let mut tea = Tea::on(&stage).await;

    for command in COMMANDS {
        for code in [WRITE_CONFLICT, ATLAS] {
            let id = format!("{command}-{code}");
            stage.fail(&[command], always(), refused(code)).await;
            assert_eq!(tea.say(&id).await.unwrap_err(), "unavailable", "{id}");
            assert_eq!(stage.stored(&id).await, 0, "{id}");
            stage.heal().await;

            let chat = tea.say(&id).await.unwrap();

            tea.assert_once(&chat).await;
            tea.assert_heard(&chat).await;
        }
    }
}

#[tokio::test]
async fn nobody_notices_a_trouble_that_the_driver_may_try_again_after() {
    let stage = Stage::watchful().await;
    let mut tea = Tea::on(&stage).await;

    for command in COMMANDS {
        for (name, fault) in [
            ("stepped-down", refused(NOT_WRITABLE_PRIMARY)),
            ("shutting-down", refused(SHUTTING_DOWN)),
            ("cut-off", cut_off()),
        ] {
            stage.fail(&[command], once(), fault).await;

            let chat = tea.say(&format!("{command}-{name}")).await.unwrap();

            tea.assert_once(&chat).await;
            tea.assert_heard(&chat).await;
        }
    }
}

#[tokio::test]
async fn a_trouble_that_stays_is_unavailable_in_time_and_passes_by_itself() {
    let stage = Stage::watchful().await;
    let mut tea = Tea::on(&stage).await;

    for command in COMMANDS {
        for (name, fault) in
            [("stepped-down", refused(NOT_WRITABLE_PRIMARY)), ("cut-off", cut_off())]
        {
            let id = format!("{command}-{name}");
            stage.fail(&[command], always(), fault).await;
            for _ in 0..2 {
                assert_eq!(tea.say(&id).await.unwrap_err(), "unavailable", "{id}");
            }
            stage.heal().await;

            let chat = tea.say(&id).await.unwrap();

            tea.assert_once(&chat).await;
            tea.assert_heard(&chat).await;
        }
    }
}

#[tokio::test]
async fn a_repeated_post_that_cannot_be_settled_is_unavailable_and_stays_the_first_one() {
    let stage = Stage::new().await;
    let mut tea = Tea::on(&stage).await;
    let first = tea.say("again").await.unwrap();

    // That it was there already is known, but not what was.
    stage.fail(&["find"], doc! { "skip": 1 }.into(), refused(WRITE_CONFLICT)).await;
    assert_eq!(tea.say("again").await.unwrap_err(), "unavailable");
    stage.heal().await;

    assert_eq!(tea.say("again").await.unwrap(), first);
    tea.assert_once(&first).await;
}
