//! One member of a room stops reading while the room goes on, beside a room where nobody does.
//!
//! `MESSAGES` says how many each room gets.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    common::{
        Backend, Browser, Socket,
        server::{Home, Process},
        socket::Heard,
    },
    setting,
};

/// Who reads all that is said, in each room.
const READERS: usize = 4;
/// Posts under way at a time, in each room.
const AT_ONCE: usize = 32;
/// The server may take so much more memory than before, in bytes.
const ALLOWED: u64 = 64 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_reader_costs_its_room_nothing() {
    let messages = setting("MESSAGES", 12_000);
    let server = Process::start(Home::new(Backend::Sqlite, &[])).await;
    let (with, without) = (server.browser().await, server.browser().await);
    let beside = with.create_room("with a frozen reader", 10).await;
    let alone = without.create_room("without", 10).await;
    let (mut frozen, _) = server.browser().await.enter(&beside).await;

    let before = server.memory("VmRSS");
    let done = CancellationToken::new();
    let both = async {
        let both = tokio::join!(
            talk(&server, &with, &beside, messages),
            talk(&server, &without, &alone, messages)
        );
        done.cancel();
        both
    };
    let ((in_one, in_other), peak) = tokio::join!(both, watch_memory(&server, &done));

    let got = frozen.events_until_the_end().await.len();
    println!(
        "\n| a frozen reader in a room of {} messages | |\n|---|---:|\n\
         | got before it was cut off | {got} |\n\
         | memory before, at most | {} MiB, {} MiB |\n\
         | p50 of the others, and where nobody is frozen | {:?}, {:?} |\n\
         | p99 of the others, and where nobody is frozen | {:?}, {:?}, {:.2} × |\n",
        messages,
        before >> 20,
        peak >> 20,
        percentile(&in_one, 50),
        percentile(&in_other, 50),
        percentile(&in_one, 99),
        percentile(&in_other, 99),
        percentile(&in_one, 99).as_secs_f64() / percentile(&in_other, 99).as_secs_f64(),
    );
    assert!(got < messages);
    assert!(peak < before + ALLOWED, "{before} bytes before, then {peak}");
}

/// Says so much to a room, and gives how long each message took to reach each of its readers.
async fn talk(server: &Process, by: &Browser, room: &str, messages: usize) -> Vec<Duration> {
    let since = Instant::now();
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let (socket, _) = server.browser().await.enter(room).await;
        readers.spawn(read(socket, since, messages));
    }
    let (mut socket, _) = by.enter(room).await;
    let (mut said, mut waiting) = (0, 0);
    while said < messages || waiting > 0 {
        while said < messages && waiting < AT_ONCE {
            let text = format!("{} {}", since.elapsed().as_micros(), "x".repeat(80));
            socket.ask_now("chat:post", json!({ "chat": text })).await;
            (said, waiting) = (said + 1, waiting + 1);
        }
        match socket.hear().await.expect("the connection holds") {
            Heard::Answer(_, reply) => {
                assert_eq!(reply["ok"], true, "{reply}");
                waiting -= 1;
            }
            Heard::Event(..) => {}
        }
    }
    readers.join_all().await.into_iter().flatten().collect()
}

async fn read(mut socket: Socket, since: Instant, messages: usize) -> Vec<Duration> {
    let mut took = Vec::with_capacity(messages);
    while took.len() < messages {
        let chat = socket.wait_for("chat").await;
        let (sent, _) = chat["chat"].as_str().unwrap().split_once(' ').unwrap();
        let sent = Duration::from_micros(sent.parse().unwrap());
        took.push(since.elapsed().saturating_sub(sent));
    }
    took
}

fn percentile(took: &[Duration], percent: usize) -> Duration {
    let mut sorted = took.to_vec();
    sorted.sort_unstable();
    sorted[(sorted.len() - 1) * percent / 100]
}

/// The most memory that the server holds until then, in bytes.
async fn watch_memory(server: &Process, done: &CancellationToken) -> u64 {
    let mut peak = 0;
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    while !done.is_cancelled() {
        ticks.tick().await;
        peak = peak.max(server.memory("VmRSS"));
    }
    peak
}
