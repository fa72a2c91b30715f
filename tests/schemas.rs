//! The schemas of the collections: installed, and true of all that is written.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "this is a test: what it takes for granted, it unwraps"
)]

mod mongo_server;

use huechat::{
    domain::{
        Author, BotLabel, Capacity, ClientId, Draft, DraftBody, Gif, GifFacts, MessageText,
        NetworkHash, NodeId, PasswordHash, Person, RoomId, RoomTitle, SocketId, SystemCode,
        Timestamp, Token, TokenId,
    },
    store::{
        Entry, LeaveReason, MessageStore as _, NewRoom, NodeStore as _, RoomStore as _,
        SeatStore as _, SessionRow, SessionStore as _, TokenRow, TokenStore as _,
        mongo::MongoStore,
    },
};
use mongodb::{
    Database,
    bson::{DateTime, Document, doc, oid::ObjectId},
};
use serde_json::{Value, json};

use mongo_server::TestDatabase;

const SCHEMAS: [(&str, &str); 6] = [
    ("rooms", include_str!("../schemas/rooms.json")),
    ("chats", include_str!("../schemas/chats.json")),
    ("sessions", include_str!("../schemas/sessions.json")),
    ("tokens", include_str!("../schemas/tokens.json")),
    ("nodes", include_str!("../schemas/nodes.json")),
    ("store", include_str!("../schemas/store.json")),
];

/// In the year 2100, so that no session is expired by the real clock.
fn now() -> Timestamp {
    Timestamp::from_millis(4_102_444_800_000)
}

fn person(session: &str) -> Person {
    Person::of_session(b"secret", session)
}

fn draft(by: &Person, body: DraftBody) -> Draft {
    Draft { author: Author::Seated(by.id.clone()), body, client_id: None, at: now() }
}

async fn enter(store: &MongoStore, room: &NewRoom, person: &Person) {
    let entry = Entry {
        room: room.id.clone(),
        person: person.clone(),
        maker: None,
        socket: SocketId::new(format!("socket of {}", person.id)),
        node: NodeId::new("node"),
        passed: room.password.clone(),
        network: Some(NetworkHash::new("a".repeat(24))),
        at: now(),
    };
    store.enter(entry).await.unwrap();
}

/// Writes documents of every kind, with every field that one may have.
async fn write_everything(store: &MongoStore) {
    let (olga, anna, ben) = (person("olga"), person("anna"), person("ben"));
    let room = NewRoom {
        id: RoomId::random(),
        title: RoomTitle::parse(&"가".repeat(60)).unwrap(),
        max: Capacity::new(500),
        owner: olga.clone(),
        password: Some(PasswordHash::new("$argon2id$v=19$m=19456,t=2,p=1$salt$hash")),
        created_at: now(),
    };
    let waiting = NewRoom { id: RoomId::random(), ..room.clone() };
    for room in [&room, &waiting] {
        assert!(store.open(room.clone(), 10).await.unwrap());
    }
    for guest in [&olga, &anna, &ben] {
        enter(store, &room, guest).await;
    }
    store.depart(&room.id, &ben.id, LeaveReason::KickedBy(olga.id.clone())).await.unwrap();
    let socket = SocketId::new(format!("socket of {}", anna.id));
    store.drop_socket(&room.id, &anna.id, &socket, now()).await.unwrap();

    let text = || MessageText::parse(&"가".repeat(2_000)).unwrap();
    let facts = GifFacts { width: 1, height: 1, bytes: 35, frames: 1, duration_ms: 0 };
    let named = Some(ClientId::parse(&"x".repeat(64)).unwrap());
    let system = DraftBody::System { code: SystemCode::Kicked, person: ben.clone() };
    let whisper = DraftBody::Whisper { to: anna.id.clone(), text: text() };
    let drafts = vec![
        Draft { client_id: named, ..draft(&olga, DraftBody::Text(text())) },
        draft(&olga, DraftBody::Gif(Gif { hash: "0".repeat(64), facts })),
        draft(&olga, whisper),
        Draft { author: Author::System(ben), ..draft(&olga, system) },
    ];
    store.append(&room.id, drafts).await.unwrap();

    let Value::Object(data) = json!({ "person": { "number": 204 } }) else { unreachable!() };
    let (key, passes) = ("0".repeat(64), Vec::new());
    let session = SessionRow { key, data: data.clone(), passes, expires_at: now() };
    store.create_session(session.clone()).await.unwrap();
    store.patch_session(&session.key, data, now()).await.unwrap();
    store.add_pass(&session.key, &room.id, "stamp", 50).await.unwrap();
    let token = TokenRow {
        id: TokenId::random(),
        hash: Token::random().hash(),
        session: "0".repeat(64),
        label: BotLabel::parse(&"👩‍🚀".repeat(30)).unwrap(),
        created_at: now(),
        expires_at: now(),
    };
    assert!(store.create_token(token, 1).await.unwrap());
    store.heartbeat(&NodeId::random(), now()).await.unwrap();
}

async fn all(database: &Database, collection: &str) -> Vec<Document> {
    let mut found = database.collection(collection).find(doc! {}).await.unwrap();
    let mut documents = Vec::new();
    while found.advance().await.unwrap() {
        documents.push(found.deserialize_current().unwrap());
    }
    documents
}

async fn accepts(database: &Database, collection: &str, document: &Document) -> bool {
    database.collection::<Document>(collection).insert_one(document).await.is_ok()
}

/// Runs a test in a database with a store.
async fn with_store<F: Future<Output = ()> + Send + 'static>(
    test: impl FnOnce(MongoStore, Database) -> F,
) {
    let database = TestDatabase::new();
    let test = test(database.store().await, database.raw().await);
    database.around(test).await;
}

#[tokio::test]
async fn every_document_that_is_written_passes_and_holds_every_field_there_is() {
    with_store(async |store, database| {
        write_everything(&store).await;

        for (collection, schema) in SCHEMAS {
            let documents = all(&database, collection).await;
            let mut unseen = fields(schema).0;
            unseen.retain(|field| !documents.iter().any(|document| document.contains_key(field)));
            assert_eq!(unseen, Vec::<String>::new(), "of {collection}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_document_with_anything_missing_or_more_is_refused() {
    with_store(async |store, database| {
        write_everything(&store).await;

        for (collection, schema) in SCHEMAS {
            let good = all(&database, collection).await.remove(0);
            for field in fields(schema).1.iter().filter(|field| *field != "_id") {
                let mut bad = anew(collection, &good);
                bad.remove(field);
                assert!(!accepts(&database, collection, &bad).await, "{collection} - {field}");
            }
            let mut bad = anew(collection, &good);
            bad.insert("colour", "teal");
            assert!(!accepts(&database, collection, &bad).await, "{collection} + colour");
            let good = anew(collection, &good);
            assert!(accepts(&database, collection, &good).await, "{collection}: {good}");
        }
    })
    .await;
}

/// The same document by another name, so that nothing but the validator refuses it.
fn anew(collection: &str, document: &Document) -> Document {
    let mut another = document.clone();
    match collection {
        "chats" => {
            another.insert("_id", ObjectId::new());
            another.insert("room", RoomId::random().as_str());
        }
        "tokens" => {
            another.insert("_id", TokenId::random().as_str());
            another.insert("hash", Token::random().hash().as_str());
        }
        "sessions" => drop(another.insert("_id", "1".repeat(64))),
        _ => drop(another.insert("_id", RoomId::random().as_str())),
    }
    another
}

#[tokio::test]
async fn a_document_that_makes_no_sense_is_refused() {
    let bad = [
        ("rooms", doc! { "_id": "tea" }),
        ("rooms", doc! { "title": "" }),
        ("rooms", doc! { "title": "x".repeat(61) }),
        ("rooms", doc! { "max": 1 }),
        ("rooms", doc! { "password": "sesame" }),
        ("rooms", doc! { "createdAt": "2100-01-01T00:00:00.000Z" }),
        ("rooms", doc! { "people": [{ "id": "me" }] }),
        ("rooms", doc! { "owner": { "id": "me" } }),
        ("chats", doc! { "kind": "shout" }),
        ("chats", doc! { "kind": "whisper" }),
        ("chats", doc! { "kind": "system" }),
        ("chats", doc! { "seq": 0 }),
        ("chats", doc! { "chat": "" }),
        ("chats", doc! { "chat": "x".repeat(2_001) }),
        ("chats", doc! { "clientId": "" }),
        ("chats", doc! { "gif": { "hash": "0".repeat(64) } }),
        ("chats", doc! { "color": "teal" }),
        ("sessions", doc! { "_id": "a session's id and not its hash" }),
        ("sessions", doc! { "data": "text" }),
        ("sessions", doc! { "expiresAt": 1 }),
        ("nodes", doc! { "seenAt": 1 }),
    ];
    with_store(async |store, database| {
        write_everything(&store).await;

        for (collection, wrong) in bad {
            let good = all(&database, collection).await.remove(0);
            let mut document = anew(collection, &good);
            document.extend(wrong.clone());
            assert!(!accepts(&database, collection, &document).await, "{collection}: {wrong}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_indexes_keep_numbers_and_client_ids_apart_and_end_sessions() {
    with_store(async |_store, database| {
        let mut options = Vec::new();
        for (collection, _) in SCHEMAS {
            let mut found =
                database.collection::<Document>(collection).list_indexes().await.unwrap();
            while found.advance().await.unwrap() {
                let index = found.deserialize_current().unwrap();
                let option = index.options.unwrap_or_default();
                options.push((
                    format!("{collection} {}", index.keys),
                    option.unique.unwrap_or(false),
                    option.partial_filter_expression.map(|filter| filter.to_string()),
                    option.expire_after,
                ));
            }
        }

        let found = |keys: &str| {
            let index = options.iter().find(|(name, ..)| name.replace('"', "") == keys);
            index.unwrap_or_else(|| panic!("{keys} is not among {options:?}"))
        };
        assert!(found("chats { room: 1, seq: 1 }").1);
        let once = found("chats { room: 1, user: 1, clientId: 1 }");
        assert!(once.1);
        assert!(once.2.as_ref().is_some_and(|filter| filter.contains("clientId")), "{once:?}");
        assert_eq!(found("sessions { expiresAt: 1 }").3, Some(std::time::Duration::ZERO));
    })
    .await;
}

#[tokio::test]
async fn two_messages_share_no_number_and_no_client_id() {
    with_store(async |_store, database| {
        assert!(accepts(&database, "chats", &message(1, Some("a"))).await);
        assert!(!accepts(&database, "chats", &message(1, Some("b"))).await);
        assert!(!accepts(&database, "chats", &message(2, Some("a"))).await);
        assert!(accepts(&database, "chats", &message(2, Some("b"))).await);
        assert!(accepts(&database, "chats", &message(3, None)).await);
        assert!(accepts(&database, "chats", &message(4, None)).await);
    })
    .await;
}

fn message(seq: i64, client_id: Option<&str>) -> Document {
    let mut message = doc! {
        "_id": ObjectId::new(), "room": "a".repeat(16), "seq": seq, "kind": "chat",
        "user": "a".repeat(12), "color": "#123456", "name": "Teal 1", "chat": "hello",
        "createdAt": DateTime::now(),
    };
    message.extend(client_id.map(|id| ("clientId".to_owned(), id.into())));
    message
}

#[tokio::test]
async fn nodes_that_start_at_once_and_again_agree() {
    let database = TestDatabase::new();
    let raw = database.raw().await;
    let stores = tokio::join!(database.store(), database.store(), database.store());
    let again = database.store().await;

    let test = async move {
        write_everything(&again).await;
        assert!(!accepts(&raw, "nodes", &doc! { "_id": "node" }).await);
        drop(stores);
    };
    database.around(test).await;
}

#[tokio::test]
async fn a_validator_of_an_older_version_is_replaced() {
    let database = TestDatabase::new();
    let raw = database.raw().await;
    let old = doc! { "$jsonSchema": { "required": ["colour"] } };
    raw.create_collection("nodes").validator(old).await.unwrap();
    let store = database.store().await;

    let test = async move {
        store.heartbeat(&NodeId::random(), now()).await.unwrap();
        assert!(!accepts(&raw, "nodes", &doc! { "_id": "node", "colour": "teal" }).await);
    };
    database.around(test).await;
}

/// The fields that a schema knows, and those that it requires.
fn fields(schema: &str) -> (Vec<String>, Vec<String>) {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let schema = &schema["validator"]["$jsonSchema"];
    let known = schema["properties"].as_object().unwrap().keys().cloned().collect();
    let required = schema["required"].as_array().unwrap();
    (known, required.iter().map(|field| field.as_str().unwrap().to_owned()).collect())
}

#[test]
fn the_schemas_know_the_fields_that_admins_were_promised() {
    let promised = [
        "_id title max owner password? locked seq people kicked createdAt emptySince?",
        "_id room seq kind user color name chat? gif? to? clientId? createdAt",
        "_id data expiresAt",
        "_id hash session label createdAt expiresAt",
        "_id seenAt",
    ];
    for ((collection, schema), promise) in SCHEMAS.into_iter().zip(promised) {
        let (known, required) = fields(schema);
        for field in promise.split(' ') {
            let name = field.trim_end_matches('?').to_owned();
            assert!(known.contains(&name), "{collection}.{name}");
            assert_eq!(required.contains(&name), !field.ends_with('?'), "{collection}.{name}");
        }
    }
}
