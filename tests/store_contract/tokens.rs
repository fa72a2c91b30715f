//! Tokens of bots, and the rooms that somebody is in.

use std::sync::Arc;

use huechat::{
    domain::{BotLabel, Timestamp, Token, TokenId},
    store::{SessionRow, Store, TokenRow},
};

use crate::people::{at, entry, open, person, tea_room};

fn token(session: char, made: i64, ends: Timestamp) -> TokenRow {
    TokenRow {
        id: TokenId::random(),
        hash: Token::random().hash(),
        session: session.to_string().repeat(64),
        label: BotLabel::parse("주사위 🎲").unwrap(),
        created_at: at(made),
        expires_at: ends,
    }
}

async fn keep(store: &dyn Store, tokens: &[&TokenRow]) {
    for token in tokens {
        assert!(store.create_token((*token).clone(), 10).await.unwrap());
    }
}

pub async fn a_token_is_found_by_its_hash_until_it_ends(store: Arc<dyn Store>) {
    let kept = token('a', 0, at(100));
    keep(&*store, &[&kept]).await;

    assert_eq!(store.token(&kept.hash, at(99)).await.unwrap(), Some(kept.clone()));
    assert_eq!(store.token(&kept.hash, at(100)).await.unwrap(), None);
    assert_eq!(store.token(&Token::random().hash(), at(0)).await.unwrap(), None);
}

pub async fn a_session_has_so_many_tokens_at_once(store: Arc<dyn Store>) {
    let (one, two, other) = (token('a', 0, at(50)), token('a', 0, at(100)), token('b', 0, at(100)));
    assert!(store.create_token(one, 2).await.unwrap());
    assert!(store.create_token(two, 2).await.unwrap());

    assert!(!store.create_token(token('a', 0, at(100)), 2).await.unwrap());
    assert!(store.create_token(other, 2).await.unwrap());
    // Once one of them has ended there is room for another.
    assert!(store.create_token(token('a', 50, at(100)), 2).await.unwrap());
}

pub async fn a_session_sees_its_own_tokens_in_the_order_in_which_they_were_made(
    store: Arc<dyn Store>,
) {
    let (second, first) = (token('a', 2, at(100)), token('a', 1, at(100)));
    let (ended, other) = (token('a', 0, at(50)), token('b', 0, at(100)));
    keep(&*store, &[&second, &first, &ended, &other]).await;

    let found = store.tokens(&first.session, at(50)).await.unwrap();

    assert_eq!(found, [first, second]);
    assert!(store.tokens(&"c".repeat(64), at(0)).await.unwrap().is_empty());
}

pub async fn tokens_that_have_ended_are_told_from_the_living(store: Arc<dyn Store>) {
    let (here, over, gone) =
        (token('a', 0, at(100)), token('a', 0, at(50)), token('a', 0, at(100)));
    keep(&*store, &[&here, &over, &gone]).await;
    store.delete_tokens(&gone.session, Some(&gone.id)).await.unwrap();

    let ended = [over.id, gone.id, TokenId::random()];
    let asked = [std::slice::from_ref(&here.id), &ended[..]].concat();

    assert_eq!(store.ended_tokens(asked, at(50)).await.unwrap(), ended);
    assert!(store.ended_tokens(vec![here.id], at(50)).await.unwrap().is_empty());
}

pub async fn a_token_is_removed_by_its_own_session_alone(store: Arc<dyn Store>) {
    let (mine, another, theirs) =
        (token('a', 0, at(100)), token('a', 1, at(100)), token('b', 0, at(100)));
    keep(&*store, &[&mine, &another, &theirs]).await;

    assert_eq!(store.delete_tokens(&mine.session, Some(&theirs.id)).await.unwrap(), 0);
    assert_eq!(store.delete_tokens(&mine.session, Some(&mine.id)).await.unwrap(), 1);
    assert_eq!(store.delete_tokens(&mine.session, Some(&mine.id)).await.unwrap(), 0);
    assert_eq!(store.tokens(&mine.session, at(0)).await.unwrap(), std::slice::from_ref(&another));
    assert_eq!(store.delete_tokens(&mine.session, None).await.unwrap(), 1);
    assert_eq!(store.tokens(&theirs.session, at(0)).await.unwrap(), [theirs]);
}

pub async fn tokens_end_with_the_session_that_made_them(store: Arc<dyn Store>) {
    let (mine, theirs) = (token('a', 0, at(100)), token('b', 0, at(100)));
    keep(&*store, &[&mine, &theirs]).await;
    let key = mine.session.clone();
    let session =
        SessionRow { key, data: serde_json::Map::new(), passes: Vec::new(), expires_at: at(100) };
    store.create_session(session).await.unwrap();

    store.delete_session(&mine.session).await.unwrap();

    assert_eq!(store.token(&mine.hash, at(0)).await.unwrap(), None);
    assert_eq!(store.token(&theirs.hash, at(0)).await.unwrap(), Some(theirs));
}

pub async fn only_expired_tokens_are_cleared_away(store: Arc<dyn Store>) {
    let (over, lasting) = (token('a', 0, at(100)), token('a', 0, at(101)));
    keep(&*store, &[&over, &lasting]).await;

    store.delete_expired_sessions(at(100)).await.unwrap();

    assert_eq!(store.tokens(&over.session, at(0)).await.unwrap(), [lasting]);
}

pub async fn the_rooms_of_somebody_are_those_where_they_have_a_seat(store: Arc<dyn Store>) {
    let (anna, ben) = (person("anna"), person("ben"));
    let mut rooms = Vec::new();
    for who in [&anna, &anna, &ben] {
        let room = open(&*store, tea_room()).await;
        store.enter(entry(&room, who)).await.unwrap();
        rooms.push(room);
    }
    rooms.truncate(2);
    rooms.sort();
    store.enter(entry(&rooms[0], &ben)).await.unwrap();

    let found = store.rooms_of(&anna.id).await.unwrap();

    assert_eq!(
        found.iter().map(|room| &room.id).collect::<Vec<_>>(),
        rooms.iter().collect::<Vec<_>>()
    );
    assert_eq!(found[0].people.len(), 2);
    assert!(store.rooms_of(&person("cleo").id).await.unwrap().is_empty());
}
