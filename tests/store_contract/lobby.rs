//! The list of rooms.

use std::sync::Arc;

use huechat::{
    domain::{Capacity, RoomId, RoomSummary, RoomTitle},
    store::{LobbyPage, LobbyQuery, NewRoom, Store},
};

use crate::people::{at, hash, open, person, room, seat, tea_room};

async fn open_titled(store: &dyn Store, title: &str, created: i64) -> RoomId {
    let title = RoomTitle::parse(title).unwrap();
    open(store, NewRoom { title, created_at: at(created), ..tea_room() }).await
}

async fn search(store: &dyn Store, search: &str) -> LobbyPage {
    let query = LobbyQuery { search: search.to_owned(), skip: 0, limit: 50 };
    store.lobby(query).await.unwrap()
}

fn titles(page: &LobbyPage) -> Vec<&str> {
    page.rooms.iter().map(|room| room.title.as_str()).collect()
}

fn ids_of(rooms: &[RoomSummary]) -> Vec<RoomId> {
    rooms.iter().map(|room| room.id.clone()).collect()
}

pub async fn the_liveliest_rooms_come_first_then_the_newest_then_by_id(store: Arc<dyn Store>) {
    let old = open_titled(&*store, "old", 1).await;
    let lively = open_titled(&*store, "lively", 2).await;
    let mut twins = [RoomId::random(), RoomId::random(), RoomId::random()];
    for id in &twins {
        open(&*store, NewRoom { id: id.clone(), created_at: at(3), ..tea_room() }).await;
    }
    let liveliest = open_titled(&*store, "liveliest", 0).await;
    for guest in ["anna", "ben"] {
        seat(&*store, &liveliest, &person(guest)).await;
    }
    seat(&*store, &lively, &person("anna")).await;

    let page = search(&*store, "").await;

    twins.sort();
    let [first, second, third] = twins;
    assert_eq!(ids_of(&page.rooms), [liveliest, lively, first, second, third, old]);
    assert_eq!(page.total, 6);
}

pub async fn a_search_finds_titles_in_whatever_case(store: Arc<dyn Store>) {
    for (title, created) in
        [("Tea & Talk", 4), ("서울 한국어 방", 3), ("ÉCLAIR café", 2), ("other", 1)]
    {
        open_titled(&*store, title, created).await;
    }

    for (text, found) in [
        ("tea", "Tea & Talk"),
        ("A & T", "Tea & Talk"),
        ("한국", "서울 한국어 방"),
        ("éclair", "ÉCLAIR café"),
        ("CAFÉ", "ÉCLAIR café"),
    ] {
        let page = search(&*store, text).await;
        assert_eq!((titles(&page), page.total), (vec![found], 1), "{text}");
    }
    assert_eq!(titles(&search(&*store, "t").await), ["Tea & Talk", "other"]);
}

pub async fn a_search_is_a_text_and_not_an_expression(store: Arc<dyn Store>) {
    let odd =
        [".*", "[a-z]", "a|b", "(?i)x", "^$", "50 % _", r"\d\", "{1,2}", "+?", "#-/'\"", "$where"];
    for title in odd {
        open_titled(&*store, title, 0).await;
    }
    open_titled(&*store, "plain", 0).await;

    for title in odd {
        assert_eq!(titles(&search(&*store, title).await), [title]);
    }
    assert_eq!(titles(&search(&*store, "%").await), ["50 % _"]);
    assert_eq!(titles(&search(&*store, "\\").await), [r"\d\"]);
    assert_eq!(titles(&search(&*store, "|").await), ["a|b"]);
}

pub async fn a_search_for_what_no_title_holds_finds_nothing(store: Arc<dyn Store>) {
    open_titled(&*store, "tea", 0).await;

    for text in ["coffee", "tea tea", "\0", "te\0a", "\n", &"tea".repeat(20_000)] {
        let page = search(&*store, text).await;
        assert_eq!((page.rooms.len(), page.total), (0, 0), "{:?}", text.get(..9));
    }
}

pub async fn the_pages_of_the_lobby_join_without_gap_or_overlap(store: Arc<dyn Store>) {
    for created in 0..7 {
        open_titled(&*store, &format!("tea {created}"), created).await;
    }
    open_titled(&*store, "coffee", 9).await;

    let mut seen = Vec::new();
    for skip in [0, 3, 6, 9] {
        let query = LobbyQuery { search: "tea".to_owned(), skip, limit: 3 };
        let page = store.lobby(query).await.unwrap();
        assert_eq!(page.total, 7);
        seen.extend(page.rooms);
    }

    assert_eq!(ids_of(&seen), ids_of(&search(&*store, "tea").await.rooms));
    assert_eq!(seen.len(), 7);
}

pub async fn a_page_of_no_rooms_still_counts_them(store: Arc<dyn Store>) {
    open_titled(&*store, "tea", 0).await;

    let page = store.lobby(LobbyQuery::default()).await.unwrap();

    assert_eq!(page, LobbyPage { rooms: Vec::new(), total: 1 });
}

pub async fn a_card_shows_the_first_twelve_colours(store: Arc<dyn Store>) {
    let id = open(&*store, NewRoom { max: Capacity::new(20), ..tea_room() }).await;
    let guests: Vec<_> = (0..14).map(|n| person(&format!("guest {n}"))).collect();
    for guest in &guests {
        seat(&*store, &id, guest).await;
    }

    let page = search(&*store, "tea").await;

    let card = &page.rooms[0];
    let first: Vec<_> = guests[..12].iter().map(|guest| guest.color).collect();
    assert_eq!(card.colors, first);
    assert_eq!(card.count, 14);
    assert_eq!(*card, room(&*store, &id).await.summary());
}

pub async fn a_card_tells_that_there_is_a_password(store: Arc<dyn Store>) {
    let secret = open(&*store, NewRoom { password: Some(hash("sesame")), ..tea_room() }).await;
    let public = open(&*store, tea_room()).await;

    let page = search(&*store, "").await;

    let locked = |id| page.rooms.iter().find(|room| room.id == id).map(|room| room.has_password);
    assert_eq!(locked(secret), Some(true));
    assert_eq!(locked(public), Some(false));
}

pub async fn only_rooms_that_exist_are_summed_up(store: Arc<dyn Store>) {
    let tea = open(&*store, tea_room()).await;
    let secret = open(&*store, NewRoom { password: Some(hash("sesame")), ..tea_room() }).await;
    open(&*store, tea_room()).await;
    seat(&*store, &tea, &person("anna")).await;

    let asked = vec![tea.clone(), RoomId::random(), secret.clone()];
    let mut found = store.summaries(asked).await.unwrap();

    found.sort_by_key(|summary| summary.count);
    assert_eq!(
        found,
        [room(&*store, &secret).await.summary(), room(&*store, &tea).await.summary()]
    );
    assert_eq!(store.summaries(Vec::new()).await.unwrap(), []);
}
