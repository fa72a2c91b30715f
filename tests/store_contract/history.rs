//! Messages read back in stretches.

use std::sync::Arc;

use huechat::{
    domain::{MessageText, Person, RoomId, Seq, Window},
    store::Store,
};

use crate::people::{person, post, read, said, tea_with, whispered};

/// A room where Anna counted from 1 to `count`, and the numbers her messages got.
async fn counted(store: &dyn Store, anna: &Person, count: usize) -> (RoomId, Vec<Seq>) {
    let id = tea_with(store, &[anna]).await;
    let mut seqs = Vec::new();
    for number in 1..=count {
        seqs.push(post(store, &id, said(anna, &number.to_string())).await.seq);
    }
    (id, seqs)
}

pub async fn the_latest_messages_come_in_their_order(store: Arc<dyn Store>) {
    let anna = person("anna");
    let (id, _) = counted(&*store, &anna, 5).await;
    let latest = |limit| Window::Latest { before: None, limit };

    for (limit, words, more) in [
        (2, vec!["4", "5"], true),
        (4, vec!["2", "3", "4", "5"], true),
        (5, vec!["1", "2", "3", "4", "5"], false),
        (9, vec!["1", "2", "3", "4", "5"], false),
        (0, vec![], true),
    ] {
        let (found, there_are_more) = read(&*store, &id, &anna.id, latest(limit)).await;
        assert_eq!(
            (found, there_are_more),
            (words.iter().map(ToString::to_string).collect(), more)
        );
    }
}

pub async fn older_messages_are_found_page_by_page(store: Arc<dyn Store>) {
    let anna = person("anna");
    let (id, seqs) = counted(&*store, &anna, 5).await;
    let before = |seq| Window::Latest { before: Some(seq), limit: 2 };

    let first = read(&*store, &id, &anna.id, before(seqs[4])).await;
    let second = read(&*store, &id, &anna.id, before(seqs[2])).await;
    let third = read(&*store, &id, &anna.id, before(seqs[0])).await;

    assert_eq!((first.0.join(" "), first.1), ("3 4".to_owned(), true));
    assert_eq!((second.0.join(" "), second.1), ("1 2".to_owned(), false));
    assert_eq!((third.0.join(" "), third.1), (String::new(), false));
}

pub async fn newer_messages_are_found_page_by_page(store: Arc<dyn Store>) {
    let anna = person("anna");
    let (id, seqs) = counted(&*store, &anna, 5).await;
    let after = |after| Window::After { after, limit: 2 };

    let first = read(&*store, &id, &anna.id, after(0)).await;
    let second = read(&*store, &id, &anna.id, after(seqs[2])).await;
    let third = read(&*store, &id, &anna.id, after(seqs[4])).await;

    assert_eq!((first.0.join(" "), first.1), ("1 2".to_owned(), true));
    assert_eq!((second.0.join(" "), second.1), ("4 5".to_owned(), false));
    assert_eq!((third.0.join(" "), third.1), (String::new(), false));
}

pub async fn whispers_are_seen_by_two_and_take_no_place_on_a_page(store: Arc<dyn Store>) {
    let (anna, ben, carl) = (person("anna"), person("ben"), person("carl"));
    let id = tea_with(&*store, &[&anna, &ben, &carl]).await;
    let text = |words: &str| MessageText::parse(words).unwrap().into_string();
    let mut batch = vec![said(&anna, "hello"), whispered(&anna, &ben, "psst")];
    batch.extend((0..5).map(|_| whispered(&ben, &anna, "psst")));
    batch.push(said(&carl, "secrets?"));
    store.append(&id, batch).await.unwrap();
    let latest = Window::Latest { before: None, limit: 2 };

    let by_carl = read(&*store, &id, &carl.id, latest).await;
    let by_stranger = read(&*store, &id, &person("stranger").id, latest).await;
    let by_anna = read(&*store, &id, &anna.id, latest).await;
    let all_of_ben = read(&*store, &id, &ben.id, Window::After { after: 0, limit: 9 }).await;

    assert_eq!(by_carl, (vec![text("hello"), text("secrets?")], false));
    assert_eq!(by_stranger, by_carl);
    assert_eq!(by_anna, (vec![text("psst"), text("secrets?")], true));
    assert_eq!(all_of_ben.0.len(), 8);
}

pub async fn several_who_are_read_for_together_see_what_each_sees_alone(store: Arc<dyn Store>) {
    let (anna, ben, carl) = (person("anna"), person("ben"), person("carl"));
    let id = tea_with(&*store, &[&anna, &ben, &carl]).await;
    let mut batch = vec![said(&anna, "1"), whispered(&anna, &ben, "2"), said(&carl, "3")];
    batch.extend([said(&ben, "4"), whispered(&carl, &anna, "5"), said(&carl, "6")]);
    store.append(&id, batch).await.unwrap();
    let viewers = [carl.id, person("stranger").id, anna.id, ben.id];

    for limit in 0..=7 {
        for window in [
            Window::Latest { before: None, limit },
            Window::Latest { before: Some(6), limit },
            Window::Latest { before: Some(4), limit },
            Window::After { after: 0, limit },
            Window::After { after: 3, limit },
        ] {
            let together = store.histories(&id, &viewers, window).await.unwrap();

            for (viewer, seen) in viewers.iter().zip(&together) {
                let alone = store.history(&id, viewer, window).await.unwrap();
                assert_eq!(*seen, alone, "{viewer} in {window:?}");
            }
            assert_eq!(together.len(), viewers.len());
        }
    }
    assert!(
        store.histories(&id, &[], Window::After { after: 0, limit: 9 }).await.unwrap().is_empty()
    );
}

pub async fn a_room_without_messages_has_no_history(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = tea_with(&*store, &[&anna]).await;

    for room in [&id, &RoomId::random()] {
        for window in [
            Window::Latest { before: None, limit: 9 },
            Window::Latest { before: None, limit: 0 },
            Window::After { after: 0, limit: 9 },
        ] {
            let history = store.history(room, &anna.id, window).await.unwrap();
            assert_eq!((history.messages.len(), history.more), (0, false));
        }
    }
}
