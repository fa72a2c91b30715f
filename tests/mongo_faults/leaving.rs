//! Seats given up while the database is in trouble: whoever wants to leave gets out.

use reqwest::StatusCode;
use serde_json::json;

use crate::{
    common::until,
    stage::{Stage, Tea, cut_off, once, outcome, refused, unsure},
    with_deadline,
};

const WRITE_CONFLICT: i32 = 112;

#[tokio::test]
async fn a_seat_is_free_once_its_person_has_left_whatever_went_wrong() {
    let stage = Stage::new().await;
    let tea = Tea::on(&stage).await;
    let cleo = stage.server.browser().await;

    for fault in [refused(WRITE_CONFLICT), cut_off(), unsure(&[])] {
        let (mut cleo, _) = cleo.enter(&tea.room).await;
        cleo.say("the lane is empty once this is stored").await;
        stage.fail(&["findAndModify"], once(), fault).await;

        let mut left = outcome(with_deadline(cleo.ask("exit", json!(null))).await);
        if left.as_ref().is_err_and(|code| code == "unavailable") {
            let again = cleo.try_ask_now("exit", json!(null)).await.ok();
            let answer = match again {
                Some(again) => with_deadline(cleo.answer(again)).await,
                None => None,
            };
            // A connection that turns out to have no seat is told so, and ends.
            let ended =
                || cleo.heard("error").map(|error| Err(error["code"].as_str().unwrap().to_owned()));
            left = answer.map(outcome).or_else(ended).unwrap();
        }

        // The first attempt may have done it after all.
        assert!(left.is_ok() || left.unwrap_err() == "not_in_room");
        assert_eq!(stage.seats(&tea.room).await.len(), 2);
    }
}

#[tokio::test]
async fn who_goes_while_the_database_is_gone_loses_their_seat_when_it_is_back() {
    let mut stage = Stage::new().await;
    let tea = Tea::on(&stage).await;

    stage.mongo.kill();
    tea.bens.vanish();
    // Who asks twice has waited for longer than it took to find out that nothing can be stored.
    for _ in 0..2 {
        assert_eq!(tea.anna.get("/readyz").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    stage.mongo.restart().await;

    until("the seat to go", || async { stage.seats(&tea.room).await.len() == 1 }).await;
}
