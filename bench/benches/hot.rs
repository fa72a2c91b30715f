//! What is ours and done often, each alone: `make bench-micro`.
//!
//! With `HUECHAT_TEST_MONGODB_URI`, MongoDB is measured beside the embedded store.

#![expect(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "this is a measurement: what it takes for granted, it unwraps"
)]

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use huechat::{
    domain::{
        Author, Capacity, Draft, DraftBody, Message, MessageText, NodeId, Person, RoomId,
        RoomTitle, SocketId, Timestamp,
    },
    media::Media,
    protocol,
    store::{
        Appended, Entry, LeaveReason, NewRoom, NodeStore as _, Store, mongo::MongoStore,
        sqlite::SqliteStore,
    },
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Messages of one commit.
const BATCHES: [usize; 3] = [1, 16, 256];
/// Bytes of a GIF that is taken.
const MAX_GIF: usize = 8 * 1024 * 1024;

fn person(session: &str) -> Person {
    Person::of_session(b"secret", session)
}

fn said(by: &Person) -> Draft {
    Draft {
        author: Author::Seated(by.id.clone()),
        body: DraftBody::Text(MessageText::parse(&"x".repeat(100)).unwrap()),
        client_id: None,
        at: Timestamp::now(),
    }
}

fn entry(room: &RoomId, person: &Person) -> Entry {
    Entry {
        room: room.clone(),
        person: person.clone(),
        maker: None,
        socket: SocketId::random(),
        node: NodeId::random(),
        passed: None,
        network: None,
        at: Timestamp::now(),
    }
}

/// A room with nine people in it, the first of whom is given.
async fn room(store: &dyn Store) -> (RoomId, Person) {
    let host = person("host");
    let new = NewRoom {
        id: RoomId::random(),
        title: RoomTitle::parse("tea").unwrap(),
        max: Capacity::new(10),
        owner: host.clone(),
        password: None,
        created_at: Timestamp::now(),
    };
    let id = new.id.clone();
    assert!(store.open(new, usize::MAX).await.unwrap());
    store.enter(entry(&id, &host)).await.unwrap();
    for n in 1..9 {
        store.enter(entry(&id, &person(&n.to_string()))).await.unwrap();
    }
    (id, host)
}

fn embedded(folder: &Path) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(&folder.join("bench.sqlite3")).unwrap())
}

/// Both stores, as far as they are there.
fn stores(runtime: &Runtime, folder: &Path) -> Vec<(&'static str, Arc<dyn Store>)> {
    let mut stores = vec![("embedded", embedded(folder))];
    if let Ok(uri) = std::env::var("HUECHAT_TEST_MONGODB_URI") {
        let uri = format!("{uri}/bench_{}", RoomId::random());
        let mongodb = runtime.block_on(MongoStore::open(&uri, None)).unwrap();
        runtime.block_on(mongodb.prepare()).unwrap();
        stores.push(("MongoDB", Arc::new(mongodb)));
    }
    stores
}

async fn message(store: &dyn Store) -> Message {
    let (id, host) = room(store).await;
    match store.append(&id, vec![said(&host)]).await.unwrap().remove(0) {
        Appended::Stored { message, .. } => message,
        other => panic!("{other:?}"),
    }
}

fn encoding(criterion: &mut Criterion) {
    let (runtime, folder) = (Runtime::new().unwrap(), TempDir::new().unwrap());
    let message = runtime.block_on(message(&*embedded(folder.path())));
    criterion.bench_function("a message put into words", |bencher| {
        bencher.iter(|| serde_json::to_string(&protocol::Chat::live(&message, 1)).unwrap());
    });
}

fn appending(criterion: &mut Criterion) {
    let (runtime, folder) = (Runtime::new().unwrap(), TempDir::new().unwrap());
    let mut group = criterion.benchmark_group("a batch stored");
    for (name, store) in stores(&runtime, folder.path()) {
        let (id, host) = runtime.block_on(room(&*store));
        for size in BATCHES {
            group.throughput(Throughput::Elements(size as u64));
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher
                    .to_async(&runtime)
                    .iter(|| async { store.append(&id, vec![said(&host); size]).await.unwrap() });
            });
        }
    }
    group.finish();
}

fn entering(criterion: &mut Criterion) {
    let (runtime, folder) = (Runtime::new().unwrap(), TempDir::new().unwrap());
    let mut group = criterion.benchmark_group("somebody enters and leaves");
    for (name, store) in stores(&runtime, folder.path()) {
        let (id, _host) = runtime.block_on(room(&*store));
        let guest = person("guest");
        group.bench_function(name, |bencher| {
            bencher.to_async(&runtime).iter(|| async {
                store.enter(entry(&id, &guest)).await.unwrap();
                store.depart(&id, &guest.id, LeaveReason::Now).await.unwrap()
            });
        });
    }
    group.finish();
}

fn sharing(criterion: &mut Criterion) {
    let (runtime, folder) = (Runtime::new().unwrap(), TempDir::new().unwrap());
    let uploads = folder.path().display().to_string();
    let media = Media::open(&uploads, std::iter::empty(), MAX_GIF, u64::MAX).unwrap();
    let file = Bytes::from(huechat_bench::noise(1).unwrap());
    let room = RoomId::random();
    let mut group = criterion.benchmark_group("a GIF of 30 frames");
    group.throughput(Throughput::Bytes(file.len() as u64)).sample_size(20);
    group.bench_function("checked and kept", |bencher| {
        bencher
            .to_async(&runtime)
            .iter(|| async { media.keep(&room, file.clone()).await.unwrap() });
    });
    group.finish();
}

criterion_group!(hot, encoding, appending, entering, sharing);
criterion_main!(hot);
