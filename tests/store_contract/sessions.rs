//! Sessions.

use std::sync::Arc;

use futures_util::future::join_all;
use huechat::{
    domain::{RoomId, Timestamp},
    store::{SessionRow, Store},
};
use serde_json::json;

use crate::people::{at, close, open, tea_room};

fn session(key: char, data: serde_json::Value, ends: Timestamp) -> SessionRow {
    let serde_json::Value::Object(data) = data else { panic!("{data}") };
    SessionRow { key: key.to_string().repeat(64), data, passes: Vec::new(), expires_at: ends }
}

async fn load(store: &dyn Store, row: &SessionRow, now: Timestamp) -> Option<SessionRow> {
    store.session(&row.key, now).await.unwrap()
}

pub async fn a_session_comes_back_as_it_was_kept(store: Arc<dyn Store>) {
    let data = json!({
        "person": { "id": "abc", "number": 204, "name": "청록 204" },
        "passed": [["room", "stamp"], []],
        "numbers": [0, -1, 2_147_483_648_i64, i64::MAX, i64::MIN, 1.5],
        "nothing": null,
        "yes": true,
        "": "",
    });
    let row = session('a', data, at(100));

    assert!(store.create_session(row.clone()).await.unwrap());

    assert_eq!(load(&*store, &row, at(0)).await, Some(row));
    assert_eq!(load(&*store, &session('b', json!({}), at(0)), at(0)).await, None);
}

pub async fn a_session_that_is_taken_is_not_made_again(store: Arc<dyn Store>) {
    let first = session('a', json!({ "mine": true }), at(100));
    let second = session('a', json!({ "mine": false }), at(200));

    assert!(store.create_session(first.clone()).await.unwrap());
    assert!(!store.create_session(second).await.unwrap());

    assert_eq!(load(&*store, &first, at(0)).await, Some(first));
}

async fn patch(store: &dyn Store, row: &SessionRow, patch: serde_json::Value, until: Timestamp) {
    let serde_json::Value::Object(patch) = patch else { panic!("{patch}") };
    store.patch_session(&row.key, patch, until).await.unwrap();
}

pub async fn a_patch_changes_the_values_it_names_and_revives_no_session(store: Arc<dyn Store>) {
    let data = json!({ "person": { "id": "abc" }, "choices": { "theme": "dark" }, "old": [1, 2] });
    let row = session('a', data, at(100));
    store.create_session(row.clone()).await.unwrap();

    let changes = json!({ "choices": { "language": "ko" }, "old": null, "new": [{ "n": 1 }] });
    patch(&*store, &row, changes, at(200)).await;
    patch(&*store, &row, json!({ "choices": { "theme": null } }), at(150)).await;
    let patched = load(&*store, &row, at(0)).await;
    store.delete_session(&row.key).await.unwrap();
    patch(&*store, &row, json!({ "new": 3 }), at(300)).await;

    let data =
        json!({ "person": { "id": "abc" }, "choices": { "language": "ko" }, "new": [{ "n": 1 }] });
    assert_eq!(patched, Some(session('a', data, at(200))));
    assert_eq!(load(&*store, &row, at(0)).await, None);
}

pub async fn patches_and_passes_at_the_same_time_all_stay(store: Arc<dyn Store>) {
    let row = session('a', json!({}), at(100));
    store.create_session(row.clone()).await.unwrap();
    let rooms = [open_tea(&*store).await, open_tea(&*store).await, open_tea(&*store).await];

    let patches = (0..5).map(|n| patch(&*store, &row, json!({ format!("v{n}"): n }), at(100)));
    let passes = rooms.iter().map(|room| store.add_pass(&row.key, room, "stamp", 50));
    tokio::join!(join_all(patches), join_all(passes));

    let found = load(&*store, &row, at(0)).await.unwrap();
    assert_eq!(found.data.len(), 5, "{found:?}");
    for room in rooms {
        assert!(found.passes.contains(&(room, "stamp".to_owned())), "{found:?}");
    }
}

pub async fn a_pass_is_replaced_and_the_oldest_goes_when_there_are_too_many(store: Arc<dyn Store>) {
    let row = session('a', json!({}), at(100));
    store.create_session(row.clone()).await.unwrap();
    let rooms = [open_tea(&*store).await, open_tea(&*store).await, open_tea(&*store).await];
    let add = async |room: &RoomId, pass| store.add_pass(&row.key, room, pass, 2).await.unwrap();

    add(&rooms[0], "first").await;
    add(&rooms[1], "old").await;
    add(&rooms[1], "new").await;
    let two = load(&*store, &row, at(0)).await.unwrap().passes;
    add(&rooms[2], "third").await;
    let last = load(&*store, &row, at(0)).await.unwrap().passes;

    let pass = |nth: usize, pass: &str| (rooms[nth].clone(), pass.to_owned());
    assert_eq!(two, [pass(0, "first"), pass(1, "new")]);
    assert_eq!(last, [pass(1, "new"), pass(2, "third")]);
}

pub async fn a_pass_goes_with_its_room_and_with_its_session(store: Arc<dyn Store>) {
    let (row, other) = (session('a', json!({}), at(100)), session('b', json!({}), at(100)));
    for row in [&row, &other] {
        store.create_session(row.clone()).await.unwrap();
    }
    let (gone, stays) = (open_tea(&*store).await, open_tea(&*store).await);
    for room in [&gone, &stays] {
        store.add_pass(&row.key, room, "stamp", 50).await.unwrap();
    }
    store.add_pass(&other.key, &gone, "stamp", 50).await.unwrap();
    store.delete_session(&other.key).await.unwrap();

    assert!(close(&*store, &gone).await);
    store.purge(&gone).await.unwrap();
    // Too late: the room is not there any more, or the session.
    store.add_pass(&row.key, &gone, "stamp", 50).await.unwrap();
    store.add_pass(&other.key, &stays, "stamp", 50).await.unwrap();

    let found = load(&*store, &row, at(0)).await.unwrap();
    assert_eq!(found.passes, [(stays, "stamp".to_owned())]);
    assert_eq!(load(&*store, &other, at(0)).await, None);
    assert_eq!(store.orphans().await.unwrap(), []);
}

async fn open_tea(store: &dyn Store) -> RoomId {
    open(store, tea_room()).await
}

pub async fn a_session_ends_at_its_time(store: Arc<dyn Store>) {
    let row = session('a', json!({}), at(100));
    store.create_session(row.clone()).await.unwrap();

    assert_eq!(load(&*store, &row, at(99)).await, Some(row.clone()));
    assert_eq!(load(&*store, &row, at(100)).await, None);
}

pub async fn a_deleted_session_is_gone(store: Arc<dyn Store>) {
    let (row, other) = (session('a', json!({}), at(100)), session('b', json!({}), at(100)));
    store.create_session(row.clone()).await.unwrap();
    store.create_session(other.clone()).await.unwrap();

    store.delete_session(&row.key).await.unwrap();
    store.delete_session(&row.key).await.unwrap();

    assert_eq!(load(&*store, &row, at(0)).await, None);
    assert_eq!(load(&*store, &other, at(0)).await, Some(other));
}

pub async fn only_expired_sessions_are_cleared_away(store: Arc<dyn Store>) {
    let (ended, lasting) = (session('a', json!({}), at(100)), session('b', json!({}), at(101)));
    store.create_session(ended.clone()).await.unwrap();
    store.create_session(lasting.clone()).await.unwrap();

    store.delete_expired_sessions(at(100)).await.unwrap();

    assert_eq!(load(&*store, &ended, at(0)).await, None);
    assert_eq!(load(&*store, &lasting, at(0)).await, Some(lasting));
    assert!(store.create_session(ended).await.unwrap());
}

pub async fn those_that_have_ended_are_told_from_the_living(store: Arc<dyn Store>) {
    let rows = [('a', 100), ('b', 50), ('c', 100)];
    let [here, over, gone] = rows.map(|(key, ends)| session(key, json!({}), at(ends)));
    for row in [&here, &over, &gone] {
        store.create_session(row.clone()).await.unwrap();
    }
    store.delete_session(&gone.key).await.unwrap();
    let never = session('d', json!({}), at(0)).key;

    let ended = [over.key, gone.key, never].map(Arc::<str>::from);
    let here = Arc::<str>::from(here.key);
    let keys = [std::slice::from_ref(&here), &ended[..]].concat();

    assert_eq!(store.ended_sessions(keys, at(50)).await.unwrap(), ended);
    assert!(store.ended_sessions(vec![here], at(50)).await.unwrap().is_empty());
    assert!(store.ended_sessions(Vec::new(), at(50)).await.unwrap().is_empty());
}

pub async fn a_session_that_is_prolonged_ends_no_earlier(store: Arc<dyn Store>) {
    let row = session('a', json!({ "mine": true }), at(100));
    store.create_session(row.clone()).await.unwrap();
    let never = session('b', json!({}), at(0));

    store.prolong_session(&row.key, at(200)).await.unwrap();
    store.prolong_session(&row.key, at(150)).await.unwrap();
    store.prolong_session(&never.key, at(200)).await.unwrap();

    let later = SessionRow { expires_at: at(200), ..row.clone() };
    assert_eq!(load(&*store, &row, at(199)).await, Some(later));
    assert_eq!(load(&*store, &never, at(0)).await, None);
}
