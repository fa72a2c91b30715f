//! What an owner changes, and what anybody deletes.

use std::sync::Arc;

use huechat::{
    domain::{
        Body, Capacity, DraftBody, Gif, GifFacts, OwnerActionError, PasswordHash, Person, PersonId,
        Room, RoomChange, RoomId, RoomTitle, SystemCode, Window,
    },
    store::{Changed, DeleteOutcome, Store},
};

use crate::people::{
    called, hash, leave, person, post, room, said, seat, tea_with, twin_of, whispered,
};

async fn change(
    store: &dyn Store,
    id: &RoomId,
    by: &Person,
    change: RoomChange,
) -> Result<Changed, OwnerActionError> {
    store.change(id, &by.id, change).await.unwrap()
}

fn to_max(max: u32) -> RoomChange {
    RoomChange { max: Some(Capacity::new(max)), ..RoomChange::default() }
}

fn to_password(password: Option<PasswordHash>) -> RoomChange {
    RoomChange { password: Some(password), ..RoomChange::default() }
}

pub async fn the_owner_changes_everything_and_nothing_else_changes(store: Arc<dyn Store>) {
    let (olga, anna) = (person("olga"), person("anna"));
    let id = tea_with(&*store, &[&olga, &anna]).await;
    post(&*store, &id, said(&anna, "hello")).await;
    let as_it_was = room(&*store, &id).await;
    let everything = RoomChange {
        title: Some(RoomTitle::parse("coffee").unwrap()),
        max: Some(Capacity::new(2)),
        password: Some(Some(hash("secret"))),
        locked: Some(true),
    };

    let changed = change(&*store, &id, &olga, everything).await.unwrap();

    let wanted = Room {
        title: RoomTitle::parse("coffee").unwrap(),
        max: Capacity::new(2),
        password: Some(hash("secret")),
        locked: true,
        ..as_it_was.clone()
    };
    assert_eq!((&changed.before, &changed.after), (&as_it_was, &wanted));
    assert_eq!(room(&*store, &id).await, wanted);
    let nothing = change(&*store, &id, &olga, RoomChange::default()).await.unwrap();
    assert_eq!((&nothing.before, &nothing.after), (&wanted, &wanted));
}

pub async fn a_password_is_replaced_and_taken_away(store: Arc<dyn Store>) {
    let olga = person("olga");
    let id = tea_with(&*store, &[&olga]).await;

    for password in [Some(hash("one")), Some(hash("two")), None, None] {
        let changed = change(&*store, &id, &olga, to_password(password.clone())).await.unwrap();
        assert_eq!(changed.after.password, password);
        assert_eq!(room(&*store, &id).await.password, password);
    }
}

pub async fn only_the_owner_changes_a_room_that_is_there(store: Arc<dyn Store>) {
    let (olga, anna) = (person("olga"), person("anna"));
    let id = tea_with(&*store, &[&olga, &anna]).await;
    let before = room(&*store, &id).await;

    let by_a_guest = change(&*store, &id, &anna, to_max(9)).await;
    let nowhere = change(&*store, &RoomId::random(), &olga, to_max(9)).await;

    assert_eq!(by_a_guest.unwrap_err(), OwnerActionError::NotOwner);
    assert_eq!(nowhere.unwrap_err(), OwnerActionError::NoSuchRoom);
    assert_eq!(room(&*store, &id).await, before);
}

pub async fn nobody_loses_their_place_to_a_smaller_capacity(store: Arc<dyn Store>) {
    let (olga, anna, ben) = (person("olga"), person("anna"), person("ben"));
    let id = tea_with(&*store, &[&olga, &anna, &ben]).await;

    let too_few = change(&*store, &id, &olga, to_max(2)).await;
    let just_enough = change(&*store, &id, &olga, to_max(3)).await;

    assert_eq!(too_few.unwrap_err(), OwnerActionError::TooFewPlaces);
    assert_eq!(just_enough.unwrap().after.max, Capacity::new(3));
    leave(&*store, &id, &ben).await;
    assert!(change(&*store, &id, &olga, to_max(2)).await.is_ok());
}

pub async fn an_owner_gives_the_room_to_somebody_in_it(store: Arc<dyn Store>) {
    let (olga, anna, ben) = (person("olga"), person("anna"), person("ben"));
    let twin = twin_of(&olga, "twin");
    let id = tea_with(&*store, &[&olga, &anna]).await;
    let twin = seat(&*store, &id, &twin).await; // Under another name.
    let hand = |from: &Person, to: &PersonId| {
        let (store, id, from, to) = (store.clone(), id.clone(), from.id.clone(), to.clone());
        async move { store.hand_over(&id, &from, &to).await.unwrap() }
    };

    assert_eq!(hand(&anna, &anna.id).await.unwrap_err(), OwnerActionError::NotOwner);
    assert_eq!(hand(&olga, &ben.id).await.unwrap_err(), OwnerActionError::NotHere);
    let after = hand(&olga, &twin.id).await.unwrap();

    assert_eq!(after.owner, twin);
    assert_eq!(room(&*store, &id).await, after);
    assert_eq!(hand(&olga, &anna.id).await.unwrap_err(), OwnerActionError::NotOwner);
    let nowhere = store.hand_over(&RoomId::random(), &olga.id, &anna.id).await.unwrap();
    assert_eq!(nowhere.unwrap_err(), OwnerActionError::NoSuchRoom);
}

fn gif(hash: &str) -> Gif {
    let facts = GifFacts { width: 2, height: 2, bytes: 40, frames: 1, duration_ms: 0 };
    Gif { hash: hash.repeat(64), facts }
}

pub async fn what_is_deleted_keeps_its_place_and_says_nothing(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let id = tea_with(&*store, &[&anna, &ben]).await;
    let first = post(&*store, &id, called("a-1", said(&anna, "first"))).await;
    post(&*store, &id, said(&ben, "second")).await;

    for _ in 0..2 {
        let emptying = store.delete_message(&id, first.seq, &anna.id, false).await.unwrap();
        let DeleteOutcome::Deleted { message, unused } = emptying else { panic!("{emptying:?}") };
        assert_eq!((&message.body, &unused), (&Body::DeletedText, &None));
        assert_eq!((message.seq, message.client_id), (first.seq, first.client_id.clone()));
    }

    let window = Window::Latest { before: None, limit: 9 };
    let history = store.history(&id, &ben.id, window).await.unwrap();
    let bodies: Vec<&Body> = history.messages.iter().map(|message| &message.body).collect();
    assert_eq!(bodies, [&Body::DeletedText, &Body::Text("second".to_owned())]);
}

pub async fn whoever_says_it_or_owns_the_room_deletes(store: Arc<dyn Store>) {
    let (anna, ben, carl) = (person("anna"), person("ben"), person("carl"));
    let id = tea_with(&*store, &[&anna, &ben, &carl]).await;
    let words = post(&*store, &id, said(&anna, "hello")).await.seq;
    let whisper = post(&*store, &id, whispered(&anna, &ben, "psst")).await.seq;
    let happened = DraftBody::System { code: SystemCode::Joined, person: anna.clone() };
    let joined = huechat::domain::Draft {
        author: huechat::domain::Author::System(anna.clone()),
        body: happened,
        ..said(&anna, "-")
    };
    let joined = post(&*store, &id, joined).await.seq;
    let empty = |seq, who: &Person, owner| {
        let (store, id, who) = (store.clone(), id.clone(), who.id.clone());
        async move { store.delete_message(&id, seq, &who, owner).await.unwrap() }
    };

    assert!(matches!(empty(words, &ben, false).await, DeleteOutcome::NotTheirs));
    assert!(matches!(empty(whisper, &ben, true).await, DeleteOutcome::NotTheirs));
    assert!(matches!(empty(joined, &anna, true).await, DeleteOutcome::NotTheirs));
    assert!(matches!(empty(whisper, &carl, true).await, DeleteOutcome::NoSuchMessage));
    assert!(matches!(empty(99, &anna, true).await, DeleteOutcome::NoSuchMessage));
    let window = Window::Latest { before: None, limit: 9 };
    let seen = store.history(&id, &anna.id, window).await.unwrap().messages;
    assert!(seen.iter().all(|message| Some(&message.body) != message.body.deleted().as_ref()));

    assert!(matches!(empty(words, &ben, true).await, DeleteOutcome::Deleted { .. }));
    let emptying = empty(whisper, &anna, false).await;
    let DeleteOutcome::Deleted { message, .. } = emptying else { panic!("{emptying:?}") };
    assert_eq!(message.body, Body::DeletedWhisper { to: ben.clone() });
    let bens = store.history(&id, &ben.id, window).await.unwrap();
    let carls = store.history(&id, &carl.id, window).await.unwrap();
    assert_eq!((bens.messages.len(), carls.messages.len()), (3, 2));
    assert_eq!(bens.messages[1], message);
}

pub async fn a_gif_is_unused_once_no_message_shows_it(store: Arc<dyn Store>) {
    let anna = person("anna");
    let id = tea_with(&*store, &[&anna]).await;
    let elsewhere = tea_with(&*store, &[&anna]).await;
    let share = |room: &RoomId, hash| {
        let draft = huechat::domain::Draft { body: DraftBody::Gif(gif(hash)), ..said(&anna, "-") };
        let (store, room) = (store.clone(), room.clone());
        async move { post(&*store, &room, draft).await.seq }
    };
    let (one, other, again) = (share(&id, "a").await, share(&id, "b").await, share(&id, "a").await);
    share(&elsewhere, "a").await;
    let empty = |seq| {
        let (store, id, who) = (store.clone(), id.clone(), anna.id.clone());
        async move {
            match store.delete_message(&id, seq, &who, false).await.unwrap() {
                DeleteOutcome::Deleted { message, unused } => (message.body, unused),
                other => panic!("{other:?}"),
            }
        }
    };

    assert_eq!(empty(one).await, (Body::DeletedGif, None));
    assert_eq!(empty(other).await, (Body::DeletedGif, Some(gif("b"))));
    assert_eq!(empty(again).await, (Body::DeletedGif, Some(gif("a"))));
    assert_eq!(empty(again).await, (Body::DeletedGif, None));
}
