//! Histories that have become too long.

use std::sync::Arc;

use huechat::{
    domain::{Draft, DraftBody, Gif, GifFacts, Person, RoomId, Seq, Window},
    store::{Store, Trimmed},
};

use crate::people::{called, head, person, post, read, said, tea_with, whispered};

const MANY: usize = 1_000;

const NOTHING: Trimmed = Trimmed { unused: Vec::new(), more: false };

fn gif(hash: &str) -> Gif {
    let facts = GifFacts { width: 3, height: 2, bytes: 99, frames: 1, duration_ms: 100 };
    Gif { hash: hash.repeat(64), facts }
}

async fn share(store: &dyn Store, id: &RoomId, by: &Person, hash: &str) -> Seq {
    let draft = Draft { body: DraftBody::Gif(gif(hash)), ..said(by, "-") };
    post(store, id, draft).await.seq
}

pub async fn the_oldest_messages_go_and_the_rest_stays_as_it_was(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let id = tea_with(&*store, &[&anna, &ben]).await;
    let mut seqs = Vec::new();
    for draft in [
        said(&anna, "one"),
        called("two", said(&anna, "two")),
        whispered(&anna, &ben, "three"),
        said(&anna, "four"),
        said(&anna, "five"),
    ] {
        seqs.push(post(&*store, &id, draft).await.seq);
    }
    let before = head(&*store, &id).await;
    for _ in 0..2 {
        assert_eq!(store.trim(&id, seqs[2], MANY).await.unwrap(), NOTHING);
    }

    let latest = Window::Latest { before: None, limit: 2 };
    assert_eq!(
        read(&*store, &id, &ben.id, latest).await,
        (vec!["four".into(), "five".into()], false)
    );
    let older = Window::Latest { before: Some(seqs[3]), limit: 2 };
    assert_eq!(read(&*store, &id, &ben.id, older).await, (vec![], false));
    let newer = Window::After { after: seqs[0], limit: 9 };
    assert_eq!(
        read(&*store, &id, &ben.id, newer).await,
        (vec!["four".into(), "five".into()], false)
    );
    assert_eq!(head(&*store, &id).await, before);
    let next = post(&*store, &id, said(&anna, "six")).await;
    assert!(next.seq > seqs[4]);
}

pub async fn a_long_history_goes_step_by_step(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = tea_with(&*store, &[&anna]).await;
    let mut seqs = Vec::new();
    for number in 1..=5 {
        seqs.push(post(&*store, &id, said(&anna, &number.to_string())).await.seq);
    }
    let all = Window::Latest { before: None, limit: 9 };

    let first = store.trim(&id, seqs[2], 2).await.unwrap();
    assert!(first.more);
    assert_eq!(read(&*store, &id, &anna.id, all).await.0.join(" "), "3 4 5");
    let second = store.trim(&id, seqs[2], 2).await.unwrap();
    assert!(!second.more);
    assert_eq!(read(&*store, &id, &anna.id, all).await.0.join(" "), "4 5");
}

pub async fn what_is_trimmed_away_takes_along_the_gifs_that_nobody_shows_any_more(
    store: Arc<dyn Store>,
) {
    let anna = person("anna");
    let id = tea_with(&*store, &[&anna]).await;
    let elsewhere = tea_with(&*store, &[&anna]).await;
    share(&*store, &id, &anna, "a").await;
    share(&*store, &id, &anna, "b").await;
    let deleted = share(&*store, &id, &anna, "c").await;
    store.delete_message(&id, deleted, &anna.id, false).await.unwrap();
    let last_old = share(&*store, &id, &anna, "b").await;
    let shown_again = share(&*store, &id, &anna, "a").await;
    share(&*store, &elsewhere, &anna, "b").await;

    let trimmed = store.trim(&id, last_old, MANY).await.unwrap();
    assert_eq!(trimmed, Trimmed { unused: vec![gif("b")], more: false });
    let trimmed = store.trim(&id, shown_again, MANY).await.unwrap();
    assert_eq!(trimmed, Trimmed { unused: vec![gif("a")], more: false });
}

pub async fn trimming_one_room_leaves_the_others_alone(store: Arc<dyn Store>) {
    let anna = person("anna");
    let (id, other) = (tea_with(&*store, &[&anna]).await, tea_with(&*store, &[&anna]).await);
    for room in [&id, &other] {
        post(&*store, room, said(&anna, "hello")).await;
    }

    store.trim(&id, Seq::MAX, MANY).await.unwrap();

    let all = Window::Latest { before: None, limit: 9 };
    assert_eq!(read(&*store, &id, &anna.id, all).await.0, Vec::<String>::new());
    assert_eq!(read(&*store, &other, &anna.id, all).await.0, ["hello"]);
}
