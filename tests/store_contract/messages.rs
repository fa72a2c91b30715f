//! Messages: stored in their order, once, and read back in stretches.

use std::sync::Arc;

use huechat::{
    domain::{
        AppendError, Author, Body, ClientId, Draft, DraftBody, Gif, GifFacts, Message, Person, Seq,
        SystemCode, Window,
    },
    store::{Appended, LeaveReason, Store},
};

use crate::people::{
    at, called, close, head, one, person, post, read, said, seat, tea_with, twin_of, whispered,
};

/// The message and what it points to.
fn stored(outcome: Appended) -> (Message, Seq) {
    match outcome {
        Appended::Stored { message, prev } => (message, prev),
        other => panic!("{other:?}"),
    }
}

fn already(outcome: Appended) -> Message {
    match outcome {
        Appended::Already(message) => message,
        other => panic!("{other:?}"),
    }
}

fn unsaid(outcome: &Appended) -> AppendError {
    match outcome {
        Appended::AppendError(why) => *why,
        other => panic!("{other:?}"),
    }
}

fn happened(code: SystemCode, to: &Person) -> Draft {
    let body = DraftBody::System { code, person: to.clone() };
    Draft { author: Author::System(to.clone()), body, client_id: None, at: at(2) }
}

fn gif() -> Gif {
    Gif {
        hash: "0123456789abcdef".repeat(4),
        facts: GifFacts {
            width: 320,
            height: 240,
            bytes: 5_000_000_000,
            frames: 12,
            duration_ms: 1_200,
        },
    }
}

pub async fn every_kind_of_message_comes_back_as_it_was_said(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let id = tea_with(&*store, &[&anna, &ben]).await;
    let long = "가🙂".repeat(1_000);
    let drafts = vec![
        called("first!", said(&anna, &long)),
        Draft { body: DraftBody::Gif(gif()), ..said(&anna, "-") },
        called("second", whispered(&anna, &ben, "psst")),
        happened(SystemCode::Joined, &ben),
    ];

    let outcomes = store.append(&id, drafts).await.unwrap();

    let messages: Vec<Message> = outcomes.into_iter().map(|outcome| stored(outcome).0).collect();
    let [text, shared, whisper, system] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(text.body, Body::Text(long));
    assert_eq!(text.client_id.as_ref().map(ClientId::as_str), Some("first!"));
    assert_eq!((&text.room, &text.by, text.at), (&id, &anna, at(1)));
    assert_eq!(shared.body, Body::Gif(gif()));
    assert_eq!(shared.client_id, None);
    assert_eq!(whisper.body, Body::Whisper { to: ben.clone(), text: "psst".to_owned() });
    assert_eq!(system.body, Body::System { code: SystemCode::Joined, person: ben.clone() });
    assert_eq!((&system.by, system.at), (&ben, at(2)));
    let window = Window::After { after: 0, limit: 10 };
    let history = store.history(&id, &ben.id, window).await.unwrap();
    assert_eq!(history.messages, messages);
}

pub async fn numbers_rise_in_the_order_of_the_batch(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = tea_with(&*store, &[&anna]).await;
    let batch = |words: &[&str]| words.iter().map(|text| said(&anna, text)).collect::<Vec<_>>();

    let mut outcomes = store.append(&id, batch(&["one", "two", "three"])).await.unwrap();
    outcomes.extend(store.append(&id, batch(&["four", "five"])).await.unwrap());

    let seqs: Vec<Seq> = outcomes.into_iter().map(|outcome| stored(outcome).0.seq).collect();
    assert!(seqs[0] > 0);
    assert!(seqs.is_sorted_by(|a, b| a < b), "{seqs:?}");
    assert_eq!(head(&*store, &id).await, seqs[4]);
    let all = read(&*store, &id, &anna.id, Window::After { after: 0, limit: 9 }).await;
    assert_eq!(all.0, ["one", "two", "three", "four", "five"]);
}

pub async fn each_message_points_to_the_one_before_that_everybody_sees(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let id = tea_with(&*store, &[&anna, &ben]).await;
    let first = vec![
        whispered(&anna, &ben, "psst"),
        said(&anna, "one"),
        whispered(&ben, &anna, "psst"),
        said(&ben, "two"),
    ];

    let mut outcomes = store.append(&id, first).await.unwrap();
    outcomes.extend(store.append(&id, vec![said(&anna, "three")]).await.unwrap());

    let stored: Vec<_> = outcomes.into_iter().map(stored).collect();
    let prevs: Vec<Seq> = stored.iter().map(|(_, prev)| *prev).collect();
    let seq = |index: usize| stored[index].0.seq;
    assert_eq!(prevs, [0, 0, seq(1), seq(1), seq(3)]);
}

pub async fn a_whisper_moves_no_head(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let id = tea_with(&*store, &[&anna, &ben]).await;
    let heard = post(&*store, &id, said(&anna, "for all")).await;

    let secret = post(&*store, &id, whispered(&anna, &ben, "for one")).await;

    assert!(secret.seq > heard.seq);
    assert_eq!(head(&*store, &id).await, heard.seq);
}

pub async fn what_is_not_stored_is_never_pointed_to(store: Arc<dyn Store>) {
    let (anna, stranger) = (person("anna"), person("stranger"));
    let id = tea_with(&*store, &[&anna]).await;
    let known = post(&*store, &id, called("known", said(&anna, "zero"))).await;
    let batch = vec![
        said(&stranger, "unsaid"),
        said(&anna, "one"),
        called("known", said(&anna, "again")),
        whispered(&anna, &stranger, "unsaid"),
        said(&anna, "two"),
        called("known", said(&anna, "and again")),
        said(&stranger, "unsaid at the end"),
    ];

    let outcomes = store.append(&id, batch).await.unwrap();

    let newest = head(&*store, &id).await;
    let (next, after) = stored(one(store.append(&id, vec![said(&anna, "3")]).await.unwrap()));
    let stored: Vec<_> = outcomes.into_iter().filter(is_stored).map(stored).collect();
    let [(first, before_first), (second, before_second)] = &stored[..] else {
        panic!("{stored:?}")
    };
    assert_eq!(*before_first, known.seq);
    assert_eq!(*before_second, first.seq);
    assert_eq!(newest, second.seq);
    assert_eq!(after, second.seq);
    assert!(next.seq > second.seq);
}

fn is_stored(outcome: &Appended) -> bool {
    matches!(outcome, Appended::Stored { .. })
}

pub async fn an_author_is_called_as_their_seat_says(store: Arc<dyn Store>) {
    let anna = person("anna");
    let twin = twin_of(&anna, "twin");
    let id = tea_with(&*store, &[&anna]).await;
    let twin_there = seat(&*store, &id, &twin).await;

    let by_twin = post(&*store, &id, said(&twin, "hello")).await;
    let to_twin = post(&*store, &id, whispered(&anna, &twin, "hello")).await;

    assert_eq!(twin_there.name, anna.name.next());
    assert_eq!(by_twin.by, twin_there);
    assert_eq!(to_twin.body, Body::Whisper { to: twin_there, text: "hello".to_owned() });
}

pub async fn nobody_speaks_where_they_have_no_seat(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let id = tea_with(&*store, &[&anna, &ben]).await;
    store.depart(&id, &ben.id, LeaveReason::Now).await.unwrap();

    let batch = vec![said(&ben, "let me"), said(&anna, "no"), whispered(&ben, &anna, "please")];
    let outcomes = store.append(&id, batch).await.unwrap();

    assert_eq!(unsaid(&outcomes[0]), AppendError::NotInRoom);
    assert!(is_stored(&outcomes[1]));
    assert_eq!(unsaid(&outcomes[2]), AppendError::NotInRoom);
    let all = read(&*store, &id, &anna.id, Window::After { after: 0, limit: 9 }).await;
    assert_eq!(all.0, ["no"]);
}

pub async fn nothing_is_whispered_to_who_is_not_there(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let id = tea_with(&*store, &[&anna]).await;

    let outcomes = store.append(&id, vec![whispered(&anna, &ben, "psst")]).await.unwrap();

    assert_eq!(unsaid(&one(outcomes)), AppendError::NotHere);
}

pub async fn nothing_is_said_in_a_room_that_is_gone(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = tea_with(&*store, &[&anna]).await;
    close(&*store, &id).await;

    let batch = vec![said(&anna, "hello"), happened(SystemCode::Left, &anna)];
    let outcomes = store.append(&id, batch).await.unwrap();

    assert_eq!(outcomes.len(), 2);
    assert!(outcomes.iter().all(|outcome| unsaid(outcome) == AppendError::NoSuchRoom));
    assert_eq!(store.orphans().await.unwrap(), []);
}

pub async fn the_room_speaks_of_those_who_have_left(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let id = tea_with(&*store, &[&anna, &ben]).await;
    store.depart(&id, &ben.id, LeaveReason::Now).await.unwrap();

    let message = post(&*store, &id, happened(SystemCode::Left, &ben)).await;

    assert_eq!(message.by, ben);
    assert_eq!(head(&*store, &id).await, message.seq);
}

pub async fn an_empty_batch_stores_nothing(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = tea_with(&*store, &[&anna]).await;
    let message = post(&*store, &id, said(&anna, "hello")).await;

    assert_eq!(store.append(&id, Vec::new()).await.unwrap().len(), 0);

    assert_eq!(head(&*store, &id).await, message.seq);
}

pub async fn the_same_client_id_is_stored_once(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = tea_with(&*store, &[&anna]).await;
    let first = post(&*store, &id, called("a", said(&anna, "hello"))).await;

    let retry = called("a", Draft { at: at(9), ..said(&anna, "hello again") });
    let answer = one(store.append(&id, vec![retry]).await.unwrap());

    assert_eq!(already(answer), first);
    let all = read(&*store, &id, &anna.id, Window::After { after: 0, limit: 9 }).await;
    assert_eq!(all.0, ["hello"]);
}

pub async fn the_same_client_id_twice_in_one_batch_is_stored_once(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = tea_with(&*store, &[&anna]).await;
    let batch = vec![
        called("a", said(&anna, "one")),
        called("b", said(&anna, "two")),
        called("a", said(&anna, "three")),
        called("c", happened(SystemCode::Joined, &anna)),
        called("c", happened(SystemCode::Left, &anna)),
    ];

    let outcomes = store.append(&id, batch).await.unwrap();

    let [a, b, again, c, c_again] = <[Appended; 5]>::try_from(outcomes).unwrap();
    let (first, _) = stored(a);
    assert_eq!(first.body, Body::Text("one".to_owned()));
    assert_eq!(already(again), first);
    let (last, before_last) = stored(c);
    assert_eq!(before_last, stored(b).0.seq);
    assert_eq!(already(c_again), last);
    assert_eq!(head(&*store, &id).await, last.seq);
}

pub async fn a_retry_after_leaving_gets_the_first_message_back(store: Arc<dyn Store>) {
    let (anna, ben, carl) = (person("anna"), person("ben"), person("carl"));
    let id = tea_with(&*store, &[&anna, &ben, &carl]).await;
    let bye = called("bye", said(&ben, "bye"));
    let psst = called("psst", whispered(&carl, &ben, "psst"));
    let first = post(&*store, &id, bye.clone()).await;
    let second = post(&*store, &id, psst.clone()).await;
    store.depart(&id, &ben.id, LeaveReason::Now).await.unwrap();

    let outcomes = store.append(&id, vec![bye, psst]).await.unwrap();

    let messages: Vec<_> = outcomes.into_iter().map(already).collect();
    assert_eq!(messages, [first.clone(), second]);
    assert_eq!(head(&*store, &id).await, first.seq);
}

pub async fn a_client_id_belongs_to_one_person_in_one_room(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let id = tea_with(&*store, &[&anna, &ben]).await;
    let other = tea_with(&*store, &[&anna]).await;

    let first = post(&*store, &id, called("a", said(&anna, "one"))).await;
    let second = post(&*store, &id, called("a", said(&ben, "two"))).await;
    let third = post(&*store, &other, called("a", said(&anna, "three"))).await;

    assert_ne!(first.id, second.id);
    assert_ne!(first.id, third.id);
}

pub async fn what_a_batch_says_later_was_not_said_before(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let id = tea_with(&*store, &[&anna]).await;
    let batch =
        vec![called("a", whispered(&anna, &ben, "psst")), called("a", said(&anna, "hello"))];

    let outcomes = store.append(&id, batch).await.unwrap();

    assert_eq!(unsaid(&outcomes[0]), AppendError::NotHere);
    assert!(is_stored(&outcomes[1]));
}
