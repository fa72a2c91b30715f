//! Servers that die, and those that stop.

use std::sync::Arc;

use futures_util::future::join_all;
use huechat::{
    domain::{NodeId, Person, RoomId, Seat, SocketId},
    store::{Entry, NewRoom, Store},
};

use crate::people::{at, entry, let_in, open, person, room, send_away, tea_room, tea_with};

async fn connect(store: &dyn Store, room: &RoomId, person: &Person, node: &NodeId) {
    let socket = SocketId::new(format!("{} on {node}", person.id));
    let entry = Entry { socket, node: node.clone(), ..entry(room, person) };
    let_in(store.enter(entry).await.unwrap());
}

async fn seat_of(store: &dyn Store, id: &RoomId, person: &Person) -> Seat {
    room(store, id).await.seat(&person.id).cloned().expect("they have a seat")
}

/// A room with somebody connected to this node.
async fn room_on(store: &dyn Store, node: &NodeId) -> (RoomId, Person) {
    let anna = person("anna");
    let id = tea_with(store, &[]).await;
    connect(store, &id, &anna, node).await;
    (id, anna)
}

pub async fn the_connections_of_a_silent_node_go(store: Arc<dyn Store>) {
    let (alive, dead) = (NodeId::random(), NodeId::random());
    store.heartbeat(&dead, at(10)).await.unwrap();
    store.heartbeat(&alive, at(30)).await.unwrap();
    let (first, anna) = room_on(&*store, &dead).await;
    let (second, _) = room_on(&*store, &dead).await;
    let ben = person("ben");
    connect(&*store, &first, &ben, &alive).await;

    store.reap_dead_nodes(&alive, at(10), at(31)).await.unwrap();

    for id in [&first, &second] {
        let seat = seat_of(&*store, id, &anna).await;
        assert_eq!((seat.sockets.len(), seat.left_at), (0, Some(at(31))));
    }
    let seat = seat_of(&*store, &first, &ben).await;
    assert_eq!((seat.sockets.len(), seat.left_at), (1, None));
    let mut away = store.overdue(at(31), at(-1)).await.unwrap();
    away.sort();
    let mut expected = [first, second];
    expected.sort();
    assert_eq!(away, expected);
}

pub async fn a_node_without_a_row_counts_as_dead(store: Arc<dyn Store>) {
    let (alive, unknown) = (NodeId::random(), NodeId::random());
    store.heartbeat(&alive, at(30)).await.unwrap();
    let (id, anna) = room_on(&*store, &unknown).await;

    store.reap_dead_nodes(&alive, at(10), at(31)).await.unwrap();

    assert_eq!(seat_of(&*store, &id, &anna).await.left_at, Some(at(31)));
}

pub async fn the_node_that_buries_never_counts_as_dead(store: Arc<dyn Store>) {
    let (silent, unknown) = (NodeId::random(), NodeId::random());
    store.heartbeat(&silent, at(1)).await.unwrap();
    let (first, anna) = room_on(&*store, &silent).await;

    store.reap_dead_nodes(&silent, at(10), at(31)).await.unwrap();
    let after_its_own = seat_of(&*store, &first, &anna).await;
    store.retire(&silent, at(32)).await.unwrap();
    let (second, _) = room_on(&*store, &unknown).await;
    store.reap_dead_nodes(&unknown, at(10), at(33)).await.unwrap();

    assert_eq!(after_its_own.left_at, None);
    assert_eq!(seat_of(&*store, &second, &anna).await.left_at, None);
}

pub async fn a_node_that_was_heard_of_in_time_lives(store: Arc<dyn Store>) {
    let (alive, quiet) = (NodeId::random(), NodeId::random());
    store.heartbeat(&quiet, at(10)).await.unwrap();
    store.heartbeat(&quiet, at(11)).await.unwrap();
    let (id, anna) = room_on(&*store, &quiet).await;

    store.reap_dead_nodes(&alive, at(10), at(31)).await.unwrap();
    let while_alive = seat_of(&*store, &id, &anna).await;
    store.reap_dead_nodes(&alive, at(11), at(32)).await.unwrap();

    assert_eq!((while_alive.sockets.len(), while_alive.left_at), (1, None));
    assert_eq!(seat_of(&*store, &id, &anna).await.left_at, Some(at(32)));
}

pub async fn a_seat_with_a_connection_elsewhere_stays(store: Arc<dyn Store>) {
    let (alive, first, second) = (NodeId::random(), NodeId::random(), NodeId::random());
    let (id, anna) = room_on(&*store, &first).await;
    connect(&*store, &id, &anna, &alive).await;
    connect(&*store, &id, &anna, &second).await;
    let ben = person("ben");
    connect(&*store, &id, &ben, &first).await;
    connect(&*store, &id, &ben, &second).await;

    store.reap_dead_nodes(&alive, at(10), at(31)).await.unwrap();

    let seat = seat_of(&*store, &id, &anna).await;
    assert_eq!((seat.sockets.len(), seat.left_at), (1, None));
    assert_eq!(seat.sockets[0].node, alive);
    let seat = seat_of(&*store, &id, &ben).await;
    assert_eq!((seat.sockets.len(), seat.left_at), (0, Some(at(31))));
}

pub async fn whoever_was_away_already_stays_away_since_then(store: Arc<dyn Store>) {
    let (alive, dead) = (NodeId::random(), NodeId::random());
    let ben = person("ben");
    let id = tea_with(&*store, &[&ben]).await;
    send_away(&*store, &id, &ben, at(5)).await;
    connect(&*store, &id, &person("anna"), &dead).await;

    store.reap_dead_nodes(&alive, at(10), at(31)).await.unwrap();

    assert_eq!(seat_of(&*store, &id, &ben).await.left_at, Some(at(5)));
}

pub async fn a_node_that_stops_takes_its_connections_along(store: Arc<dyn Store>) {
    let (stopping, other) = (NodeId::random(), NodeId::random());
    store.heartbeat(&stopping, at(30)).await.unwrap();
    let (id, anna) = room_on(&*store, &stopping).await;
    let ben = person("ben");
    connect(&*store, &id, &ben, &other).await;
    connect(&*store, &id, &ben, &stopping).await;

    store.retire(&stopping, at(31)).await.unwrap();
    store.retire(&stopping, at(32)).await.unwrap();

    assert_eq!(seat_of(&*store, &id, &anna).await.left_at, Some(at(31)));
    let seat = seat_of(&*store, &id, &ben).await;
    assert_eq!((seat.sockets.len(), seat.left_at), (1, None));
    assert_eq!(seat.sockets[0].node, other);
}

pub async fn a_store_has_one_id_for_good(store: Arc<dyn Store>) {
    let first = store.prepare().await.unwrap();
    let others = join_all((0..5).map(|_| store.prepare())).await;

    for other in others {
        assert_eq!(other.unwrap(), first);
    }
}

pub async fn times_from_before_the_clock_was_set_back_count_as_now(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let (alive, dead) = (NodeId::random(), NodeId::random());
    let unused = open(&*store, NewRoom { created_at: at(1_000), ..tea_room() }).await;
    let left = tea_with(&*store, &[&anna, &ben, &person("carl")]).await;
    send_away(&*store, &left, &anna, at(1_000)).await;
    send_away(&*store, &left, &ben, at(50)).await;
    store.heartbeat(&dead, at(1_000)).await.unwrap();
    let (orphaned, dora) = room_on(&*store, &dead).await;

    store.clamp_times(at(50), at(10)).await.unwrap();
    store.clamp_times(at(50), at(20)).await.unwrap();
    store.reap_dead_nodes(&alive, at(10), at(11)).await.unwrap();

    let mut overdue = store.overdue(at(10), at(10)).await.unwrap();
    let mut expected = [unused, left.clone()];
    overdue.sort();
    expected.sort();
    assert_eq!(overdue, expected);
    let left = room(&*store, &left).await;
    let left_at = |person: &Person| left.seat(&person.id).unwrap().left_at;
    assert_eq!((left_at(&anna), left_at(&ben)), (Some(at(10)), Some(at(50))));
    let away = room(&*store, &orphaned).await.seat(&dora.id).cloned().unwrap();
    assert_eq!((away.sockets.len(), away.left_at), (0, Some(at(11))));
}
