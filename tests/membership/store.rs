//! The real embedded store behind gates: each call waits at a gate before it, and at another after
//! it, until the scheduler lets it go on. Between them it is one atomic step, as in every store.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use huechat::{
    domain::{
        Draft, Gif, History, NodeId, OwnerActionError, Person, PersonId, Room, RoomChange, RoomId,
        RoomSummary, Seq, SocketId, StoreId, Timestamp, TokenHash, TokenId, Window,
    },
    store::{
        Appended, Changed, Closing, DeleteOutcome, DisconnectOutcome, EnterOutcome, Entry, Error,
        LeaveOutcome, LeaveReason, LobbyPage, LobbyQuery, MessageStore, NewRoom, NodeStore, Result,
        RoomStore, SeatStore, SessionRow, SessionStore, TokenRow, TokenStore, Trimmed,
        sqlite::SqliteStore,
    },
};
use serde_json::{Map, Value};

use crate::{
    model::Step,
    scheduler::{Gates, Side, Verdict},
};

/// The store's times are so much earlier than the clock: a grace or a wait is over as soon as
/// somebody looks, which only the scheduler's time brings about.
const AHEAD: Duration = Duration::from_secs(3600);

/// The store of one server process.
#[derive(Debug)]
pub struct GatedStore {
    pub inner: Arc<SqliteStore>,
    pub gates: Arc<Gates>,
}

impl GatedStore {
    async fn step<T>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<T>>,
        changes: impl FnOnce(&T) -> Option<Step>,
    ) -> Result<T> {
        let refused = || Error::new("the scheduler lets this call fail");
        if self.gates.pass(name, Side::Before).await == Verdict::Fail {
            return Err(refused());
        }
        let running = self.gates.in_store();
        let outcome = call.await;
        drop(running);
        if let Ok(done) = &outcome
            && let Some(change) = changes(done)
        {
            self.gates.record(change);
        }
        match self.gates.pass(name, Side::After).await {
            Verdict::GoOn => outcome,
            Verdict::Fail => Err(refused()),
        }
    }
}

/// Forwards each method of a trait, as a step with gates. What stands after `=>` tells the model
/// what the step changes; `with` names the arguments that the store gets, and `instead` the answer
/// when it gets nothing.
macro_rules! forward {
    ($trait:ident: $(
        fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty
        $(, with ($($given:expr),*))? $(, instead $nothing:expr)? $(=> $change:expr)?;
    )*) => {
        #[async_trait]
        impl $trait for GatedStore {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$out> {
                let change = forward!(@change $out $(, $change)?);
                let call = forward!(
                    @call self.inner, $name, ($($arg),*) $(, ($($given),*))? $(, instead $nothing)?
                );
                self.step(stringify!($name), call, change).await
            })*
        }
    };
    (@change $out:ty) => { |_: &$out| None };
    (@change $out:ty, $change:expr) => {{
        let change = $change;
        move |done: &$out| change(done)
    }};
    (@call $inner:expr, $name:ident, ($($arg:expr),*), instead $nothing:expr) => {{
        $(let _ = $arg;)*
        async { Ok($nothing) }
    }};
    (@call $inner:expr, $name:ident, ($($arg:expr),*)) => { $inner.$name($($arg),*) };
    (@call $inner:expr, $name:ident, ($($arg:expr),*), ($($given:expr),*)) => {
        $inner.$name($($given),*)
    };
}

type OwnerAction<T> = std::result::Result<T, OwnerActionError>;

forward! { SeatStore:
    fn enter(entry: Entry) -> EnterOutcome => {
        let (person, maker) = (entry.person.id.clone(), entry.maker.clone());
        let (socket, node) = (entry.socket.clone(), entry.node.clone());
        move |done: &EnterOutcome| {
            let entered = !matches!(done, EnterOutcome::Refused(_));
            Some(Step::Enter { person, maker, socket, node, entered })
        }
    };
    fn drop_socket(room: &RoomId, person: &PersonId, socket: &SocketId, at: Timestamp)
        -> DisconnectOutcome, with (room, person, socket, at.before(AHEAD)) => {
        let (person, socket) = (person.clone(), socket.clone());
        move |_: &DisconnectOutcome| Some(Step::DropSocket { person, socket })
    };
    fn depart(room: &RoomId, person: &PersonId, departing: LeaveReason) -> LeaveOutcome => {
        let (person, reason) = (person.clone(), departing.clone());
        move |done: &LeaveOutcome| {
            let left = matches!(done, LeaveOutcome::Left { .. } | LeaveOutcome::Closed { .. });
            Some(Step::Depart { person, reason, left })
        }
    };
    fn replace_absent_owner(room: &RoomId) -> Option<Person>
        => |_: &Option<Person>| Some(Step::ReplaceAbsentOwner);
    fn hand_over(room: &RoomId, from: &PersonId, to: &PersonId) -> OwnerAction<Room> => {
        let (from, to) = (from.clone(), to.clone());
        move |done: &OwnerAction<Room>| Some(Step::HandOver { from, to, done: done.is_ok() })
    };
}

forward! { RoomStore:
    fn open(room: NewRoom, at_most: usize) -> bool,
        with (NewRoom { created_at: room.created_at.before(AHEAD), ..room }, at_most);
    fn room(id: &RoomId) -> Option<Room>;
    fn rooms_of(person: &PersonId) -> Vec<Room>;
    fn lobby(query: LobbyQuery) -> LobbyPage;
    fn summaries(ids: Vec<RoomId>) -> Vec<RoomSummary>;
    fn change(room: &RoomId, by: &PersonId, change: RoomChange) -> OwnerAction<Changed> => {
        let (by, change) = (by.clone(), change.clone());
        move |done: &OwnerAction<Changed>| Some(Step::Change { by, change, done: done.is_ok() })
    };
    fn close(room: &RoomId, closing: Closing) -> bool => {
        let closing = closing.clone();
        move |closed: &bool| Some(Step::Close { closing, closed: *closed })
    };
    fn overdue(away_since: Timestamp, unused_since: Timestamp) -> Vec<RoomId>;
}

forward! { MessageStore:
    fn shows(room: &RoomId, gif: &Gif) -> bool;
    fn append(room: &RoomId, drafts: Vec<Draft>) -> Vec<Appended>;
    fn delete_message(room: &RoomId, seq: Seq, who: &PersonId, owner: bool) -> DeleteOutcome;
    fn latest_public_seq(room: &RoomId) -> Option<Seq>;
    fn history(room: &RoomId, viewer: &PersonId, window: Window) -> History;
    fn histories(room: &RoomId, viewers: &[PersonId], window: Window) -> Vec<History>;
    fn trim(room: &RoomId, up_to: Seq, at_most: usize) -> Trimmed;
    // The store empties its log after a purge, and pauses for a second then. Each schedule closes a
    // room, and hears nothing of what is left of others.
    fn purge(room: &RoomId) -> (), instead ();
    fn orphans() -> Vec<RoomId>, instead Vec::new();
}

forward! { SessionStore:
    fn create_session(session: SessionRow) -> bool;
    fn patch_session(key: &str, patch: Map<String, Value>, until: Timestamp) -> ();
    fn add_pass(session: &str, room: &RoomId, pass: &str, at_most: usize) -> ();
    fn session(key: &str, now: Timestamp) -> Option<SessionRow>;
    fn ended_sessions(keys: Vec<Arc<str>>, now: Timestamp) -> Vec<Arc<str>>;
    fn prolong_session(key: &str, until: Timestamp) -> ();
    fn delete_session(key: &str) -> ();
    fn delete_expired_sessions(now: Timestamp) -> ();
}

forward! { TokenStore:
    fn create_token(token: TokenRow, at_most: usize) -> bool;
    fn token(hash: &TokenHash, now: Timestamp) -> Option<TokenRow>;
    fn tokens(session: &str, now: Timestamp) -> Vec<TokenRow>;
    fn ended_tokens(ids: Vec<TokenId>, now: Timestamp) -> Vec<TokenId>;
    fn delete_tokens(session: &str, only: Option<&TokenId>) -> usize;
}

forward! { NodeStore:
    fn prepare() -> StoreId;
    fn heartbeat(node: &NodeId, at: Timestamp) -> bool;
    fn reap_dead_nodes(alive: &NodeId, seen_before: Timestamp, at: Timestamp) -> (),
        with (alive, seen_before, at.before(AHEAD)) => {
        let alive = alive.clone();
        move |(): &()| Some(Step::ReapOthers { alive })
    };
    fn clamp_times(latest: Timestamp, now: Timestamp) -> ();
    fn retire(node: &NodeId, at: Timestamp) -> (), with (node, at.before(AHEAD)) => {
        let node = node.clone();
        move |(): &()| Some(Step::Retire { node })
    };
    fn ready() -> ();
}
