//! What holds when two servers share a database.

use std::{collections::HashMap, sync::Arc, time::Duration};

use huechat::{
    domain::{Person, RoomId, Seq, Window},
    store::{Appended, MessageStore as _, SessionRow, SessionStore as _, Store},
};
use mongodb::bson::{DateTime, Document, doc, oid::ObjectId};
use serde_json::Map;

use crate::{
    mongo_server::TestDatabase,
    people::{at, called, person, said, tea_with, whispered},
    races::together,
};

/// Says thirty things, and gives the number of each and that of the one before it.
async fn talk(server: Arc<dyn Store>, room: RoomId, by: Person) -> (RoomId, Vec<(Seq, Seq)>) {
    let mut stored = Vec::new();
    for _ in 0..15 {
        let batch = vec![said(&by, "one"), said(&by, "two")];
        for outcome in server.append(&room, batch).await.unwrap() {
            let Appended::Stored { message, prev } = outcome else { panic!("{outcome:?}") };
            stored.push((message.seq, prev));
        }
    }
    (room, stored)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_of_many_rooms_share_no_number_and_leave_none_out() {
    let database = TestDatabase::new();
    let servers: [Arc<dyn Store>; 2] =
        [Arc::new(database.store().await), Arc::new(database.store().await)];
    let test = async move {
        let anna = person("anna");
        let mut rooms = Vec::new();
        for _ in 0..4 {
            rooms.push(tea_with(&*servers[0], &[&anna]).await);
        }

        let mut steps = Vec::new();
        for server in &servers {
            for room in &rooms {
                steps.push(talk(server.clone(), room.clone(), anna.clone()));
            }
        }
        let mut by_room: HashMap<RoomId, Vec<(Seq, Seq)>> = HashMap::new();
        for (room, stored) in together(steps).await {
            by_room.entry(room).or_default().extend(stored);
        }

        assert_eq!(by_room.len(), 4);
        for mut stored in by_room.into_values() {
            stored.sort_unstable();
            assert_eq!(stored.len(), 60);
            for (nth, (seq, prev)) in (1..).zip(stored) {
                assert_eq!((seq, prev), (nth, nth - 1));
            }
        }
    };
    database.around(test).await;
}

#[tokio::test]
async fn what_a_dead_server_had_on_its_way_never_appears_behind_what_followed() {
    let database = TestDatabase::new();
    let (server, successor) = (database.store().await, database.store().await);
    let raw = database.raw().await;
    let test = async move {
        let anna = person("anna");
        let room = tea_with(&server, &[&anna]).await;
        assert_eq!(append(&server, &room, &anna, &["first"]).await, [1]);
        let chats = raw.collection("chats");
        let model: Document =
            chats.find_one(doc! { "room": room.as_str() }).await.unwrap().unwrap();
        let late = |seq: Seq| {
            let mut late: Document = model.clone();
            late.extend(doc! { "_id": ObjectId::new(), "seq": seq });
            late
        };

        // The dead one had two batches on their way: one arrives before what its successor stores, which
        // has just begun and knows nothing of the room, and one behind it.
        chats.insert_one(late(2)).await.unwrap();
        assert_eq!(append(&successor, &room, &anna, &["second"]).await, [3]);
        chats.insert_one(late(3)).await.unwrap_err();
        assert_eq!(append(&successor, &room, &anna, &["third", "fourth"]).await, [4, 5]);

        let all = Window::After { after: 0, limit: 100 };
        let history = successor.history(&room, &anna.id, all).await.unwrap();
        let seqs: Vec<Seq> = history.messages.iter().map(|message| message.seq).collect();
        assert_eq!(seqs, [1, 2, 3, 4, 5]);
    };
    database.around(test).await;
}

#[tokio::test]
async fn a_server_that_has_said_nothing_for_long_reads_all_that_others_said() {
    let database = TestDatabase::new();
    let (server, other) = (database.store().await, database.store().await);
    let test = async move {
        let anna = person("anna");
        let room = tea_with(&server, &[&anna]).await;
        append(&server, &room, &anna, &["first"]).await;
        append(&other, &room, &anna, &["word"; 300]).await;

        for (window, expected, more) in [
            (Window::Latest { before: None, limit: 3 }, vec![299, 300, 301], true),
            (Window::Latest { before: Some(300), limit: 2 }, vec![298, 299], true),
            (Window::Latest { before: Some(3), limit: 9 }, vec![1, 2], false),
            (Window::After { after: 0, limit: 3 }, vec![1, 2, 3], true),
            (Window::After { after: 299, limit: 9 }, vec![300, 301], false),
            (Window::After { after: 301, limit: 9 }, vec![], false),
            (Window::After { after: 400, limit: 9 }, vec![], false),
            (Window::After { after: Seq::MAX, limit: 9 }, vec![], false),
            (Window::Latest { before: Some(Seq::MAX), limit: 2 }, vec![300, 301], true),
            (Window::Latest { before: Some(Seq::MIN), limit: 2 }, vec![], false),
        ] {
            let history = server.history(&room, &anna.id, window).await.unwrap();
            let seqs: Vec<Seq> = history.messages.iter().map(|message| message.seq).collect();
            assert_eq!((seqs, history.more), (expected, more), "{window:?}");
        }
    };
    database.around(test).await;
}

#[tokio::test]
async fn whispers_of_another_server_are_not_pointed_to() {
    let database = TestDatabase::new();
    let (server, other) = (database.store().await, database.store().await);
    let test = async move {
        let (anna, ben) = (person("anna"), person("ben"));
        let room = tea_with(&server, &[&anna, &ben]).await;
        assert_eq!(append(&server, &room, &anna, &["first"]).await, [1]);

        other.append(&room, vec![whispered(&anna, &ben, "psst")]).await.unwrap();
        let outcomes = server.append(&room, vec![said(&ben, "third")]).await.unwrap();

        let [Appended::Stored { message, prev }] = &outcomes[..] else { panic!("{outcomes:?}") };
        assert_eq!((message.seq, *prev), (3, 1));
        for server in [&server, &other] {
            assert_eq!(server.latest_public_seq(&room).await.unwrap(), Some(3));
        }
    };
    database.around(test).await;
}

#[tokio::test]
async fn the_same_client_id_is_stored_once_whichever_server_is_asked() {
    let database = TestDatabase::new();
    let (server, other) = (database.store().await, database.store().await);
    let test = async move {
        let anna = person("anna");
        let room = tea_with(&server, &[&anna]).await;
        let batch = || vec![called("a", said(&anna, "a")), called("b", said(&anna, "b"))];
        append(&server, &room, &anna, &["first"]).await;
        append(&other, &room, &anna, &["second"]).await;

        let both = tokio::join!(server.append(&room, batch()), other.append(&room, batch()));

        let (one, two) = (both.0.unwrap(), both.1.unwrap());
        for outcomes in one.iter().zip(&two) {
            let ((Appended::Stored { message, .. }, Appended::Already(again))
            | (Appended::Already(again), Appended::Stored { message, .. })) = outcomes
            else {
                panic!("{outcomes:?}")
            };
            assert_eq!(message, again);
        }
        assert_eq!(server.latest_public_seq(&room).await.unwrap(), Some(4));
    };
    database.around(test).await;
}

#[tokio::test]
async fn a_room_says_for_admins_how_far_it_has_got() {
    let database = TestDatabase::new();
    let server = database.store().await;
    let raw = database.raw().await;
    let test = async move {
        let (anna, ben) = (person("anna"), person("ben"));
        let room = tea_with(&server, &[&anna, &ben]).await;
        append(&server, &room, &anna, &["first"]).await;
        server.append(&room, vec![whispered(&anna, &ben, "psst")]).await.unwrap();

        let rooms = raw.collection::<Document>("rooms");
        let written = doc! { "_id": room.as_str(), "seq": 2, "head": 1 };
        let said_so = async {
            while rooms.count_documents(written.clone()).await.unwrap() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), said_so).await.expect("it is written");
    };
    database.around(test).await;
}

#[tokio::test]
async fn what_somebody_does_to_sessions_in_the_database_is_noticed() {
    let database = TestDatabase::new();
    let server = database.store().await;
    let raw = database.raw().await;
    let test = async move {
        let keys: Vec<Arc<str>> = ["a", "b", "c"].map(|key| key.repeat(64).into()).to_vec();
        for key in &keys {
            let key = key.to_string();
            let session =
                SessionRow { key, data: Map::new(), passes: Vec::new(), expires_at: at(1_000) };
            assert!(server.create_session(session).await.unwrap());
        }
        assert!(server.ended_sessions(keys.clone(), at(50)).await.unwrap().is_empty());

        let sessions = raw.collection::<Document>("sessions");
        sessions.delete_one(doc! { "_id": &*keys[0] }).await.unwrap();
        let sooner = doc! { "$set": { "expiresAt": DateTime::from_millis(1) } };
        sessions.update_one(doc! { "_id": &*keys[1] }, sooner).await.unwrap();

        let noticed = async {
            while server.ended_sessions(keys.clone(), at(50)).await.unwrap() != keys[..2] {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), noticed).await.expect("it is noticed");
        let later = server.ended_sessions(keys.clone(), at(2_000)).await.unwrap();
        assert_eq!(later, keys);
    };
    database.around(test).await;
}

/// Says all of it, and gives the numbers.
async fn append(server: &dyn Store, room: &RoomId, by: &Person, words: &[&str]) -> Vec<Seq> {
    let drafts = words.iter().map(|words| said(by, words)).collect();
    let outcomes = server.append(room, drafts).await.unwrap();
    let stored = outcomes.into_iter().map(|outcome| match outcome {
        Appended::Stored { message, .. } => message.seq,
        other => panic!("{other:?}"),
    });
    stored.collect()
}
