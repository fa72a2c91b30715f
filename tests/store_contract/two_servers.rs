//! What holds when two servers share a database.

use std::{collections::HashMap, sync::Arc};

use huechat::{
    domain::{Person, RoomId, Seq, Window},
    store::{Appended, Store},
};
use mongodb::bson::{Document, doc, oid::ObjectId};

use crate::{
    mongo_server::TestDatabase,
    people::{person, said, tea_with},
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
async fn batches_of_many_rooms_share_no_number_and_point_past_nothing() {
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
            for pair in stored.windows(2) {
                let [(before, _), (seq, prev)] = pair else { unreachable!() };
                // A number between them was taken and stayed unused.
                assert!(before < seq && before <= prev && prev < seq, "{pair:?}");
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
        let [first] = append(&server, &room, &anna, &["first"]).await[..] else { panic!() };
        let (rooms, chats) = (raw.collection::<Document>("rooms"), raw.collection("chats"));

        // The dead one took three numbers; the second message has arrived.
        let taken = doc! { "$inc": { "seq": 3, "head": 3 } };
        rooms.update_one(doc! { "_id": room.as_str() }, taken).await.unwrap();
        let model: Document =
            chats.find_one(doc! { "room": room.as_str() }).await.unwrap().unwrap();
        let late = |seq: Seq| {
            let mut late: Document = model.clone();
            late.extend(doc! { "_id": ObjectId::new(), "seq": seq });
            late
        };
        chats.insert_one(late(first + 2)).await.unwrap();

        // One that has just begun, and knows nothing of the room.
        assert_eq!(append(&successor, &room, &anna, &["second"]).await, [first + 4]);
        for seq in [first + 1, first + 3] {
            chats.insert_one(late(seq)).await.unwrap_err();
        }
        assert_eq!(
            append(&successor, &room, &anna, &["third", "fourth"]).await,
            [first + 5, first + 6]
        );

        let all = Window::After { after: 0, limit: 100 };
        let history = successor.history(&room, &anna.id, all).await.unwrap();
        let seqs: Vec<Seq> = history.messages.iter().map(|message| message.seq - first).collect();
        assert_eq!(seqs, [0, 2, 4, 5, 6]);
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
