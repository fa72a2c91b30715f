//! What may be done to a store, at random: few rooms, few people, so that they meet.

use proptest::prelude::*;

/// How many rooms there are at a time; of people, tabs, nodes, client ids and sessions, too.
pub const ROOMS: usize = 2;
pub const PEOPLE: usize = 5;
const TABS: usize = 2;
const NODES: usize = 3;
const CLIENT_IDS: usize = 3;
const SESSIONS: usize = 2;
/// How far into the past, or into a room's numbers, a step looks.
const REACH: i64 = 25;

/// Numbers say which: the first room, the third person.
#[derive(Debug, Clone)]
pub enum Step {
    Open { room: usize, owner: usize, max: u32, title: usize, password: bool },
    Look { room: usize },
    Lobby { search: usize, skip: usize, limit: usize },
    Summaries,
    Enter { room: usize, person: usize, tab: usize, node: usize, knows: bool },
    Drop { room: usize, person: usize, tab: usize },
    Depart { room: usize, person: usize, how: Depart },
    Close { room: usize, unused_for: Option<i64> },
    ReplaceOwner { room: usize },
    Append { room: usize, drafts: Vec<Words> },
    History { room: usize, viewer: usize, window: Pane },
    Purge { room: usize },
    Overdue { away_for: i64, unused_for: i64 },
    Orphans,
    Beat { node: usize },
    Bury { by: usize, silent_for: i64 },
    Retire { node: usize },
    CreateSession { session: usize, lasts: i64 },
    PatchSession { session: usize, lasts: i64 },
    LoadSession { session: usize },
    DeleteSession { session: usize },
    DeleteExpired,
}

#[derive(Debug, Clone)]
pub enum Depart {
    Now,
    IfAwayFor(i64),
    KickedBy(usize),
}

/// A message: from a person or from the room about one, to everybody or to one.
#[derive(Debug, Clone)]
pub struct Words {
    pub by: usize,
    pub kind: Kind,
    pub client_id: Option<usize>,
}

#[derive(Debug, Clone)]
pub enum Kind {
    Text,
    Gif,
    Whisper(usize),
    System(usize),
}

/// A window whose edge is the place of a message among those that were stored.
#[derive(Debug, Clone)]
pub enum Pane {
    Latest { before: Option<usize>, limit: usize },
    After { after: usize, limit: usize },
}

pub fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => about_seats(),
        16 => about_messages(),
        8 => about_rooms(),
        5 => about_nodes(),
        3 => about_sessions(),
    ]
}

fn about_seats() -> impl Strategy<Value = Step> {
    let at = || (0..ROOMS, 0..PEOPLE, 0..TABS);
    prop_oneof![
        5 => (at(), 0..NODES, any::<bool>()).prop_map(|((room, person, tab), node, knows)| {
            Step::Enter { room, person, tab, node, knows }
        }),
        2 => at().prop_map(|(room, person, tab)| Step::Drop { room, person, tab }),
        2 => (0..ROOMS, 0..PEOPLE, depart())
            .prop_map(|(room, person, how)| Step::Depart { room, person, how }),
        1 => (0..ROOMS).prop_map(|room| Step::ReplaceOwner { room }),
        1 => (0..ROOMS).prop_map(|room| Step::Look { room }),
    ]
}

fn depart() -> impl Strategy<Value = Depart> {
    prop_oneof![
        Just(Depart::Now),
        (0..REACH).prop_map(Depart::IfAwayFor),
        (0..REACH).prop_map(Depart::IfAwayFor),
        (0..PEOPLE).prop_map(Depart::KickedBy),
    ]
}

fn about_messages() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        4 => Just(Kind::Text),
        1 => Just(Kind::Gif),
        2 => (0..PEOPLE).prop_map(Kind::Whisper),
        1 => (0..PEOPLE).prop_map(Kind::System),
    ];
    let words = (0..PEOPLE, kind, proptest::option::of(0..CLIENT_IDS))
        .prop_map(|(by, kind, client_id)| Words { by, kind, client_id });
    prop_oneof![
        (0..ROOMS, proptest::collection::vec(words, 0..5))
            .prop_map(|(room, drafts)| Step::Append { room, drafts }),
        (0..ROOMS, 0..PEOPLE, pane()).prop_map(|(room, viewer, window)| Step::History {
            room,
            viewer,
            window
        }),
    ]
}

fn pane() -> impl Strategy<Value = Pane> {
    let edge = || 0..25_usize;
    prop_oneof![
        (proptest::option::of(edge()), 0..6_usize)
            .prop_map(|(before, limit)| Pane::Latest { before, limit }),
        (edge(), 0..6_usize).prop_map(|(after, limit)| Pane::After { after, limit }),
    ]
}

fn about_rooms() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..ROOMS, 0..PEOPLE, 2..5_u32, 0..TITLES.len(), any::<bool>()).prop_map(
            |(room, owner, max, title, password)| Step::Open { room, owner, max, title, password }
        ),
        2 => (0..SEARCHES.len(), 0..3_usize, 0..4_usize)
            .prop_map(|(search, skip, limit)| Step::Lobby { search, skip, limit }),
        1 => Just(Step::Summaries),
        2 => (0..ROOMS, proptest::option::of(0..REACH))
            .prop_map(|(room, unused_for)| Step::Close { room, unused_for }),
        1 => (0..ROOMS).prop_map(|room| Step::Purge { room }),
        1 => (0..REACH, 0..REACH)
            .prop_map(|(away_for, unused_for)| Step::Overdue { away_for, unused_for }),
        1 => Just(Step::Orphans),
    ]
}

fn about_nodes() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..NODES).prop_map(|node| Step::Beat { node }),
        2 => (0..NODES, 0..REACH).prop_map(|(by, silent_for)| Step::Bury { by, silent_for }),
        1 => (0..NODES).prop_map(|node| Step::Retire { node }),
    ]
}

fn about_sessions() -> impl Strategy<Value = Step> {
    let session = || (0..SESSIONS, 0..REACH);
    prop_oneof![
        session().prop_map(|(session, lasts)| Step::CreateSession { session, lasts }),
        session().prop_map(|(session, lasts)| Step::PatchSession { session, lasts }),
        (0..SESSIONS).prop_map(|session| Step::LoadSession { session }),
        (0..SESSIONS).prop_map(|session| Step::DeleteSession { session }),
        Just(Step::DeleteExpired),
    ]
}

pub const TITLES: [&str; 5] = ["Tea (hot)", "tea. cold", "한국 차", "CAFÉ É", "50 % _"];
pub const SEARCHES: [&str; 8] = ["", "tea", "TEA (", ".", "한국", "café", "%", "nothing"];
