//! One of the two stores, and its answers in words that do not depend on which it is.

use std::{
    collections::{HashMap, HashSet},
    fmt::Debug,
    sync::Arc,
};

use huechat::{
    domain::{
        Author, Capacity, ClientId, Draft, DraftBody, Gif, GifFacts, Message, MessageText, NodeId,
        Person, Room, RoomId, RoomTitle, Seq, SocketId, SystemCode, Timestamp, Window,
    },
    store::{
        Appended, Closing, EnterOutcome, Entry, LeaveOutcome, LeaveReason, LobbyQuery, NewRoom,
        SessionRow, Store,
    },
};
use serde_json::json;

use super::step::{Depart, Kind, PEOPLE, Pane, ROOMS, SEARCHES, Step, TITLES, Words};
use crate::people::{at, bot, close, hash, person, twin_of};

/// What both sides share: the rooms of this story. Another one of the same number takes the
/// place of the last, which may well exist for some time yet.
#[derive(Default)]
pub struct Stage {
    rooms: [Option<RoomId>; ROOMS],
    all: Vec<RoomId>,
}

impl Stage {
    /// Names the room that this step is about to make.
    pub fn set(&mut self, step: &Step) {
        if let Step::Open { room, .. } = step {
            let id = RoomId::random();
            self.rooms[*room] = Some(id.clone());
            self.all.push(id);
        }
    }

    fn room(&self, number: usize) -> RoomId {
        self.rooms[number].clone().unwrap_or_else(RoomId::random)
    }

    /// Its number among all of this story.
    fn number(&self, id: &RoomId) -> Option<usize> {
        self.all.iter().position(|known| known == id)
    }
}

/// The last two share a name.
fn actor(number: usize) -> Person {
    match number {
        n if n + 1 == PEOPLE => twin_of(&actor(n - 1), "twin"),
        1 => bot("actor 1"),
        n => person(&format!("actor {n}")),
    }
}

fn node(number: usize) -> NodeId {
    NodeId::new(format!("node {number}"))
}

fn socket(person: usize, tab: usize) -> SocketId {
    SocketId::new(format!("{person}-{tab}"))
}

pub struct Side {
    store: Arc<dyn Store>,
    /// The numbers of the messages in the order in which they were stored, after 0. Stores may leave
    /// different gaps, so it is their places here that are compared.
    numbers: HashMap<RoomId, Vec<Seq>>,
    /// Public numbers that were given out: what `prev` and `head` may be.
    public: HashSet<(RoomId, Seq)>,
}

impl Side {
    pub fn new(store: &Arc<dyn Store>) -> Self {
        Self { store: Arc::clone(store), numbers: HashMap::new(), public: HashSet::new() }
    }

    /// Does one step, and tells what came of it.
    pub async fn perform(&mut self, stage: &Stage, step: &Step, moment: i64) -> String {
        let store = Arc::clone(&self.store);
        let now = at(moment);
        match step {
            Step::Open { .. } => told(store.open(new_room(stage, step, now), 1_000).await),
            Step::Look { room } => {
                let found = store.room(&stage.room(*room)).await.unwrap();
                let head = store.latest_public_seq(&stage.room(*room)).await.unwrap();
                let head = head.map(|seq| self.head(&stage.room(*room), seq));
                format!("{} up to {head:?}", told(found.map(Self::room)))
            }
            Step::Lobby { search, skip, limit } => {
                let search = SEARCHES[*search].to_owned();
                told(store.lobby(LobbyQuery { search, skip: *skip, limit: *limit }).await)
            }
            Step::Summaries => {
                let mut found = store.summaries(stage.all.clone()).await.unwrap();
                found.sort_by_key(|room| stage.number(&room.id));
                told(found)
            }
            Step::Enter { .. } => {
                Self::entering(store.enter(authorize(stage, step, now)).await.unwrap())
            }
            Step::Drop { room, person, tab } => {
                let (room, who, socket) =
                    (stage.room(*room), actor(*person), socket(*person, *tab));
                told(store.drop_socket(&room, &who.id, &socket, now).await)
            }
            Step::Depart { room, person, how } => {
                let departing = match how {
                    Depart::Now => LeaveReason::Now,
                    Depart::IfAwayFor(seconds) => LeaveReason::IfAwaySince(at(moment - seconds)),
                    Depart::KickedBy(by) => LeaveReason::KickedBy(actor(*by).id),
                };
                let (room, who) = (stage.room(*room), actor(*person));
                Self::departure(store.depart(&room, &who.id, departing).await.unwrap())
            }
            Step::Close { room, unused_for } => {
                let closing = unused_for.map_or(Closing::By(actor(0).id), |seconds| {
                    Closing::IfUnusedSince(at(moment - seconds))
                });
                told(store.close(&stage.room(*room), closing).await)
            }
            Step::ReplaceOwner { room } => {
                told(store.replace_absent_owner(&stage.room(*room)).await)
            }
            Step::Append { room, drafts } => {
                let room = stage.room(*room);
                let drafts = drafts.iter().map(|words| draft(words, now)).collect();
                let outcomes = store.append(&room, drafts).await.unwrap();
                told(outcomes.into_iter().map(|one| self.appended(&room, one)).collect::<Vec<_>>())
            }
            Step::History { room, viewer, window } => {
                let room = stage.room(*room);
                let window = self.window(&room, window);
                let mut history = store.history(&room, &actor(*viewer).id, window).await.unwrap();
                for message in &mut history.messages {
                    self.anonymise(message);
                }
                told(history)
            }
            _ => self.keep_house(stage, step, moment).await,
        }
    }

    /// The steps that are not about what people do.
    async fn keep_house(&self, stage: &Stage, step: &Step, moment: i64) -> String {
        let store = &self.store;
        let now = at(moment);
        let rooms = |mut found: Vec<RoomId>| {
            found.sort_by_key(|id| stage.number(id));
            told(found)
        };
        match step {
            Step::Purge { room } => told(store.purge(&stage.room(*room)).await),
            Step::Overdue { away_for, unused_for } => {
                let (away, unused) = (at(moment - away_for), at(moment - unused_for));
                rooms(store.overdue(away, unused).await.unwrap())
            }
            Step::Orphans => rooms(store.orphans().await.unwrap()),
            Step::Beat { node: number } => told(store.heartbeat(&node(*number), now).await),
            Step::Bury { by, silent_for } => {
                told(store.reap_dead_nodes(&node(*by), at(moment - silent_for), now).await)
            }
            Step::Retire { node: number } => told(store.retire(&node(*number), now).await),
            Step::CreateSession { session, lasts } => {
                told(store.create_session(self::session(*session, moment, *lasts)).await)
            }
            Step::PatchSession { session, lasts } => {
                let SessionRow { key, data, expires_at, .. } =
                    self::session(*session, moment, *lasts);
                told(store.patch_session(&key, data, expires_at).await)
            }
            Step::LoadSession { session } => told(store.session(&key(*session), now).await),
            Step::DeleteSession { session } => told(store.delete_session(&key(*session)).await),
            Step::DeleteExpired => told(store.delete_expired_sessions(now).await),
            step => panic!("{step:?} is about people"),
        }
    }

    /// Leaves nothing behind for the next story.
    pub async fn clear(&self, stage: &Stage) {
        for room in &stage.all {
            close(&*self.store, room).await;
            self.store.purge(room).await.unwrap();
        }
        for number in 0..3 {
            self.store.retire(&node(number), at(0)).await.unwrap();
        }
        self.store.delete_expired_sessions(at(1_000_000)).await.unwrap();
    }

    fn place(&self, room: &RoomId, seq: Seq) -> Seq {
        let places = self.numbers.get(room).map_or(&[][..], Vec::as_slice);
        let place = places.iter().position(|known| *known == seq).map(|index| index + 1);
        match (seq, place) {
            (0, _) => 0,
            (_, Some(place)) => Seq::try_from(place).unwrap(),
            (_, None) => panic!("{seq} in {room} was given to no message"),
        }
    }

    fn anonymise(&self, message: &mut Message) {
        message.seq = self.place(&message.room, message.seq);
        message.id = String::new();
    }

    fn room(mut room: Room) -> String {
        room.kicked.sort();
        for seat in &mut room.people {
            seat.sockets.sort_by(|one, other| one.id.as_str().cmp(other.id.as_str()));
        }
        told(room)
    }

    /// The place of a number that everybody knows.
    fn head(&self, room: &RoomId, seq: Seq) -> Seq {
        let known = seq == 0 || self.public.contains(&(room.clone(), seq));
        assert!(known, "{seq} in {room} was given to no message that everybody sees");
        self.place(room, seq)
    }

    fn entering(outcome: EnterOutcome) -> String {
        match outcome {
            EnterOutcome::Newcomer { person, room } => {
                format!("Newcomer {person:?} {}", Self::room(room))
            }
            EnterOutcome::Returned { person, room } => {
                format!("Returned {person:?} {}", Self::room(room))
            }
            EnterOutcome::Refused(refusal) => told(refusal),
        }
    }

    fn departure(outcome: LeaveOutcome) -> String {
        match outcome {
            LeaveOutcome::Left { person, room, new_owner } => {
                format!("Left {person:?} {new_owner} {}", Self::room(room))
            }
            other => told(other),
        }
    }

    fn appended(&mut self, room: &RoomId, outcome: Appended) -> String {
        match outcome {
            Appended::Stored { mut message, prev } => {
                let known = self.numbers.entry(room.clone()).or_default();
                assert!(known.last().is_none_or(|last| *last < message.seq), "{message:?}");
                known.push(message.seq);
                let prev = self.head(room, prev);
                if message.is_public() {
                    self.public.insert((room.clone(), message.seq));
                }
                self.anonymise(&mut message);
                format!("Stored {message:?} after {prev}")
            }
            Appended::Already(mut message) => {
                self.anonymise(&mut message);
                format!("Already {message:?}")
            }
            Appended::AppendError(unsaid) => told(unsaid),
        }
    }

    fn window(&self, room: &RoomId, pane: &Pane) -> Window {
        let places = self.numbers.get(room).map_or(&[][..], Vec::as_slice);
        let seq = |place: usize| match place.checked_sub(1) {
            None => 0,
            Some(index) => places.get(index).copied().unwrap_or(Seq::MAX / 2),
        };
        match *pane {
            Pane::Latest { before, limit } => Window::Latest { before: before.map(seq), limit },
            Pane::After { after, limit } => Window::After { after: seq(after), limit },
        }
    }
}

fn told(answer: impl Debug) -> String {
    format!("{answer:?}")
}

fn new_room(stage: &Stage, step: &Step, now: Timestamp) -> NewRoom {
    let Step::Open { room, owner, max, title, password } = step else { panic!("{step:?}") };
    NewRoom {
        id: stage.room(*room),
        title: RoomTitle::parse(TITLES[*title]).unwrap(),
        max: Capacity::new(*max),
        owner: actor(*owner),
        password: password.then(|| hash("sesame")),
        created_at: now,
    }
}

fn authorize(stage: &Stage, step: &Step, now: Timestamp) -> Entry {
    let Step::Enter { room, person, tab, node, knows } = step else { panic!("{step:?}") };
    Entry {
        room: stage.room(*room),
        person: actor(*person),
        maker: None,
        socket: socket(*person, *tab),
        node: self::node(*node),
        passed: knows.then(|| hash("sesame")),
        network: None,
        at: now,
    }
}

fn draft(words: &Words, now: Timestamp) -> Draft {
    let by = actor(words.by);
    let text = MessageText::parse("words").unwrap();
    let seated = Author::Seated(by.id.clone());
    let facts = GifFacts { width: 1, height: 2, bytes: 3, frames: 4, duration_ms: 5 };
    let (author, body) = match words.kind {
        Kind::Text => (seated, DraftBody::Text(text)),
        Kind::Gif => (seated, DraftBody::Gif(Gif { hash: "0".repeat(64), facts })),
        Kind::Whisper(to) => (seated, DraftBody::Whisper { to: actor(to).id, text }),
        Kind::System(about) => {
            let system = DraftBody::System { code: SystemCode::Owner, person: actor(about) };
            (Author::System(by), system)
        }
    };
    let client_id = words.client_id.map(|number| ClientId::parse(&number.to_string()).unwrap());
    Draft { author, body, client_id, at: now }
}

fn key(session: usize) -> String {
    session.to_string().repeat(64)
}

fn session(session: usize, moment: i64, lasts: i64) -> SessionRow {
    let serde_json::Value::Object(data) = json!({ "made": moment }) else { unreachable!() };
    SessionRow { key: key(session), data, passes: Vec::new(), expires_at: at(moment + lasts) }
}
