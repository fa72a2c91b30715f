//! Posts while writes fail.

use crate::stage::{Stage, Tea, always, cut_off, once, refused};

/// What a post writes with: it takes a number, then it inserts.
const WRITES: [&str; 2] = ["findAndModify", "insert"];

const WRITE_CONFLICT: i32 = 112;
const NOT_WRITABLE_PRIMARY: i32 = 10_107;
const SHUTTING_DOWN: i32 = 91;
/// What a hosted database says when it refuses by its own rules.
const ATLAS: i32 = 8_000;

#[tokio::test]
async fn a_write_that_is_refused_is_unavailable_and_stored_when_sent_again() {
    let stage = Stage::new().await;
    let mut tea = Tea::on(&stage).await;

    for write in WRITES {
        for code in [WRITE_CONFLICT, ATLAS] {
            let id = format!("{write}-{code}");
            stage.fail(&[write], once(), refused(code)).await;
            assert_eq!(tea.say(&id).await.unwrap_err(), "unavailable", "{id}");
            assert_eq!(stage.stored(&id).await, 0, "{id}");

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

    for write in WRITES {
        for (name, fault) in [
            ("stepped-down", refused(NOT_WRITABLE_PRIMARY)),
            ("shutting-down", refused(SHUTTING_DOWN)),
            ("cut-off", cut_off()),
        ] {
            stage.fail(&[write], once(), fault).await;

            let chat = tea.say(&format!("{write}-{name}")).await.unwrap();

            tea.assert_once(&chat).await;
            tea.assert_heard(&chat).await;
        }
    }
}

#[tokio::test]
async fn a_trouble_that_stays_is_unavailable_in_time_and_passes_by_itself() {
    let stage = Stage::watchful().await;
    let mut tea = Tea::on(&stage).await;

    for write in WRITES {
        for (name, fault) in
            [("stepped-down", refused(NOT_WRITABLE_PRIMARY)), ("cut-off", cut_off())]
        {
            let id = format!("{write}-{name}");
            stage.fail(&[write], always(), fault).await;
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

    // A number was taken for nothing; the room cannot be told.
    stage.fail(&["update"], always(), refused(WRITE_CONFLICT)).await;
    assert_eq!(tea.say("again").await.unwrap_err(), "unavailable");
    stage.heal().await;

    assert_eq!(tea.say("again").await.unwrap(), first);
    tea.assert_once(&first).await;
}
