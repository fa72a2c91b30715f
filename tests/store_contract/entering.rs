//! Taking a seat, and coming back to it.

use std::sync::Arc;

use huechat::{
    domain::{Capacity, EntryError, NodeId, Person, RoomId, SeatSocket},
    store::{EnterOutcome, Entry, NewRoom, Store},
};

use crate::people::{
    at, close, entry, hash, ids, kick, leave, let_in, open, person, refused, room, seat, seated,
    send_away, socket_of, tab, tea_room, tea_with, twin_of,
};

pub async fn a_newcomer_has_a_seat_and_the_room_waits_no_more(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = open(&*store, tea_room()).await;

    let entering = store.enter(Entry { at: at(3), ..entry(&id, &anna) }).await.unwrap();

    let EnterOutcome::Newcomer { person, room: entered } = entering else { panic!("{entering:?}") };
    assert_eq!(person, anna);
    assert_eq!(entered.empty_since, None);
    let [seat] = &entered.people[..] else { panic!("{entered:?}") };
    assert_eq!(seat.person, anna);
    assert_eq!(seat.since, at(3));
    assert_eq!(seat.left_at, None);
    let socket = SeatSocket { id: socket_of(&anna), node: NodeId::new("node") };
    assert_eq!(seat.sockets, [socket]);
    assert_eq!(room(&*store, &id).await, entered);
}

pub async fn whoever_enters_is_called_as_the_rules_say(store: Arc<dyn Store>) {
    let olga = person("olga");
    let id = open(&*store, tea_room()).await;

    let first = seat(&*store, &id, &twin_of(&olga, "first twin")).await;
    let second = seat(&*store, &id, &twin_of(&olga, "second twin")).await;
    let owner = seat(&*store, &id, &olga).await;

    assert_eq!(first.name, olga.name.next());
    assert_eq!(second.name, olga.name.next().next());
    assert_eq!(owner.name, olga.name);
    let again = store.enter(entry(&id, &twin_of(&olga, "first twin"))).await.unwrap();
    assert_eq!(let_in(again).0, first);
}

pub async fn a_name_is_free_as_soon_as_its_person_has_gone(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let id = tea_with(&*store, &[&anna, &ben]).await;
    leave(&*store, &id, &anna).await;

    let twin = twin_of(&anna, "twin");
    assert_eq!(seat(&*store, &id, &twin).await.name, anna.name);
}

pub async fn the_same_socket_entering_twice_is_there_once(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = tea_with(&*store, &[&anna]).await;

    let again = store.enter(entry(&id, &anna)).await.unwrap();

    let EnterOutcome::Returned { person, room } = again else { panic!("{again:?}") };
    assert_eq!(person, anna);
    assert_eq!(room.people.len(), 1);
    assert_eq!(room.people[0].sockets.len(), 1);
}

pub async fn another_tab_joins_the_seat_of_its_person(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = tea_with(&*store, &[&anna]).await;

    let another = Entry { at: at(9), ..tab("tab 2", entry(&id, &anna)) };
    let entering = store.enter(another).await.unwrap();

    let EnterOutcome::Returned { room, .. } = entering else { panic!("{entering:?}") };
    assert_eq!(room.people.len(), 1);
    assert_eq!(room.people[0].sockets.len(), 2);
    assert_eq!(room.people[0].since, at(0));
}

pub async fn nobody_enters_a_room_that_is_gone(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = tea_with(&*store, &[&anna]).await;
    close(&*store, &id).await;

    assert_eq!(refused(&*store, entry(&id, &anna)).await, EntryError::NoSuchRoom);
    assert_eq!(refused(&*store, entry(&RoomId::random(), &anna)).await, EntryError::NoSuchRoom);
}

pub async fn only_who_knows_the_password_comes_in(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = open(&*store, NewRoom { password: Some(hash("sesame")), ..tea_room() }).await;
    let authorize = |passed: Option<&str>| Entry { passed: passed.map(hash), ..entry(&id, &anna) };

    assert_eq!(refused(&*store, authorize(None)).await, EntryError::WrongPassword);
    assert_eq!(refused(&*store, authorize(Some("an old one"))).await, EntryError::WrongPassword);
    let entering = store.enter(authorize(Some("sesame"))).await.unwrap();

    assert!(matches!(entering, EnterOutcome::Newcomer { .. }), "{entering:?}");
}

pub async fn the_owner_needs_no_password(store: Arc<dyn Store>) {
    let id = open(&*store, NewRoom { password: Some(hash("sesame")), ..tea_room() }).await;

    seat(&*store, &id, &person("olga")).await;

    assert_eq!(seated(&*store, &id).await, ids(&[&person("olga")]));
}

pub async fn the_reasons_to_refuse_come_in_their_order(store: Arc<dyn Store>) {
    let (anna, ben, olga) = (person("anna"), person("ben"), person("olga"));
    let secret = NewRoom { max: Capacity::new(2), password: Some(hash("sesame")), ..tea_room() };
    let id = open(&*store, secret).await;
    let knowing = |who: &Person| Entry { passed: Some(hash("sesame")), ..entry(&id, who) };
    seat(&*store, &id, &olga).await;
    let_in(store.enter(knowing(&anna)).await.unwrap());
    kick(&*store, &id, &anna).await;
    let_in(store.enter(knowing(&ben)).await.unwrap());

    assert_eq!(refused(&*store, entry(&id, &anna)).await, EntryError::WrongPassword);
    assert_eq!(refused(&*store, knowing(&anna)).await, EntryError::Kicked);
    assert_eq!(refused(&*store, knowing(&person("carl"))).await, EntryError::RoomFull);
}

pub async fn capacity_counts_people_and_not_tabs(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let id = open(&*store, NewRoom { max: Capacity::new(2), ..tea_room() }).await;
    for n in 0..5 {
        let_in(store.enter(tab(&format!("tab {n}"), entry(&id, &anna))).await.unwrap());
    }

    seat(&*store, &id, &ben).await;

    assert_eq!(refused(&*store, entry(&id, &person("carl"))).await, EntryError::RoomFull);
    leave(&*store, &id, &ben).await;
    seat(&*store, &id, &person("carl")).await;
}

pub async fn whoever_is_away_comes_back_past_password_and_full_house(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let secret = NewRoom { max: Capacity::new(2), password: Some(hash("sesame")), ..tea_room() };
    let id = open(&*store, secret).await;
    for guest in [&anna, &ben] {
        let knowing = Entry { passed: Some(hash("sesame")), ..entry(&id, guest) };
        let_in(store.enter(knowing).await.unwrap());
    }
    send_away(&*store, &id, &anna, at(5)).await;

    let entering = store.enter(tab("anew", entry(&id, &anna))).await.unwrap();

    let EnterOutcome::Returned { person, room } = entering else { panic!("{entering:?}") };
    assert_eq!(person, anna);
    let seat = room.seat(&anna.id).unwrap();
    assert_eq!(seat.left_at, None);
    assert_eq!(seat.sockets.len(), 1);
    assert_eq!(room.people[0].person, anna);
}
