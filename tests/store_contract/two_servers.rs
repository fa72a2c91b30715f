//! What holds when two servers share a database.

use std::{collections::HashMap, sync::Arc};

use huechat::{
    domain::{Person, RoomId, Seq},
    store::{Appended, Store},
};

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
