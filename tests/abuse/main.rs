//! Two hundred who mean harm beside fifty who talk, against one server as an operator runs it: those who talk
//! should hardly notice.
//!
//! `SECONDS` says for how long, and turns the judgement of time and memory on: `make abuse`. Without it a short run
//! holds that nobody who is good is turned away and nothing panics, whatever is done by the others.

#![cfg(test)]

#[path = "../common/mod.rs"]
mod common;

mod floods;
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
use floods::{Target, flood_all};
use good::{Clock, Felt, Phase};
use hostile::Hostiles;
use report::{Report, percentile};

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

/// Most that the server's memory may grow by one flood, in bytes.
const GROWTH: u64 = 32 << 20;

#[tokio::test]
async fn nothing_that_can_be_sent_is_felt_by_others_when_it_is_flooded() {
    let asked = std::env::var("SECONDS").is_ok();
    let (quiet, each) = if asked { (30, 5_000) } else { (2, 100) };
    let (quiet, each) = (Duration::from_secs(quiet), Duration::from_millis(each));
    let targets = Target::all();
    let server = Process::start(Home::of_an_operator(&[WITHOUT_A_PROXY])).await;
    let felt = Arc::new(Felt::default());
    let (_rooms, people) = good::gather(server.address, &felt).await;
    let begun = Instant::now();
    let flooded = begun + quiet;
    let ended = flooded + each * u32::try_from(targets.len()).unwrap();
    let clock = Arc::new(Clock::new(begun, flooded, ended));
    let talk = |person: good::Person| person.talk(clock.clone(), ended + LAST_WORDS, felt.clone());
    let talking: Vec<_> = people.into_iter().map(|person| tokio::spawn(talk(person))).collect();

    let flooding = flood_all(server.address, flooded, each);
    sleep_until(flooded).await;
    let mut memory = vec![server.memory("VmRSS")];
    for nth in 1..=targets.len() {
        sleep_until(flooded + each * u32::try_from(nth).unwrap()).await;
        memory.push(server.memory("VmRSS"));
    }
    for person in talking {
        person.await.unwrap();
    }
    flooding.join().unwrap();

    let [alone, with] =
        [Phase::Alone, Phase::Attacked].map(|phase| percentile(&felt.latencies(phase), 99));
    let quiet_memory = memory[0] >> 20;
    println!("\np99 {alone:.1?} without a flood and {with:.1?} with, {quiet_memory} MiB before\n");
    let (mut felt_most, mut grown) = (Vec::new(), Vec::new());
    for (nth, target) in (0..).zip(&targets) {
        let from = flooded + each * nth;
        let p99 = percentile(&felt.latencies_between(from, from + each), 99);
        let [before, after] = [0, 1].map(|more| memory[nth as usize + more]);
        println!("{:<44} p99 {p99:>9.1?}, memory {:>4} MiB", target.name(), after >> 20);
        if p99 >= report::TIMES * alone.max(report::FLOOR) {
            felt_most.push(format!("{}: {p99:.1?}", target.name()));
        }
        if after > before + GROWTH {
            grown.push(format!("{}: {before} and then {after} bytes", target.name()));
        }
    }
    assert!(felt.turned_away().is_empty(), "good ones were turned away: {:?}", felt.turned_away());
    assert!(!server.log().iter().any(|line| line.contains("panicked")));
    if asked {
        assert!(felt_most.is_empty(), "p99 {alone:.1?} without a flood, and {felt_most:#?}");
        assert!(grown.is_empty(), "{grown:#?}");
    }
}

/// Attackers bring machines of their own: what they compute is not to be felt here, only what the server does for them.
fn step_back() {
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle).unwrap();
}
