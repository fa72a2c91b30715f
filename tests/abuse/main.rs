//! Two hundred who mean harm beside fifty who talk, against one server as an operator runs it: those who talk
//! should hardly notice.
//!
//! `SECONDS` says for how long, and turns the judgement of time and memory on: `make abuse`. Without it a short run
//! holds that nobody who is good is turned away and nothing panics, whatever is done by the others.

#![cfg(test)]

#[path = "../common/mod.rs"]
mod common;

mod good;
mod hostile;
mod report;

use std::{sync::Arc, time::Duration};

use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};
use tokio::time::{Instant, sleep_until};

use common::server::{Home, Process, WITHOUT_A_PROXY};
use good::{Clock, Felt, Phase};
use hostile::Hostiles;
use report::Report;

/// Before the attack the good ones are alone: half as long, as there are enough messages in it.
const ALONE: u32 = 2;
/// How long a run is that nobody asked for.
const SHORT: Duration = Duration::from_secs(12);
/// What was said last is heard by then, or it is lost.
const LAST_WORDS: Duration = Duration::from_secs(5);

#[tokio::test]
async fn those_who_talk_hardly_notice_an_attack() {
    let asked: Option<Duration> = std::env::var("SECONDS")
        .ok()
        .map(|seconds| Duration::from_secs(seconds.parse().expect("SECONDS is a number")));
    let attack_for = asked.unwrap_or(SHORT);
    // On the internet visitors come from addresses of their own, which are no proxy's; so here.
    let server = Process::start(Home::of_an_operator(&[WITHOUT_A_PROXY])).await;

    let felt = Arc::new(Felt::default());
    let (rooms, people) = good::gather(server.address, &felt).await;
    let hostiles = Hostiles::prepare(server.address, &rooms);
    let begun = Instant::now();
    let attacked = begun + attack_for / ALONE;
    let ended = attacked + attack_for;
    let clock = Arc::new(Clock::new(begun, attacked, ended));
    let talking = people
        .into_iter()
        .map(|person| tokio::spawn(person.talk(clock.clone(), ended + LAST_WORDS, felt.clone())));
    let talking: Vec<_> = talking.collect();

    sleep_until(attacked).await;
    let quiet_memory = server.memory("VmHWM");
    let attack = hostiles.attack();
    sleep_until(ended).await;
    let suffered = attack.end();
    for person in talking {
        person.await.unwrap();
    }

    let report = Report {
        seconds: attack_for.as_secs(),
        without: felt.latencies(Phase::Alone),
        with: felt.latencies(Phase::Attacked),
        turned_away: felt.turned_away(),
        quiet_memory,
        peak_memory: server.memory("VmHWM"),
        panics: server.log().into_iter().filter(|line| line.contains("panicked")).collect(),
        suffered,
    };
    report.print_and_judge(asked.is_some());
}

/// Attackers bring machines of their own: what they compute is not to be felt here, only what the server does for them.
fn step_back() {
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle).unwrap();
}
