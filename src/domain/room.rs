//! A room, its seats, and the rules for entering.

use super::{
    Capacity, Name, NetworkHash, NodeId, PasswordHash, Person, PersonId, RoomId, RoomTitle,
    SocketId, Timestamp,
};

/// One connection that holds a seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatSocket {
    /// The connection.
    pub id: SocketId,
    /// The node that holds the connection.
    pub node: NodeId,
}

/// A connection of a person in a room, as it holds their seat there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Connection {
    /// The room.
    pub room: RoomId,
    /// The person.
    pub person: PersonId,
    /// The connection.
    pub socket: SocketId,
}

/// One person's place in a room, shared by all their connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// The person, under their name in this room.
    pub person: Person,
    /// Their connections; empty during the grace.
    pub sockets: Vec<SeatSocket>,
    /// Time of entry.
    pub since: Timestamp,
    /// When their last connection closed; `None` while one is open.
    pub left_at: Option<Timestamp>,
    /// The hash of their latest network, if kicks ban networks.
    pub network: Option<NetworkHash>,
}

/// A room as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// The title.
    pub title: RoomTitle,
    /// The capacity.
    pub max: Capacity,
    /// The owner. They hold no seat until they enter.
    pub owner: Person,
    /// The hash of the password, if set.
    pub password: Option<PasswordHash>,
    /// Whether the room is locked for newcomers.
    pub locked: bool,
    /// The seats, in order of entry.
    pub people: Vec<Seat>,
    /// The banned people.
    pub kicked: Vec<PersonId>,
    /// The hashes of the banned networks.
    pub kicked_networks: Vec<NetworkHash>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Since when it waits for its first person; `None` once somebody has entered who is no bot.
    pub empty_since: Option<Timestamp>,
}

/// The reasons for refusing an entry, in the order of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryError {
    /// The room does not exist.
    NoSuchRoom,
    /// The visitor has not given the room's password.
    WrongPassword,
    /// The owner has removed the visitor, or banned their network.
    Kicked,
    /// The owner has locked the room.
    Locked,
    /// Every seat is taken.
    RoomFull,
}

/// A visitor's request to enter.
#[derive(Debug, Clone, Copy)]
pub struct EntryRequest<'a> {
    /// The visitor.
    pub person: &'a PersonId,
    /// Who made them, if they are a bot.
    pub maker: Option<&'a PersonId>,
    /// The hash of the password that they have given correctly.
    pub passed: Option<&'a PasswordHash>,
    /// The hash of their network, if kicks ban networks.
    pub network: Option<&'a NetworkHash>,
}

/// The owner's changes to a room. `None` leaves a setting unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomChange {
    /// The title.
    pub title: Option<RoomTitle>,
    /// The capacity.
    pub max: Option<Capacity>,
    /// The new password; `Some(None)` removes it.
    pub password: Option<Option<PasswordHash>>,
    /// Whether the room is locked for newcomers.
    pub locked: Option<bool>,
}

/// The reasons for refusing an owner's action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerActionError {
    /// The room does not exist.
    NoSuchRoom,
    /// Another person owns the room.
    NotOwner,
    /// The person it is about has no seat in the room, or is a bot and can own none.
    NotHere,
    /// The room has more people than the new capacity.
    TooFewPlaces,
}

impl Room {
    /// The seat of a person.
    #[must_use]
    pub fn seat(&self, person: &PersonId) -> Option<&Seat> {
        self.people.iter().find(|seat| seat.person.id == *person)
    }

    /// Whether this connection holds a seat here.
    #[must_use]
    pub fn holds(&self, connection: &Connection) -> bool {
        self.seat(&connection.person)
            .is_some_and(|seat| seat.sockets.iter().any(|held| held.id == connection.socket))
    }

    /// Checks whether a visitor may enter. A visitor with a seat may, unless a bot's maker is banned. An owner without a
    /// seat needs no password and ignores the lock, but needs a free seat.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn admit(&self, request: EntryRequest<'_>) -> Result<(), EntryError> {
        // A ban of its maker bans a bot.
        let maker_banned = request.maker.is_some_and(|maker| self.kicked.contains(maker));
        if self.seat(request.person).is_some() {
            return if maker_banned { Err(EntryError::Kicked) } else { Ok(()) };
        }
        let owner = self.owner.id == *request.person;
        if !owner && self.password.is_some() && self.password.as_ref() != request.passed {
            return Err(EntryError::WrongPassword);
        }
        let network_banned =
            request.network.is_some_and(|network| self.kicked_networks.contains(network));
        let banned = maker_banned || self.kicked.contains(request.person);
        if banned || (!owner && network_banned) {
            return Err(EntryError::Kicked);
        }
        if !owner && self.locked {
            return Err(EntryError::Locked);
        }
        if self.people.len() >= self.max.get() as usize {
            return Err(EntryError::RoomFull);
        }
        Ok(())
    }

    /// A newcomer's name in this room: their own name, with the next free number if it is taken.
    /// The owner's name is reserved until they enter.
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

    /// Checks whether a person may apply this change.
    ///
    /// # Errors
    /// The reason against it.
    pub fn may_change(&self, who: &PersonId, change: &RoomChange) -> Result<(), OwnerActionError> {
        if self.owner.id != *who {
            return Err(OwnerActionError::NotOwner);
        }
        if change.max.is_some_and(|max| self.people.len() > max.get() as usize) {
            return Err(OwnerActionError::TooFewPlaces);
        }
        Ok(())
    }

    /// The people in the room without this one, in order of entry. Bots are not among them: they
    /// own no room, and keep none open.
    pub fn others(&self, than: &PersonId) -> impl Iterator<Item = &Person> {
        let people = self.people.iter().map(|seat| &seat.person);
        people.filter(move |person| !person.name.bot && person.id != *than)
    }

    /// Whether the room ends when this person leaves: at most bots would be left. A room that waits
    /// for its first person goes on waiting when a bot leaves.
    #[must_use]
    pub fn ends_with(&self, leaver: &Person) -> bool {
        !leaver.name.bot && self.others(&leaver.id).next().is_none()
    }

    /// The new owner if the current one hands the room over to another person, who is no bot.
    ///
    /// # Errors
    /// The reason against it.
    pub fn handed_over(&self, from: &PersonId, to: &PersonId) -> Result<&Person, OwnerActionError> {
        if self.owner.id != *from {
            return Err(OwnerActionError::NotOwner);
        }
        let heir = self.seat(to).map(|seat| &seat.person);
        heir.filter(|heir| !heir.name.bot).ok_or(OwnerActionError::NotHere)
    }

    /// The owner after `leaver` has left. If `leaver` is the owner, the longest-seated person
    /// follows.
    #[must_use]
    pub fn owner_after(&self, leaver: &PersonId) -> Option<&Person> {
        if self.owner.id != *leaver {
            return None;
        }
        self.others(leaver).next()
    }
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
    ) -> Result<(), EntryError> {
        room.admit(EntryRequest { person: &person.id, maker: None, passed, network: None })
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

        assert_eq!(admitted(&room, &guest, None), Err(EntryError::WrongPassword));
        assert_eq!(admitted(&room, &guest, Some(&hash)), Err(EntryError::Kicked));
        room.kicked.clear();
        assert_eq!(admitted(&room, &guest, Some(&hash)), Err(EntryError::Locked));
        room.locked = false;
        assert_eq!(admitted(&room, &guest, Some(&hash)), Err(EntryError::RoomFull));
        room.people.pop();
        assert_eq!(admitted(&room, &guest, Some(&hash)), Ok(()));
    }

    #[test]
    fn a_person_with_a_seat_passes_lock_password_and_a_full_room() {
        let guest = person("guest");
        let mut room = room(&person("owner"));
        room.people = vec![seat(guest.clone()), seat(person("b"))];
        room.locked = true;
        room.password = Some(PasswordHash::new("hash"));
        assert_eq!(admitted(&room, &guest, None), Ok(()));
    }

    #[test]
    fn a_banned_network_is_refused_except_for_the_owner_and_people_with_a_seat() {
        let (owner, neighbour, newcomer) = (person("owner"), person("neighbour"), person("new"));
        let (here, there) = (NetworkHash::new("here"), NetworkHash::new("there"));
        let mut room = room(&owner);
        room.max = Capacity::new(5);
        room.people = vec![seat(neighbour.clone())];
        room.kicked_networks = vec![there.clone()];
        let from = |who: &Person, network: &NetworkHash| {
            room.admit(EntryRequest {
                person: &who.id,
                maker: None,
                passed: None,
                network: Some(network),
            })
        };

        assert_eq!(from(&newcomer, &there), Err(EntryError::Kicked));
        assert_eq!(from(&newcomer, &here), Ok(()));
        assert_eq!(from(&neighbour, &there), Ok(()));
        assert_eq!(from(&owner, &there), Ok(()));
    }

    #[test]
    fn a_changed_password_refuses_the_old_one() {
        let mut room = room(&person("owner"));
        room.password = Some(PasswordHash::new("new"));
        let old = PasswordHash::new("old");
        assert_eq!(admitted(&room, &person("guest"), Some(&old)), Err(EntryError::WrongPassword));
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
    fn the_longest_seated_person_follows_an_owner() {
        let (owner, first, second) = (person("owner"), person("first"), person("second"));
        let mut room = room(&owner);
        room.people = vec![seat(first.clone()), seat(owner.clone()), seat(second)];
        assert_eq!(room.owner_after(&owner.id), Some(&first));
        assert_eq!(room.owner_after(&first.id), None);
    }
}
