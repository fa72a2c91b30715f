//! What holds when everybody does it at once.

use std::{collections::HashSet, sync::Arc};

use huechat::{
    domain::{
        AppendError, Body, Capacity, EntryError, Name, NodeId, Person, RoomId, Seq, SocketId,
        Window,
    },
    store::{
        Appended, Closing, DisconnectOutcome, EnterOutcome, Entry, LeaveOutcome, LeaveReason,
        NewRoom, Store,
    },
};
use tokio::{sync::Barrier, task::JoinSet};

use crate::people::{
    at, called, entry, head, let_in, open, person, room, said, send_away, socket_of, tea_room,
    tea_with, twin_of,
};

/// Starts all of these at the same moment, and returns what they returned.
pub async fn together<T: Send + 'static, F>(steps: impl IntoIterator<Item = F>) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
{
    let steps: Vec<F> = steps.into_iter().collect();
    let start = Arc::new(Barrier::new(steps.len()));
    let mut running = JoinSet::new();
    for step in steps {
        let start = Arc::clone(&start);
        running.spawn(async move {
            start.wait().await;
            step.await
        });
    }
    running.join_all().await
}

fn entering(
    store: &Arc<dyn Store>,
    entry: Entry,
) -> impl Future<Output = EnterOutcome> + Send + 'static {
    let store = Arc::clone(store);
    async move { store.enter(entry).await.unwrap() }
}

fn departing(
    store: &Arc<dyn Store>,
    room: &RoomId,
    person: &Person,
) -> impl Future<Output = LeaveOutcome> + Send + 'static {
    let (store, room, person) = (Arc::clone(store), room.clone(), person.id.clone());
    async move { store.depart(&room, &person, LeaveReason::Now).await.unwrap() }
}

fn guests(many: usize) -> Vec<Person> {
    (0..many).map(|n| person(&format!("guest {n}"))).collect()
}

pub async fn of_fifty_who_race_for_ten_places_ten_get_in(store: Arc<dyn Store>) {
    let id = open(&*store, NewRoom { max: Capacity::new(10), ..tea_room() }).await;

    let steps = guests(50).into_iter().map(|guest| entering(&store, entry(&id, &guest)));
    let outcomes = together(steps).await;

    let (mut inside, mut full) = (HashSet::new(), 0);
    for outcome in outcomes {
        match outcome {
            EnterOutcome::Newcomer { person, .. } => assert!(inside.insert(person.id)),
            EnterOutcome::Refused(EntryError::RoomFull) => full += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((inside.len(), full), (10, 40));
    let found = room(&*store, &id).await;
    let seated: HashSet<_> = found.people.iter().map(|seat| seat.person.id.clone()).collect();
    let names: HashSet<_> = found.people.iter().map(|seat| seat.person.name).collect();
    assert_eq!(seated, inside);
    assert_eq!(names.len(), 10);
}

pub async fn one_person_on_many_tabs_takes_one_seat(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = open(&*store, NewRoom { max: Capacity::new(2), ..tea_room() }).await;

    let tabs = (0..12).map(|n| {
        let socket = SocketId::new(format!("tab {}", n % 8)); // Some enter twice.
        entering(&store, Entry { socket, ..entry(&id, &anna) })
    });
    let outcomes = together(tabs).await;

    let new = outcomes.iter().filter(|outcome| matches!(outcome, EnterOutcome::Newcomer { .. }));
    assert_eq!(new.count(), 1);
    let found = room(&*store, &id).await;
    assert_eq!(found.people.len(), 1);
    assert_eq!(found.people[0].sockets.len(), 8);
}

pub async fn people_of_one_name_end_up_with_names_of_their_own(store: Arc<dyn Store>) {
    let id = open(&*store, NewRoom { max: Capacity::new(20), ..tea_room() }).await;
    let twins = guests(10).into_iter().enumerate();

    let steps = twins.map(|(n, guest)| {
        let twin = twin_of(&guest, &format!("twin {n}"));
        let bot = n % 2 == 1; // A bot is named in a text as people are, so it shares no name with them.
        let named = Person { name: Name { bot, ..person("olga").name }, ..twin };
        entering(&store, entry(&id, &named))
    });
    let outcomes = together(steps).await;

    let names: HashSet<_> =
        outcomes.into_iter().map(|entering| let_in(entering).0.name.plain()).collect();
    assert_eq!(names.len(), 10);
    assert!(!names.contains(&person("olga").name)); // Kept for the owner.
}

pub async fn nobody_enters_a_room_that_its_last_person_closes(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    for _ in 0..20 {
        let id = tea_with(&*store, &[&anna]).await;

        let enter = tokio::spawn(entering(&store, entry(&id, &ben)));
        let left = departing(&store, &id, &anna).await;
        let entered = enter.await.unwrap();

        let found = store.room(&id).await.unwrap();
        match (entered, left) {
            (EnterOutcome::Newcomer { .. }, LeaveOutcome::Left { .. }) => {
                assert_eq!(found.map(|room| room.people.len()), Some(1));
            }
            (EnterOutcome::Refused(EntryError::NoSuchRoom), LeaveOutcome::Closed { .. }) => {
                assert_eq!(found, None);
            }
            both => panic!("{both:?}"),
        }
    }
}

pub async fn nobody_enters_an_unused_room_that_is_closed(store: Arc<dyn Store>) {
    let anna = person("anna");
    for _ in 0..20 {
        let id = open(&*store, tea_room()).await;

        let enter = tokio::spawn(entering(&store, entry(&id, &anna)));
        let closed = store.close(&id, Closing::IfUnusedSince(at(99))).await.unwrap();
        let entered = enter.await.unwrap();

        match entered {
            EnterOutcome::Newcomer { .. } => assert!(!closed),
            EnterOutcome::Refused(EntryError::NoSuchRoom) => assert!(closed),
            other => panic!("{other:?}"),
        }
        assert_eq!(store.room(&id).await.unwrap().is_none(), closed);
    }
}

pub async fn of_two_last_people_one_closes_the_room(store: Arc<dyn Store>) {
    let (olga, anna) = (person("olga"), person("anna"));
    for _ in 0..10 {
        let id = tea_with(&*store, &[&olga, &anna]).await;

        let steps = [departing(&store, &id, &olga), departing(&store, &id, &anna)];
        let outcomes = together(steps).await;

        let closed =
            outcomes.iter().filter(|one| matches!(one, LeaveOutcome::Closed { .. })).count();
        let left = outcomes.iter().filter(|one| matches!(one, LeaveOutcome::Left { .. })).count();
        assert_eq!((closed, left), (1, 1), "{outcomes:?}");
        assert_eq!(store.room(&id).await.unwrap(), None);
    }
}

pub async fn a_room_whose_people_leave_is_owned_by_one_who_is_there(store: Arc<dyn Store>) {
    let people = [vec![person("olga")], guests(11)].concat();
    let id = open(&*store, NewRoom { max: Capacity::new(20), ..tea_room() }).await;
    for who in &people {
        let_in(store.enter(entry(&id, who)).await.unwrap());
    }

    let outcomes = together(people[..10].iter().map(|who| departing(&store, &id, who))).await;

    for outcome in outcomes {
        let LeaveOutcome::Left { person, room, .. } = outcome else { panic!("{outcome:?}") };
        assert!(room.seat(&person.id).is_none());
        assert!(room.seat(&room.owner.id).is_some(), "{:?} is gone", room.owner);
    }
    let found = room(&*store, &id).await;
    assert_eq!(found.owner, people[10]);
    assert_eq!(found.people.len(), 2);
}

pub async fn a_seat_goes_away_once_when_its_tabs_close_together(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = open(&*store, tea_room()).await;
    let tabs: Vec<_> = (0..8).map(|n| SocketId::new(format!("tab {n}"))).collect();
    for socket in &tabs {
        let tab = Entry { socket: socket.clone(), ..entry(&id, &anna) };
        let_in(store.enter(tab).await.unwrap());
    }

    let steps = tabs.into_iter().map(|socket| {
        let (store, id, anna) = (Arc::clone(&store), id.clone(), anna.id.clone());
        async move { store.drop_socket(&id, &anna, &socket, at(5)).await.unwrap() }
    });
    let outcomes = together(steps).await;

    let away = outcomes.iter().filter(|dropped| **dropped == DisconnectOutcome::Away).count();
    let still =
        outcomes.iter().filter(|dropped| **dropped == DisconnectOutcome::StillThere).count();
    assert_eq!((away, still), (1, 7));
    assert_eq!(room(&*store, &id).await.people[0].left_at, Some(at(5)));
}

pub async fn one_client_id_sent_at_once_is_stored_once(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = tea_with(&*store, &[&anna]).await;

    let steps = (0..20).map(|_| {
        let (store, id) = (Arc::clone(&store), id.clone());
        let draft = called("again", said(&anna, "hello?"));
        async move { store.append(&id, vec![draft]).await.unwrap().remove(0) }
    });
    let outcomes = together(steps).await;

    let mut stored = 0;
    let mut seen = HashSet::new();
    for outcome in outcomes {
        match outcome {
            Appended::Stored { message, .. } => {
                stored += 1;
                seen.insert((message.id, message.seq));
            }
            Appended::Already(message) => {
                seen.insert((message.id, message.seq));
            }
            Appended::AppendError(why) => panic!("{why:?}"),
        }
    }
    assert_eq!((stored, seen.len()), (1, 1));
}

pub async fn batches_at_once_share_no_number(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = tea_with(&*store, &[&anna]).await;

    let steps = (0..12).map(|_| {
        let (store, id) = (Arc::clone(&store), id.clone());
        let batch = vec![said(&anna, "one"), said(&anna, "two"), said(&anna, "three")];
        async move { store.append(&id, batch).await.unwrap() }
    });
    let batches = together(steps).await;

    let mut numbers = HashSet::new();
    for batch in batches {
        let mut last = 0;
        for outcome in batch {
            let Appended::Stored { message, prev } = outcome else { panic!("{outcome:?}") };
            assert!(prev < message.seq && last < message.seq);
            last = message.seq;
            numbers.insert(message.seq);
        }
    }
    assert_eq!(numbers.len(), 36);
    assert_eq!(head(&*store, &id).await, numbers.iter().copied().fold(0, Seq::max));
}

pub async fn what_is_said_in_many_rooms_at_once_stays_in_its_room(store: Arc<dyn Store>) {
    let (anna, stranger) = (person("anna"), person("stranger"));
    let mut rooms = Vec::new();
    for _ in 0..8 {
        rooms.push(tea_with(&*store, &[&anna]).await);
    }
    let gone = RoomId::random();

    let steps = rooms.iter().chain([&gone]).cycle().take(27).map(|id| {
        let (store, id) = (Arc::clone(&store), id.clone());
        let batch = vec![said(&anna, id.as_str()), said(&stranger, "psst"), said(&anna, "two")];
        async move { (id.clone(), store.append(&id, batch).await.unwrap()) }
    });
    let batches = together(steps).await;

    for (id, outcomes) in batches {
        if id == gone {
            let unsaid =
                |outcome| matches!(outcome, Appended::AppendError(AppendError::NoSuchRoom));
            assert!(outcomes.into_iter().all(unsaid));
            continue;
        }
        let [first, unsaid, second] = <[Appended; 3]>::try_from(outcomes).unwrap();
        assert!(matches!(unsaid, Appended::AppendError(AppendError::NotInRoom)), "{unsaid:?}");
        let (Appended::Stored { message: one, .. }, Appended::Stored { message: two, prev }) =
            (first, second)
        else {
            panic!("not stored")
        };
        assert_eq!((&one.room, &two.room, prev), (&id, &id, one.seq));
    }
    for id in rooms {
        let window = Window::After { after: 0, limit: 9 };
        let history = store.history(&id, &anna.id, window).await.unwrap();
        let words: Vec<_> = history.messages.iter().map(|message| &message.body).collect();
        let (one, two) = (Body::Text(id.to_string()), Body::Text("two".to_owned()));
        assert_eq!(words, [&one, &two, &one, &two, &one, &two]);
        let last = history.messages.last().unwrap().seq;
        assert_eq!(head(&*store, &id).await, last);
    }
}

pub async fn nodes_that_bury_at_once_do_no_harm(store: Arc<dyn Store>) {
    let dead = NodeId::random();
    let nodes: Vec<_> = (0..4).map(|_| NodeId::random()).collect();
    let (anna, ben) = (person("anna"), person("ben"));
    let id = tea_with(&*store, &[]).await;
    for node in nodes.iter().chain([&dead]) {
        store.heartbeat(node, at(if *node == dead { 1 } else { 30 })).await.unwrap();
    }
    let_in(store.enter(Entry { node: dead, ..entry(&id, &anna) }).await.unwrap());
    let_in(store.enter(Entry { node: nodes[0].clone(), ..entry(&id, &ben) }).await.unwrap());

    let steps = nodes.into_iter().map(|node| {
        let store = Arc::clone(&store);
        async move { store.reap_dead_nodes(&node, at(10), at(31)).await.unwrap() }
    });
    together(steps).await;

    let found = room(&*store, &id).await;
    assert_eq!(found.seat(&anna.id).unwrap().left_at, Some(at(31)));
    assert_eq!(found.seat(&ben.id).unwrap().sockets[0].id, socket_of(&ben));
    send_away(&*store, &id, &ben, at(40)).await;
}
