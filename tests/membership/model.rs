//! The model: one room, its people, and the connections that hold their seats.
//!
//! It follows each step of the store by rules of its own, and says what must be true.

use std::collections::{BTreeMap, BTreeSet};

use huechat::{
    domain::{Connection, NodeId, PersonId, Room, RoomChange, RoomId, SocketId},
    store::{Closing, LeaveReason},
};

/// What one call of the store did.
#[derive(Debug, Clone)]
pub enum Step {
    Enter {
        person: PersonId,
        maker: Option<PersonId>,
        socket: SocketId,
        node: NodeId,
        entered: bool,
    },
    DropSocket {
        person: PersonId,
        socket: SocketId,
    },
    Depart {
        person: PersonId,
        reason: LeaveReason,
        left: bool,
    },
    ReplaceAbsentOwner,
    HandOver {
        from: PersonId,
        to: PersonId,
        done: bool,
    },
    Change {
        by: PersonId,
        change: RoomChange,
        done: bool,
    },
    Close {
        closing: Closing,
        closed: bool,
    },
    ReapOthers {
        alive: NodeId,
    },
    Retire {
        node: NodeId,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Seat {
    person: PersonId,
    maker: Option<PersonId>,
    /// Whether the server knows the maker: it has been running since the bot entered last.
    maker_is_known: bool,
    sockets: BTreeMap<SocketId, NodeId>,
}

impl Seat {
    /// A bot keeps no room open, and owns none.
    fn keeps_room(&self) -> bool {
        self.maker.is_none()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// So far nobody entered but bots.
    Waiting,
    InUse,
    Closed,
}

#[derive(Debug, Clone)]
pub struct Model {
    id: RoomId,
    state: State,
    owner: PersonId,
    owner_came: bool,
    locked: bool,
    max: usize,
    kicked: BTreeSet<PersonId>,
    seats: Vec<Seat>,
}

type Wrong = String;

impl Model {
    /// The room before it is opened.
    pub fn unopened(self) -> Self {
        Self { state: State::Closed, ..self }
    }

    pub fn new(id: RoomId, owner: PersonId, max: usize) -> Self {
        let (kicked, seats) = Default::default();
        Self {
            id,
            state: State::Waiting,
            owner,
            owner_came: false,
            locked: false,
            max,
            kicked,
            seats,
        }
    }

    pub fn is_open(&self) -> bool {
        self.state != State::Closed
    }

    pub fn owner(&self) -> &PersonId {
        &self.owner
    }

    pub fn has_seat(&self, person: &PersonId) -> bool {
        self.seats.iter().any(|seat| seat.person == *person)
    }

    pub fn count(&self) -> usize {
        self.seats.len()
    }

    /// The connections that hold a seat.
    pub fn holding(&self) -> BTreeSet<Connection> {
        let of_seat = |seat: &Seat| {
            let (room, person) = (self.id.clone(), seat.person.clone());
            let hold = move |socket: &SocketId| Connection {
                room: room.clone(),
                person: person.clone(),
                socket: socket.clone(),
            };
            seat.sockets.keys().map(hold).collect::<Vec<_>>()
        };
        self.seats.iter().flat_map(of_seat).collect()
    }

    /// Another server starts. It knows who made a bot when the bot enters again.
    pub fn restart(&mut self) {
        self.seats.iter_mut().for_each(|seat| seat.maker_is_known = false);
    }

    /// Bots that have a seat although the person who made them was removed.
    pub fn bots_of_removed(&self) -> Vec<&PersonId> {
        let of_removed = |seat: &&Seat| {
            let is_removed = |maker| self.kicked.contains(maker);
            seat.maker_is_known && seat.maker.as_ref().is_some_and(is_removed)
        };
        self.seats.iter().filter(of_removed).map(|seat| &seat.person).collect()
    }

    fn may_enter(&self, person: &PersonId, maker: Option<&PersonId>) -> bool {
        let owns = *person == self.owner;
        let banned = self.kicked.contains(person);
        let may = self.has_seat(person)
            || (!banned && (owns || !self.locked) && self.seats.len() < self.max);
        let maker_is_banned = maker.is_some_and(|maker| self.kicked.contains(maker));
        self.is_open() && may && !maker_is_banned
    }

    fn may_own(&self, person: &PersonId) -> bool {
        self.seats.iter().any(|seat| seat.person == *person && seat.keeps_room())
    }

    fn may_depart(&self, person: &PersonId, reason: &LeaveReason) -> bool {
        let Some(seat) = self.seats.iter().find(|seat| seat.person == *person) else {
            return false;
        };
        match reason {
            LeaveReason::Now => true,
            LeaveReason::IfAwaySince(_) => seat.sockets.is_empty(),
            LeaveReason::KickedBy(owner) => *owner == self.owner,
        }
    }

    /// Follows a step of the store. What the store did must be what the rules say.
    pub fn follow(&mut self, step: &Step) -> Result<(), Wrong> {
        let (expected, was) = match step {
            Step::Enter { person, maker, entered, .. } => {
                (self.may_enter(person, maker.as_ref()), *entered)
            }
            Step::Depart { person, reason, left } => (self.may_depart(person, reason), *left),
            Step::HandOver { from, to, done } => {
                (self.is_open() && *from == self.owner && self.may_own(to), *done)
            }
            Step::Change { by, change, done } => {
                let fits = change.max.is_none_or(|max| self.seats.len() <= max.get() as usize);
                (self.is_open() && *by == self.owner && fits, *done)
            }
            Step::Close { closing: Closing::By(by), closed } => {
                (self.is_open() && *by == self.owner, *closed)
            }
            Step::Close { closing: Closing::IfUnusedSince(_), closed } => {
                (self.state == State::Waiting, *closed)
            }
            Step::DropSocket { .. }
            | Step::ReplaceAbsentOwner
            | Step::ReapOthers { .. }
            | Step::Retire { .. } => (true, true),
        };
        if expected != was {
            return Err(format!("the store said {was} to {step:?} in {self:?}"));
        }
        if was {
            self.apply(step);
        }
        Ok(())
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Enter { person, maker, socket, node, .. } => {
                if !self.has_seat(person) {
                    let (person, maker) = (person.clone(), maker.clone());
                    let (maker_is_known, sockets) = (true, BTreeMap::new());
                    self.seats.push(Seat { person, maker, maker_is_known, sockets });
                }
                let seat = self.seats.iter_mut().find(|seat| seat.person == *person).unwrap();
                seat.sockets.insert(socket.clone(), node.clone());
                seat.maker_is_known = true;
                if maker.is_none() {
                    self.state = State::InUse;
                }
                self.owner_came |= *person == self.owner;
            }
            Step::DropSocket { person, socket } => {
                for seat in self.seats.iter_mut().filter(|seat| seat.person == *person) {
                    seat.sockets.remove(socket);
                }
            }
            Step::Depart { person, reason, .. } => {
                self.seats.retain(|seat| seat.person != *person);
                if matches!(reason, LeaveReason::KickedBy(_)) {
                    self.kicked.insert(person.clone());
                }
                if *person == self.owner {
                    self.pass_on();
                }
                if self.state == State::InUse && !self.seats.iter().any(Seat::keeps_room) {
                    self.state = State::Closed;
                    self.seats.clear();
                }
            }
            Step::ReplaceAbsentOwner => {
                if !self.has_seat(&self.owner) {
                    self.pass_on();
                }
            }
            Step::HandOver { to, .. } => {
                self.owner = to.clone();
                self.owner_came = true;
            }
            Step::Change { change, .. } => {
                self.locked = change.locked.unwrap_or(self.locked);
                self.max = change.max.map_or(self.max, |max| max.get() as usize);
            }
            Step::Close { .. } => {
                self.state = State::Closed;
                self.seats.clear();
            }
            Step::ReapOthers { alive } => self.drop_sockets(|node| node != alive),
            Step::Retire { node } => self.drop_sockets(|of| of == node),
        }
    }

    fn pass_on(&mut self) {
        if let Some(first) = self.seats.iter().find(|seat| seat.keeps_room()) {
            self.owner = first.person.clone();
            self.owner_came = true;
        }
    }

    fn drop_sockets(&mut self, gone: impl Fn(&NodeId) -> bool) {
        for seat in &mut self.seats {
            seat.sockets.retain(|_, node| !gone(node));
        }
    }

    /// Compares the room in the store with the model, and with what is true of every room.
    pub fn check(&self, room: Option<&Room>) -> Result<(), Wrong> {
        let Some(room) = room.filter(|_| self.is_open()) else {
            let both_closed = room.is_none() && !self.is_open();
            return both_closed.then_some(()).ok_or(format!("{room:?} is not open like {self:?}"));
        };
        if room.people.len() > room.max.get() as usize {
            return Err(format!("more seats than places: {room:?}"));
        }
        if room.summary().count as usize != self.seats.len() {
            return Err(format!("the count of {room:?} is not that of {self:?}"));
        }
        if self.owner_came && room.seat(&room.owner.id).is_none() {
            return Err(format!("the owner has no seat: {room:?}"));
        }
        let seats = room.people.iter().map(|seat| Seat {
            person: seat.person.id.clone(),
            maker: None,
            maker_is_known: true,
            sockets: seat.sockets.iter().map(|one| (one.id.clone(), one.node.clone())).collect(),
        });
        let expected = self.seats.iter().map(|seat| Seat {
            maker: None,
            maker_is_known: true,
            ..seat.clone()
        });
        let same = seats.eq(expected)
            && room.owner.id == self.owner
            && room.locked == self.locked
            && room.kicked.iter().eq(&self.kicked);
        same.then_some(()).ok_or(format!("{room:?} is not as {self:?}"))
    }
}
