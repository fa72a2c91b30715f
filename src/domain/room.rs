//! A room, its seats, and who may take one.

use super::{
    Capacity, Color, Name, NetworkHash, NodeId, PasswordHash, Person, PersonId, RoomId, RoomTitle,
    SocketId, Timestamp,
};

/// One connection that holds a seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatSocket {
    /// The connection.
    pub id: SocketId,
    /// The server that holds it.
    pub node: NodeId,
}

/// One person's place in a room. However many tabs they have open, it is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Who sits there, as they are called in this room.
    pub person: Person,
    /// Their connections; none while they are away.
    pub sockets: Vec<SeatSocket>,
    /// When they came in.
    pub since: Timestamp,
    /// When their last connection went; `None` while one is there.
    pub left_at: Option<Timestamp>,
    /// From which network they came last, where that is remembered.
    pub network: Option<NetworkHash>,
}

/// A room as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// What it is listed under.
    pub title: RoomTitle,
    /// How many people fit in.
    pub max: Capacity,
    /// Who may change it. Until they come in they hold no seat.
    pub owner: Person,
    /// What a newcomer must know.
    pub password: Option<PasswordHash>,
    /// Whether newcomers are kept out.
    pub locked: bool,
    /// Who is there, in the order in which they came.
    pub people: Vec<Seat>,
    /// Who may not come back.
    pub kicked: Vec<PersonId>,
    /// From which networks nobody may come in any more.
    pub kicked_networks: Vec<NetworkHash>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it has waited for its first person; `None` once somebody came.
    pub empty_since: Option<Timestamp>,
}

/// Why somebody may not come in, in the order in which it is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such room, or no longer.
    NoSuchRoom,
    /// It has a password, and they have not shown that they know it.
    WrongPassword,
    /// They were removed from it.
    Kicked,
    /// Its owner lets no newcomer in.
    Locked,
    /// Every place is taken.
    RoomFull,
}

/// Somebody at the door.
#[derive(Debug, Clone, Copy)]
pub struct Knock<'a> {
    /// Who.
    pub person: &'a PersonId,
    /// The hash of the password that they have shown to know.
    pub passed: Option<&'a PasswordHash>,
    /// From which network they come, where that matters.
    pub network: Option<&'a NetworkHash>,
}

/// What the owner changes of a room; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomChange {
    /// What it is listed under.
    pub title: Option<RoomTitle>,
    /// How many people fit in.
    pub max: Option<Capacity>,
    /// What a newcomer must know; `Some(None)` for nothing any more.
    pub password: Option<Option<PasswordHash>>,
    /// Whether newcomers are kept out.
    pub locked: Option<bool>,
}

/// Why something that is the owner's to do is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undone {
    /// There is no such room, or no longer.
    NoSuchRoom,
    /// Somebody else owns it.
    NotOwner,
    /// Whom it is about has no seat there.
    NotHere,
    /// More people are there than would fit in.
    TooFewPlaces,
}

impl Room {
    /// The seat of a person.
    #[must_use]
    pub fn seat(&self, person: &PersonId) -> Option<&Seat> {
        self.people.iter().find(|seat| seat.person.id == *person)
    }

    /// Whether this person is let in. Whoever holds a seat is, and no password, lock or
    /// capacity keeps an owner from their own seat but the place itself.
    ///
    /// # Errors
    /// The first reason why not.
    pub fn admit(&self, knock: Knock<'_>) -> Result<(), Refusal> {
        if self.seat(knock.person).is_some() {
            return Ok(());
        }
        let owner = self.owner.id == *knock.person;
        if !owner && self.password.is_some() && self.password.as_ref() != knock.passed {
            return Err(Refusal::WrongPassword);
        }
        let from_there = knock.network.is_some_and(|there| self.kicked_networks.contains(there));
        if self.kicked.contains(knock.person) || (!owner && from_there) {
            return Err(Refusal::Kicked);
        }
        if !owner && self.locked {
            return Err(Refusal::Locked);
        }
        if self.people.len() >= self.max.get() as usize {
            return Err(Refusal::RoomFull);
        }
        Ok(())
    }

    /// What a newcomer is called here: their own name, or with the next number that nobody here
    /// has. The owner's name is kept for them until they come.
    #[must_use]
    pub fn name_for(&self, newcomer: &Person) -> Name {
        let taken = |name: Name| {
            let same = |other: &Person| other.name.plain() == name.plain();
            let seated = self.people.iter().any(|seat| same(&seat.person));
            seated || (self.owner.id != newcomer.id && same(&self.owner))
        };
        std::iter::successors(Some(newcomer.name), |name| Some(name.next()))
            .find(|name| !taken(*name))
            .unwrap_or(newcomer.name)
    }

    /// Whether this person may change the room so.
    ///
    /// # Errors
    /// Why not.
    pub fn may_change(&self, who: &PersonId, change: &RoomChange) -> Result<(), Undone> {
        if self.owner.id != *who {
            return Err(Undone::NotOwner);
        }
        if change.max.is_some_and(|max| self.people.len() > max.get() as usize) {
            return Err(Undone::TooFewPlaces);
        }
        Ok(())
    }

    /// Who would own the room if this person gave it to that one.
    ///
    /// # Errors
    /// Why they cannot.
    pub fn handed_over(&self, from: &PersonId, to: &PersonId) -> Result<&Person, Undone> {
        if self.owner.id != *from {
            return Err(Undone::NotOwner);
        }
        self.seat(to).map(|seat| &seat.person).ok_or(Undone::NotHere)
    }

    /// Who owns the room once `leaver` is gone: whoever has been there longest, if they owned it.
    #[must_use]
    pub fn owner_after(&self, leaver: &PersonId) -> Option<&Person> {
        if self.owner.id != *leaver {
            return None;
        }
        self.people.iter().map(|seat| &seat.person).find(|person| person.id != *leaver)
    }

    /// The room as the lobby shows it.
    #[must_use]
    pub fn summary(&self) -> RoomSummary {
        RoomSummary {
            id: self.id.clone(),
            title: self.title.clone(),
            max: self.max,
            count: u32::try_from(self.people.len()).unwrap_or(u32::MAX),
            colors: self
                .people
                .iter()
                .take(RoomSummary::MAX_COLORS)
                .map(|seat| seat.person.color)
                .collect(),
            owner: self.owner.clone(),
            has_password: self.password.is_some(),
            locked: self.locked,
            created_at: self.created_at,
        }
    }
}

/// A room as everybody may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomSummary {
    /// Its id.
    pub id: RoomId,
    /// What it is listed under.
    pub title: RoomTitle,
    /// How many people fit in.
    pub max: Capacity,
    /// How many are there.
    pub count: u32,
    /// The colours of the first twelve, in the order in which they came.
    pub colors: Vec<Color>,
    /// Who may change it.
    pub owner: Person,
    /// Whether a newcomer needs a password.
    pub has_password: bool,
    /// Whether newcomers are kept out.
    pub locked: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

impl RoomSummary {
    /// As many colours as a card in the lobby shows.
    pub const MAX_COLORS: usize = 12;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(session: &str) -> Person {
        Person::of_session(b"secret", session)
    }

    fn seat(person: Person) -> Seat {
        Seat {
            person,
            sockets: Vec::new(),
            since: Timestamp::from_millis(0),
            left_at: None,
            network: None,
        }
    }

    fn room(owner: &Person) -> Room {
        Room {
            id: RoomId::random(),
            title: RoomTitle::parse("tea").unwrap(),
            max: Capacity::new(2),
            owner: owner.clone(),
            password: None,
            locked: false,
            people: Vec::new(),
            kicked: Vec::new(),
            kicked_networks: Vec::new(),
            created_at: Timestamp::from_millis(0),
            empty_since: Some(Timestamp::from_millis(0)),
        }
    }

    fn admitted(
        room: &Room,
        person: &Person,
        passed: Option<&PasswordHash>,
    ) -> Result<(), Refusal> {
        room.admit(Knock { person: &person.id, passed, network: None })
    }

    #[test]
    fn the_reasons_to_refuse_come_in_their_order() {
        let owner = person("owner");
        let guest = person("guest");
        let hash = PasswordHash::new("hash");
        let mut room = room(&owner);
        room.people = vec![seat(person("a")), seat(person("b"))];
        room.locked = true;
        room.kicked = vec![guest.id.clone()];
        room.password = Some(hash.clone());

        assert_eq!(admitted(&room, &guest, None), Err(Refusal::WrongPassword));
        assert_eq!(admitted(&room, &guest, Some(&hash)), Err(Refusal::Kicked));
        room.kicked.clear();
        assert_eq!(admitted(&room, &guest, Some(&hash)), Err(Refusal::Locked));
        room.locked = false;
        assert_eq!(admitted(&room, &guest, Some(&hash)), Err(Refusal::RoomFull));
        room.people.pop();
        assert_eq!(admitted(&room, &guest, Some(&hash)), Ok(()));
    }

    #[test]
    fn whoever_has_a_seat_passes_lock_password_and_a_full_house() {
        let guest = person("guest");
        let mut room = room(&person("owner"));
        room.people = vec![seat(guest.clone()), seat(person("b"))];
        room.locked = true;
        room.password = Some(PasswordHash::new("hash"));
        assert_eq!(admitted(&room, &guest, None), Ok(()));
    }

    #[test]
    fn a_network_that_somebody_was_kicked_from_is_closed_but_to_the_owner_and_who_is_there() {
        let (owner, neighbour, newcomer) = (person("owner"), person("neighbour"), person("new"));
        let (here, there) = (NetworkHash::new("here"), NetworkHash::new("there"));
        let mut room = room(&owner);
        room.max = Capacity::new(5);
        room.people = vec![seat(neighbour.clone())];
        room.kicked_networks = vec![there.clone()];
        let from = |who: &Person, network: &NetworkHash| {
            room.admit(Knock { person: &who.id, passed: None, network: Some(network) })
        };

        assert_eq!(from(&newcomer, &there), Err(Refusal::Kicked));
        assert_eq!(from(&newcomer, &here), Ok(()));
        assert_eq!(from(&neighbour, &there), Ok(()));
        assert_eq!(from(&owner, &there), Ok(()));
    }

    #[test]
    fn a_changed_password_shuts_out_who_knew_the_old_one() {
        let mut room = room(&person("owner"));
        room.password = Some(PasswordHash::new("new"));
        let old = PasswordHash::new("old");
        assert_eq!(admitted(&room, &person("guest"), Some(&old)), Err(Refusal::WrongPassword));
    }

    #[test]
    fn a_taken_name_gets_the_next_number_and_the_owners_is_kept_for_them() {
        let owner = person("owner");
        let mut room = room(&owner);
        let twin = Person { name: owner.name, ..person("twin") };
        assert_eq!(room.name_for(&owner), owner.name);
        assert_eq!(room.name_for(&twin), owner.name.next());
        room.people = vec![seat(Person { name: owner.name.next(), ..person("third") })];
        assert_eq!(room.name_for(&twin), owner.name.next().next());
        let bot = Person { name: Name { bot: true, ..owner.name }, ..person("bot") };
        assert_eq!(room.name_for(&bot).plain(), owner.name.next().next());
    }

    #[test]
    fn the_longest_there_follows_an_owner() {
        let (owner, first, second) = (person("owner"), person("first"), person("second"));
        let mut room = room(&owner);
        room.people = vec![seat(first.clone()), seat(owner.clone()), seat(second)];
        assert_eq!(room.owner_after(&owner.id), Some(&first));
        assert_eq!(room.owner_after(&first.id), None);
    }
}
