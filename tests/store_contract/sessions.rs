//! Sessions.

use std::sync::Arc;

use huechat::{
    domain::Timestamp,
    store::{SessionRow, Store},
};
use serde_json::json;

use crate::people::at;

fn session(key: char, data: serde_json::Value, ends: Timestamp) -> SessionRow {
    let serde_json::Value::Object(data) = data else { panic!("{data}") };
    SessionRow { key: key.to_string().repeat(64), data, expires_at: ends }
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

pub async fn saving_replaces_a_session_and_brings_none_back(store: Arc<dyn Store>) {
    let first = session('a', json!({ "old": 1 }), at(100));
    let second = session('a', json!({ "new": 2 }), at(200));
    store.create_session(first.clone()).await.unwrap();

    store.save_session(second.clone()).await.unwrap();
    let replaced = load(&*store, &first, at(0)).await;
    store.delete_session(&first.key).await.unwrap();
    store.save_session(first.clone()).await.unwrap();

    assert_eq!(replaced, Some(second));
    assert_eq!(load(&*store, &first, at(0)).await, None);
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
