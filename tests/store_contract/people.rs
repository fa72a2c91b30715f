//! Who is in the tests, what they say, and when.

use huechat::{
    domain::{
        Author, Body, Capacity, ClientId, Draft, DraftBody, EntryError, Message, MessageText, Name,
        NodeId, PasswordHash, Person, PersonId, Room, RoomId, RoomTitle, Seq, SocketId, Timestamp,
        Window,
    },
    store::{
        Appended, Closing, DisconnectOutcome, EnterOutcome, Entry, LeaveOutcome, LeaveReason,
        NewRoom, Store,
    },
};

/// So many seconds after the tests begin, in the year 2100: nothing expires by the real clock.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(4_102_444_800_000 + seconds * 1_000)
}

pub fn person(session: &str) -> Person {
    Person::of_session(b"secret", session)
}

pub fn bot(session: &str) -> Person {
    let person = person(session);
    Person { name: Name { bot: true, ..person.name }, ..person }
}

/// Somebody else of the same name.
pub fn twin_of(person: &Person, session: &str) -> Person {
    Person { name: person.name, color: person.color, ..self::person(session) }
}

pub fn hash(password: &str) -> PasswordHash {
    PasswordHash::new(format!("$argon2id$of-{password}"))
}

/// A room of Olga's for five.
pub fn tea_room() -> NewRoom {
    NewRoom {
        id: RoomId::random(),
        title: RoomTitle::parse("tea").unwrap(),
        max: Capacity::new(5),
        owner: person("olga"),
        password: None,
        created_at: at(0),
    }
}

pub async fn open(store: &dyn Store, room: NewRoom) -> RoomId {
    let id = room.id.clone();
    assert!(store.open(room, usize::MAX).await.unwrap());
    id
}

/// Somebody at the door at the tests' begin, with one socket on one node.
pub fn entry(room: &RoomId, person: &Person) -> Entry {
    Entry {
        room: room.clone(),
        person: person.clone(),
        maker: None,
        socket: socket_of(person),
        node: NodeId::new("node"),
        passed: None,
        network: None,
        at: at(0),
    }
}

/// The socket that [`entry`] gives to this person.
pub fn socket_of(person: &Person) -> SocketId {
    SocketId::new(format!("socket-{}", person.id))
}

/// Lets a newcomer in, and says what they are called there.
pub async fn seat(store: &dyn Store, room: &RoomId, newcomer: &Person) -> Person {
    match store.enter(entry(room, newcomer)).await.unwrap() {
        EnterOutcome::Newcomer { person, .. } => person,
        other => panic!("{other:?}"),
    }
}

/// A tea room with these people in it, in this order.
pub async fn tea_with(store: &dyn Store, guests: &[&Person]) -> RoomId {
    let room = open(store, tea_room()).await;
    for guest in guests {
        seat(store, &room, guest).await;
    }
    room
}

/// Somebody whose only socket goes.
pub async fn send_away(store: &dyn Store, room: &RoomId, person: &Person, when: Timestamp) {
    let dropped = store.drop_socket(room, &person.id, &socket_of(person), when).await.unwrap();
    assert_eq!(dropped, DisconnectOutcome::Away);
}

pub async fn room(store: &dyn Store, id: &RoomId) -> Room {
    store.room(id).await.unwrap().expect("the room exists")
}

/// The number of the newest message that everybody sees.
pub async fn head(store: &dyn Store, id: &RoomId) -> Seq {
    store.latest_public_seq(id).await.unwrap().expect("the room exists")
}

/// The ids of those who have a seat, in their order.
pub async fn seated(store: &dyn Store, id: &RoomId) -> Vec<PersonId> {
    room(store, id).await.people.into_iter().map(|seat| seat.person.id).collect()
}

pub fn ids(people: &[&Person]) -> Vec<PersonId> {
    people.iter().map(|person| person.id.clone()).collect()
}

/// What somebody says to everybody.
pub fn said(by: &Person, words: &str) -> Draft {
    Draft {
        author: Author::Seated(by.id.clone()),
        body: DraftBody::Text(MessageText::parse(words).unwrap()),
        client_id: None,
        at: at(1),
    }
}

/// What somebody says to one person.
pub fn whispered(by: &Person, to: &Person, words: &str) -> Draft {
    let text = MessageText::parse(words).unwrap();
    Draft { body: DraftBody::Whisper { to: to.id.clone(), text }, ..said(by, words) }
}

/// The same, with what its sender calls it.
pub fn called(client_id: &str, draft: Draft) -> Draft {
    Draft { client_id: Some(ClientId::parse(client_id).unwrap()), ..draft }
}

/// Stores one message, and returns it as stored.
pub async fn post(store: &dyn Store, room: &RoomId, draft: Draft) -> Message {
    match one(store.append(room, vec![draft]).await.unwrap()) {
        Appended::Stored { message, .. } => message,
        other => panic!("{other:?}"),
    }
}

/// The only answer.
pub fn one(outcomes: Vec<Appended>) -> Appended {
    let [outcome] = <[Appended; 1]>::try_from(outcomes).expect("one answer");
    outcome
}

/// The newcomer's or the returning person's room.
pub fn let_in(entering: EnterOutcome) -> (Person, Room) {
    match entering {
        EnterOutcome::Newcomer { person, room } | EnterOutcome::Returned { person, room } => {
            (person, room)
        }
        EnterOutcome::Refused(refusal) => panic!("{refusal:?}"),
    }
}

/// Knocks in vain, and says why.
pub async fn refused(store: &dyn Store, entry: Entry) -> EntryError {
    match store.enter(entry).await.unwrap() {
        EnterOutcome::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

/// Closes a room as its owner; false when it is not there.
pub async fn close(store: &dyn Store, room: &RoomId) -> bool {
    match store.room(room).await.unwrap() {
        Some(found) => store.close(room, Closing::By(found.owner.id)).await.unwrap(),
        None => false,
    }
}

pub async fn leave(store: &dyn Store, room: &RoomId, person: &Person) -> LeaveOutcome {
    store.depart(room, &person.id, LeaveReason::Now).await.unwrap()
}

pub async fn kick(store: &dyn Store, room: &RoomId, person: &Person) -> LeaveOutcome {
    let by = store.room(room).await.unwrap().map_or(person.id.clone(), |room| room.owner.id);
    store.depart(room, &person.id, LeaveReason::KickedBy(by)).await.unwrap()
}

/// The same, from another tab.
pub fn tab(id: &str, entry: Entry) -> Entry {
    Entry { socket: SocketId::new(id), ..entry }
}

/// The words of a stretch of history, and whether there are more.
pub async fn read(
    store: &dyn Store,
    room: &RoomId,
    viewer: &PersonId,
    window: Window,
) -> (Vec<String>, bool) {
    let history = store.history(room, viewer, window).await.unwrap();
    assert!(history.messages.is_sorted_by_key(|message| message.seq));
    let words = |message: Message| match message.body {
        Body::Text(text) | Body::Whisper { text, .. } => text,
        other => panic!("{other:?}"),
    };
    (history.messages.into_iter().map(words).collect(), history.more)
}
