//! Going away for a while, and giving up a seat.

use std::sync::Arc;

use huechat::{
    domain::{EntryError, NetworkHash, Person, RoomId, SocketId},
    store::{Closing, DisconnectOutcome, Entry, LeaveOutcome, LeaveReason, Store},
};

use crate::people::{
    at, bot, entry, ids, kick, leave, let_in, open, person, refused, room, seat, seated, send_away,
    socket_of, tab, tea_room, tea_with, twin_of,
};

pub async fn a_seat_is_away_only_when_its_last_connection_went(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = tea_with(&*store, &[&anna, &person("ben")]).await;
    let_in(store.enter(tab("tab 2", entry(&id, &anna))).await.unwrap());

    let first = store.drop_socket(&id, &anna.id, &socket_of(&anna), at(5)).await.unwrap();
    let seat_then = room(&*store, &id).await.seat(&anna.id).cloned().unwrap();
    let last = store.drop_socket(&id, &anna.id, &SocketId::new("tab 2"), at(6)).await.unwrap();
    let seat_now = room(&*store, &id).await.seat(&anna.id).cloned().unwrap();

    assert_eq!((first, last), (DisconnectOutcome::StillThere, DisconnectOutcome::Away));
    assert_eq!((seat_then.sockets.len(), seat_then.left_at), (1, None));
    assert_eq!((seat_now.sockets.len(), seat_now.left_at), (0, Some(at(6))));
}

pub async fn a_connection_that_nobody_has_is_unknown(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let id = tea_with(&*store, &[&anna, &ben]).await;
    send_away(&*store, &id, &anna, at(5)).await;
    let nowhere = RoomId::random();

    for (room, person, socket) in [
        (&id, &anna, socket_of(&anna)),
        (&id, &ben, SocketId::new("another")),
        (&id, &ben, socket_of(&anna)),
        (&id, &person("carl"), socket_of(&ben)),
        (&nowhere, &ben, socket_of(&ben)),
    ] {
        let dropped = store.drop_socket(room, &person.id, &socket, at(9)).await.unwrap();
        assert_eq!(dropped, DisconnectOutcome::Unknown);
    }
    let found = room(&*store, &id).await;
    assert_eq!(found.seat(&anna.id).unwrap().left_at, Some(at(5)));
    assert_eq!(found.seat(&ben.id).unwrap().sockets.len(), 1);
}

pub async fn leaving_takes_every_connection_along(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let id = tea_with(&*store, &[&anna, &ben]).await;
    let_in(store.enter(tab("tab 2", entry(&id, &anna))).await.unwrap());

    let departure = leave(&*store, &id, &anna).await;

    let LeaveOutcome::Left { person, room: after, new_owner } = departure else {
        panic!("{departure:?}")
    };
    assert_eq!((person, new_owner), (anna.clone(), false));
    assert_eq!(after, room(&*store, &id).await);
    assert_eq!(after.people.len(), 1);
    let dropped = store.drop_socket(&id, &anna.id, &socket_of(&anna), at(9)).await.unwrap();
    assert_eq!(dropped, DisconnectOutcome::Unknown);
    seat(&*store, &id, &anna).await;
    assert_eq!(seated(&*store, &id).await, ids(&[&ben, &anna]));
}

pub async fn whoever_has_no_seat_stays_where_they_are(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let id = tea_with(&*store, &[&anna]).await;

    let never_there = leave(&*store, &id, &ben).await;
    let kicked_from_outside = kick(&*store, &id, &ben).await;
    let no_room = leave(&*store, &RoomId::random(), &anna).await;

    assert!(matches!(never_there, LeaveOutcome::Stayed));
    assert!(matches!(kicked_from_outside, LeaveOutcome::Stayed));
    assert!(matches!(no_room, LeaveOutcome::Stayed));
    seat(&*store, &id, &ben).await;
}

pub async fn only_who_is_away_for_long_enough_gives_up_their_seat(store: Arc<dyn Store>) {
    let (anna, ben, carl) = (person("anna"), person("ben"), person("carl"));
    let id = tea_with(&*store, &[&anna, &ben, &carl]).await;
    send_away(&*store, &id, &anna, at(10)).await;
    send_away(&*store, &id, &ben, at(10)).await;
    let_in(store.enter(entry(&id, &ben)).await.unwrap());
    let expire = |who: &Person, moment| {
        let (store, id, who) = (Arc::clone(&store), id.clone(), who.id.clone());
        async move { store.depart(&id, &who, LeaveReason::IfAwaySince(moment)).await.unwrap() }
    };

    let too_early = expire(&anna, at(9)).await;
    let came_back = expire(&ben, at(99)).await;
    let never_away = expire(&carl, at(99)).await;
    let with_deadline = expire(&anna, at(10)).await;

    assert!(matches!(too_early, LeaveOutcome::Stayed));
    assert!(matches!(came_back, LeaveOutcome::Stayed));
    assert!(matches!(never_away, LeaveOutcome::Stayed));
    assert!(matches!(with_deadline, LeaveOutcome::Left { .. }), "{with_deadline:?}");
    assert_eq!(seated(&*store, &id).await, ids(&[&ben, &carl]));
}

pub async fn whoever_has_been_there_longest_follows_an_owner(store: Arc<dyn Store>) {
    let (olga, anna, ben) = (person("olga"), person("anna"), person("ben"));
    let twin = twin_of(&olga, "twin");
    let id = tea_with(&*store, &[&twin, &olga, &anna, &ben]).await;
    let named = Person { name: olga.name.next(), ..twin.clone() };

    let departure = leave(&*store, &id, &olga).await;

    let LeaveOutcome::Left { room: after, new_owner, .. } = departure else {
        panic!("{departure:?}")
    };
    assert!(new_owner);
    assert_eq!(after.owner, named); // As their seat calls them.
    assert_eq!(room(&*store, &id).await.owner, named);
}

pub async fn whoever_left_and_came_back_is_last_in_line(store: Arc<dyn Store>) {
    let (olga, anna, ben) = (person("olga"), person("anna"), person("ben"));
    let id = tea_with(&*store, &[&olga, &anna, &ben]).await;
    leave(&*store, &id, &anna).await;
    seat(&*store, &id, &anna).await;

    leave(&*store, &id, &olga).await;

    assert_eq!(room(&*store, &id).await.owner, ben);
    assert_eq!(seated(&*store, &id).await, ids(&[&ben, &anna]));
}

pub async fn a_guest_who_leaves_changes_no_owner(store: Arc<dyn Store>) {
    let (olga, anna) = (person("olga"), person("anna"));
    let id = tea_with(&*store, &[&anna, &olga]).await;

    let departure = leave(&*store, &id, &anna).await;

    assert!(matches!(departure, LeaveOutcome::Left { new_owner: false, .. }), "{departure:?}");
    assert_eq!(room(&*store, &id).await.owner, olga);
}

pub async fn the_last_one_to_leave_takes_the_room_along(store: Arc<dyn Store>) {
    let (olga, anna) = (person("olga"), person("anna"));
    let id = tea_with(&*store, &[&olga, &anna]).await;
    leave(&*store, &id, &olga).await;
    send_away(&*store, &id, &anna, at(5)).await;

    let too_early = store.depart(&id, &anna.id, LeaveReason::IfAwaySince(at(4))).await.unwrap();
    let departure = store.depart(&id, &anna.id, LeaveReason::IfAwaySince(at(5))).await.unwrap();

    assert!(matches!(too_early, LeaveOutcome::Stayed));
    let LeaveOutcome::Closed { person } = departure else { panic!("{departure:?}") };
    assert_eq!(person, anna);
    assert_eq!(store.room(&id).await.unwrap(), None);
    assert!(matches!(leave(&*store, &id, &anna).await, LeaveOutcome::Stayed));
}

pub async fn a_room_that_has_changed_hands_obeys_its_former_owner_no_more(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let id = tea_with(&*store, &[&anna, &ben]).await;
    let former = room(&*store, &id).await.owner;
    let heir = if former.id == anna.id { &ben } else { &anna };
    store.hand_over(&id, &former.id, &heir.id).await.unwrap().unwrap();

    let kicked = store.depart(&id, &heir.id, LeaveReason::KickedBy(former.id.clone())).await;

    assert!(matches!(kicked.unwrap(), LeaveOutcome::NotOwner));
    assert!(!store.close(&id, Closing::By(former.id)).await.unwrap());
    assert_eq!(room(&*store, &id).await.people.len(), 2);
    assert!(store.close(&id, Closing::By(heir.id.clone())).await.unwrap());
}

pub async fn whoever_is_kicked_does_not_come_back(store: Arc<dyn Store>) {
    let (olga, anna) = (person("olga"), person("anna"));
    let id = tea_with(&*store, &[&olga, &anna]).await;

    let departure = kick(&*store, &id, &anna).await;

    let LeaveOutcome::Left { person, room: after, .. } = departure else { panic!("{departure:?}") };
    assert_eq!(person, anna);
    assert_eq!(after.kicked, ids(&[&anna]));
    assert_eq!(after.people.len(), 1);
    assert_eq!(refused(&*store, entry(&id, &anna)).await, EntryError::Kicked);
    assert_eq!(room(&*store, &id).await.kicked, ids(&[&anna]));
}

pub async fn a_bot_whose_maker_is_kicked_does_not_come_back_to_its_seat(store: Arc<dyn Store>) {
    let [olga, anna, bot] = ["olga", "anna", "bot"].map(person);
    let id = open(&*store, tea_room()).await;
    for one in [&olga, &anna, &bot] {
        seat(&*store, &id, one).await;
    }
    let again = |socket| Entry {
        maker: Some(anna.id.clone()),
        socket: SocketId::new(socket),
        ..entry(&id, &bot)
    };
    let_in(store.enter(again("before")).await.unwrap());

    kick(&*store, &id, &anna).await;

    assert_eq!(refused(&*store, again("after")).await, EntryError::Kicked);
}

pub async fn a_kick_shuts_out_the_network_that_the_seat_was_last_taken_from(store: Arc<dyn Store>) {
    let (olga, anna, ben) = (person("olga"), person("anna"), person("ben"));
    let id = tea_with(&*store, &[&olga]).await;
    let from = |who: &Person, network: &str, socket: &str| Entry {
        network: Some(NetworkHash::new(network.repeat(24))),
        socket: SocketId::new(socket),
        ..entry(&id, who)
    };
    let_in(store.enter(from(&anna, "a", "tab 1")).await.unwrap());
    let_in(store.enter(from(&anna, "b", "tab 2")).await.unwrap());

    kick(&*store, &id, &anna).await;

    let kept = room(&*store, &id).await;
    assert_eq!(kept.kicked_networks, [NetworkHash::new("b".repeat(24))]);
    assert_eq!(refused(&*store, from(&ben, "b", "ben")).await, EntryError::Kicked);
    let_in(store.enter(from(&olga, "b", "another tab")).await.unwrap());
    let_in(store.enter(from(&ben, "a", "ben")).await.unwrap());
    kick(&*store, &id, &ben).await;
    assert_eq!(room(&*store, &id).await.kicked_networks.len(), 2);
}

pub async fn kicking_the_last_one_closes_the_room(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = tea_with(&*store, &[&anna]).await;

    let departure = kick(&*store, &id, &anna).await;

    assert!(matches!(departure, LeaveOutcome::Closed { .. }), "{departure:?}");
    assert_eq!(store.room(&id).await.unwrap(), None);
}

pub async fn an_absent_owner_gives_way_to_whoever_has_been_there_longest(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let waiting = open(&*store, tea_room()).await;
    let id = tea_with(&*store, &[&anna, &ben]).await;

    let nobody = store.replace_absent_owner(&waiting).await.unwrap();
    let heir = store.replace_absent_owner(&id).await.unwrap();
    let again = store.replace_absent_owner(&id).await.unwrap();

    assert_eq!(nobody, None);
    assert_eq!(heir, Some(anna.clone()));
    assert_eq!(again, None);
    assert_eq!(room(&*store, &id).await.owner, anna);
}

pub async fn an_owner_with_a_seat_is_not_replaced(store: Arc<dyn Store>) {
    let (olga, anna) = (person("olga"), person("anna"));
    let id = tea_with(&*store, &[&anna, &olga]).await;
    send_away(&*store, &id, &olga, at(5)).await;

    assert_eq!(store.replace_absent_owner(&id).await.unwrap(), None);

    assert_eq!(room(&*store, &id).await.owner, olga);
}

pub async fn the_last_person_takes_along_a_room_in_which_bots_are_left(store: Arc<dyn Store>) {
    let (olga, anna) = (person("olga"), person("anna"));
    let (dice, clock) = (bot("dice"), bot("clock"));
    for last in [LeaveReason::Now, LeaveReason::IfAwaySince(at(9))] {
        let id = tea_with(&*store, &[&dice, &olga, &clock, &anna]).await;
        send_away(&*store, &id, &anna, at(9)).await;

        let first = leave(&*store, &id, &olga).await;
        let of_bot = leave(&*store, &id, &clock).await;
        let owner = room(&*store, &id).await.owner;
        let closed = store.depart(&id, &anna.id, last).await.unwrap();

        assert!(matches!(first, LeaveOutcome::Left { new_owner: true, .. }), "{first:?}");
        assert_eq!(owner.id, anna.id, "a bot follows no owner");
        assert!(matches!(of_bot, LeaveOutcome::Left { new_owner: false, .. }), "{of_bot:?}");
        assert!(matches!(closed, LeaveOutcome::Closed { .. }), "{closed:?}");
        assert!(store.room(&id).await.unwrap().is_none());
        assert_eq!(store.rooms_of(&dice.id).await.unwrap(), []);
    }
}

pub async fn a_room_with_bots_alone_waits_for_its_first_person(store: Arc<dyn Store>) {
    let (dice, clock) = (bot("dice"), bot("clock"));
    let id = tea_with(&*store, &[&dice, &clock]).await;
    let used = tea_with(&*store, &[&dice, &person("anna")]).await;

    let left = leave(&*store, &id, &clock).await;
    let overdue = store.overdue(at(0), at(0)).await.unwrap();
    let heir = store.replace_absent_owner(&id).await.unwrap();
    let closed = store.close(&id, Closing::IfUnusedSince(at(0))).await.unwrap();
    let used_closed = store.close(&used, Closing::IfUnusedSince(at(0))).await.unwrap();

    assert!(matches!(left, LeaveOutcome::Left { .. }), "{left:?}");
    assert_eq!(overdue, [id]);
    assert_eq!(heir, None);
    assert_eq!((closed, used_closed), (true, false));
}
