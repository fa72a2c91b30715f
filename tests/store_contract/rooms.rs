//! A room's birth and end.

use std::{slice, sync::Arc};

use huechat::{
    domain::{PersonId, RoomId, Window},
    store::{Closing, LeaveReason, NewRoom, Store},
};

use crate::people::{
    at, close, hash, head, open, person, post, room, said, seat, seated, send_away, tea_room,
    tea_with,
};

const ALL: Window = Window::After { after: 0, limit: 100 };

pub async fn a_new_room_waits_for_its_first_person(store: Arc<dyn Store>) {
    let new = NewRoom { password: Some(hash("sesame")), created_at: at(7), ..tea_room() };

    let id = open(&*store, new.clone()).await;

    let found = room(&*store, &id).await;
    assert_eq!(found.id, new.id);
    assert_eq!(found.title, new.title);
    assert_eq!(found.max, new.max);
    assert_eq!(found.owner, new.owner);
    assert_eq!(found.password, new.password);
    assert!(!found.locked);
    assert_eq!(head(&*store, &id).await, 0);
    assert_eq!(found.people, []);
    assert_eq!(found.kicked, []);
    assert_eq!(found.created_at, at(7));
    assert_eq!(found.empty_since, Some(at(7)));
}

pub async fn a_room_that_nobody_made_is_not_there(store: Arc<dyn Store>) {
    let nowhere = RoomId::random();

    assert_eq!(store.room(&nowhere).await.unwrap(), None);
    assert!(!store.close(&nowhere, Closing::By(person("anna").id)).await.unwrap());
    assert_eq!(store.replace_absent_owner(&nowhere).await.unwrap(), None);
}

pub async fn no_more_rooms_are_made_than_allowed(store: Arc<dyn Store>) {
    let too_many = tea_room();

    assert!(!store.open(tea_room(), 0).await.unwrap());
    assert!(store.open(tea_room(), 2).await.unwrap());
    assert!(store.open(tea_room(), 2).await.unwrap());
    assert!(!store.open(too_many.clone(), 2).await.unwrap());

    assert_eq!(store.room(&too_many.id).await.unwrap(), None);
}

pub async fn a_room_is_closed_once_whoever_is_there(store: Arc<dyn Store>) {
    let id = tea_with(&*store, &[&person("anna")]).await;

    assert!(close(&*store, &id).await);
    assert!(!close(&*store, &id).await);

    assert_eq!(store.room(&id).await.unwrap(), None);
}

pub async fn an_unused_room_is_closed_only_when_its_time_is_over(store: Arc<dyn Store>) {
    let id = open(&*store, NewRoom { created_at: at(60), ..tea_room() }).await;

    assert!(!store.close(&id, Closing::IfUnusedSince(at(59))).await.unwrap());
    assert!(store.close(&id, Closing::IfUnusedSince(at(60))).await.unwrap());

    assert_eq!(store.room(&id).await.unwrap(), None);
}

pub async fn a_room_that_somebody_has_entered_is_not_unused(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = tea_with(&*store, &[&anna]).await;
    send_away(&*store, &id, &anna, at(1)).await;

    assert!(!store.close(&id, Closing::IfUnusedSince(at(1_000))).await.unwrap());

    assert_eq!(seated(&*store, &id).await, [anna.id]);
}

pub async fn a_room_is_overdue_when_somebody_is_away_or_nobody_ever_came(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let unused = open(&*store, NewRoom { created_at: at(10), ..tea_room() }).await;
    let left = tea_with(&*store, &[&anna, &ben]).await;
    send_away(&*store, &left, &ben, at(20)).await;
    let _lively = tea_with(&*store, &[&anna]).await;

    let nothing = store.overdue(at(19), at(9)).await.unwrap();
    let waiting = store.overdue(at(19), at(10)).await.unwrap();
    let away = store.overdue(at(20), at(9)).await.unwrap();
    let mut both = store.overdue(at(99), at(99)).await.unwrap();

    assert_eq!(nothing, []);
    assert_eq!(waiting, slice::from_ref(&unused));
    assert_eq!(away, slice::from_ref(&left));
    both.sort();
    let mut expected = [unused, left];
    expected.sort();
    assert_eq!(both, expected);
}

pub async fn the_messages_of_a_room_outlive_it_until_they_are_purged(store: Arc<dyn Store>) {
    let anna = person("anna");
    let other = tea_with(&*store, &[&anna]).await;
    post(&*store, &other, said(&anna, "elsewhere")).await;
    let id = tea_with(&*store, &[&anna]).await;
    post(&*store, &id, said(&anna, "hello")).await;
    post(&*store, &id, said(&anna, "and goodbye")).await;
    store.depart(&id, &anna.id, LeaveReason::Now).await.unwrap();

    assert_eq!(store.orphans().await.unwrap(), slice::from_ref(&id));
    store.purge(&id).await.unwrap();
    store.purge(&id).await.unwrap();

    assert_eq!(store.orphans().await.unwrap(), []);
    assert_eq!(texts(&*store, &id, &anna.id).await, 0);
    assert_eq!(texts(&*store, &other, &anna.id).await, 1);
}

pub async fn purging_leaves_a_room_that_exists_alone(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = tea_with(&*store, &[&anna]).await;
    post(&*store, &id, said(&anna, "hello")).await;

    store.purge(&id).await.unwrap();

    assert_eq!(store.orphans().await.unwrap(), []);
    assert_eq!(texts(&*store, &id, &anna.id).await, 1);
    seat(&*store, &id, &person("ben")).await;
}

async fn texts(store: &dyn Store, room: &RoomId, viewer: &PersonId) -> usize {
    store.history(room, viewer, ALL).await.unwrap().messages.len()
}

pub async fn the_store_is_ready(store: Arc<dyn Store>) {
    store.ready().await.unwrap();
}
