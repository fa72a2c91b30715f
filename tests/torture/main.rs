//! Dozens of people talk while everything breaks, and in the end nothing may be lost, doubled, out of
//! order or left behind.
//!
//! `SEED` chooses what breaks, `MINUTES` for how long: `make torture SEED=7 MINUTES=5`. What depends on
//! time, such as what is under way when something breaks, is different each time.

#![cfg(test)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../mongo_server/own.rs"]
mod own_server;

mod checker;
mod frozen_reader;
mod journal;
mod proxy;
mod report;
mod requests;
mod stage;
mod visitor;

use std::{
    collections::BTreeSet,
    env,
    str::FromStr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use reqwest::Method;
use serde_json::Value;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, timeout, timeout_at},
};

use checker::Said;
use common::{Backend, Browser};
use journal::Journal;
use report::Report;
use stage::Stage;
use visitor::{Orders, Progress, Visitor};

const ROOMS: usize = 3;
/// Who stays from the beginning to the end, in each room.
const MEMBERS: usize = 6;
/// Who comes and goes, in each room.
const GUESTS: usize = 2;
/// Pairs who make a room, talk a little and leave, again and again.
const PAIRS: usize = 3;
/// So much is said in a hurry before something breaks, or what can be said in a moment.
const MUCH: usize = 100;
const A_MOMENT: Duration = Duration::from_secs(5);
/// When all is well again, everything is caught up with and cleared up by then.
const CALM: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    torture(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mongo() {
    torture(Backend::Mongo).await;
}

fn setting<T: FromStr>(name: &str, default: T) -> T {
    let Ok(value) = env::var(name) else { return default };
    value.parse().unwrap_or_else(|_| panic!("{name}={value}: not a number"))
}

struct Member {
    browser: Browser,
    progress: watch::Receiver<Progress>,
    room: String,
}

async fn torture(backend: Backend) {
    let seed = setting("SEED", 1);
    let lasting = Duration::from_secs_f64(60.0 * setting("MINUTES", 0.75));
    let mut random = StdRng::seed_from_u64(seed);
    let mut stage = Stage::set(backend).await;
    let network = stage.proxy.address;
    let journal = Arc::new(Journal::default());
    let (members_orders, others_orders) = (Orders::default(), Orders::default());
    let (mut tasks, mut others) = (JoinSet::new(), JoinSet::new());
    let mut members = Vec::new();

    for n in 0..ROOMS {
        let opener = requests::visit(network).await;
        let room = requests::open_room(&opener, &format!("room {n}")).await;
        let mut browsers = vec![opener];
        for _ in 1..MEMBERS {
            browsers.push(requests::visit(network).await);
        }
        for browser in browsers {
            let mut visitor = Visitor::new(browser.clone(), &room, &journal, random.random());
            members.push(Member { progress: visitor.progress(), room: room.clone(), browser });
            let orders = members_orders.clone();
            tasks.spawn(async move {
                visitor.stay(&orders).await;
                visitor.exit().await;
            });
        }
        for _ in 0..GUESTS {
            let guest = requests::visit(network).await;
            let (room, journal, orders) = (room.clone(), journal.clone(), others_orders.clone());
            others.spawn(come_and_go(guest, room, journal, orders, random.random()));
        }
    }
    for _ in 0..PAIRS {
        let pair = [requests::visit(network).await, requests::visit(network).await];
        others.spawn(wander(pair, journal.clone(), others_orders.clone(), random.random()));
    }

    let mut report = Report::new(backend, seed);
    break_everything(&mut stage, &journal, lasting, &mut random, &mut report).await;

    stage.proxy.heal();
    others_orders.quiet.cancel();
    finish(others, &mut report).await;
    members_orders.quiet.cancel();
    settle(&mut members, &mut report).await;
    let mut stored = Vec::new();
    for member in members.iter().step_by(MEMBERS) {
        stored.push((member.room.clone(), history(&member.browser, &member.room).await));
    }
    for (room, chats) in &stored {
        let head = chats.last().map_or(0, |chat| chat["seq"].as_i64().unwrap());
        for member in members.iter_mut().filter(|member| member.room == *room) {
            let caught_up = member.progress.wait_for(|progress| progress.newest >= head);
            if timeout(CALM, caught_up).await.is_err() {
                report.lost.push(format!("a page never got to {head} in {room}"));
            }
        }
        report.seats_lost += noise(chats, &members);
    }
    members_orders.leave.cancel();
    finish(tasks, &mut report).await;

    let until = Instant::now() + CALM;
    while stage.left_behind().await > 0 || !stage.home().files().is_empty() {
        if Instant::now() > until {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    report.rows_left = stage.left_behind().await;
    report.files_left = stage.home().files().len();
    stage.note_memory();
    report.peak_memory = stage.peak_memory;

    let mut records = journal.take();
    for (room, chats) in stored {
        records.get_mut(&room).unwrap().stored = Some(chats.iter().map(Said::of).collect());
    }
    report.talk = *journal.talk.borrow();
    report.unexpected = std::mem::take(&mut journal.unexpected.lock().unwrap());
    for (room, record) in &records {
        report.add(room, record.check());
    }
    report.print_and_judge();
}

/// Lets one thing after another go wrong, in every order, and each time waits until people are heard again.
async fn break_everything(
    stage: &mut Stage,
    journal: &Journal,
    lasting: Duration,
    random: &mut StdRng,
    report: &mut Report,
) {
    let begun = Instant::now();
    let mut coming = Vec::new();
    while begun.elapsed() < lasting {
        if coming.is_empty() {
            coming = stage.faults();
            coming.shuffle(random);
        }
        let Some(fault) = coming.pop() else { break };
        sleep(Duration::from_millis(random.random_range(300..1_500))).await;
        let mut talk = journal.talk.subscribe();
        // At its most delicate: much is under way, and somebody has just been told that it is stored.
        journal.hurry.store(true, Ordering::Relaxed);
        let enough = talk.borrow().acknowledged + MUCH;
        let much = talk.wait_for(|talk| talk.acknowledged >= enough);
        timeout(A_MOMENT, much).await.ok(); // As much as a slow machine can.
        stage.suffer(fault, random).await;
        journal.hurry.store(false, Ordering::Relaxed);
        let over = Instant::now();
        let heard = talk.wait_for(|talk| talk.last.is_some_and(|last| last > over));
        let heard = timeout(CALM, heard).await.is_ok();
        assert!(heard, "nobody could say anything any more after {fault:?}: {:#?}", stage.log());
        report.suffered(fault, over.elapsed());
    }
}

/// Waits until these people have said and done all that they wanted.
async fn finish(mut people: JoinSet<()>, report: &mut Report) {
    let until = Instant::now() + CALM;
    while let Ok(Some(done)) = timeout_at(until, people.join_next()).await {
        done.unwrap();
    }
    if !people.is_empty() {
        report.lost.push(format!("{} people are not done", people.len()));
    }
}

/// Waits until everybody who stays is live, with nothing left to say, and sees exactly those who are
/// there.
async fn settle(members: &mut [Member], report: &mut Report) {
    let until = Instant::now() + CALM;
    for member in &mut *members {
        let settled = member.progress.wait_for(|progress| progress.settled);
        if timeout_at(until, settled).await.is_err() {
            report.lost.push("somebody is not back".to_owned());
        }
    }
    let ids: Vec<(String, String)> = members
        .iter()
        .map(|member| (member.room.clone(), member.progress.borrow().me.clone()))
        .collect();
    for member in members {
        let here = ids.iter().filter(|(room, _)| *room == member.room);
        let here: BTreeSet<String> = here.map(|(_, id)| id.clone()).collect();
        let seen = member.progress.wait_for(|progress| progress.people == here);
        if timeout_at(until, seen).await.is_err() {
            let progress = member.progress.borrow();
            let wrong = progress.people.symmetric_difference(&here);
            report.ghosts.extend(wrong.map(|ghost| {
                let what = if here.contains(ghost) { "does not see" } else { "still sees" };
                format!("{} {what} {ghost} in {}", progress.me, member.room)
            }));
        }
    }
}

/// How often somebody who stayed was said to have come a second time, or to have left.
fn noise(chats: &[Value], members: &[Member]) -> usize {
    let members: BTreeSet<String> =
        members.iter().map(|member| member.progress.borrow().me.clone()).collect();
    let about_members = |chat: &&Value| {
        chat["kind"] == "system"
            && members.contains(chat["system"]["person"]["id"].as_str().unwrap_or_default())
    };
    let (mut seen, mut noise) = (BTreeSet::new(), 0);
    for chat in chats.iter().filter(about_members) {
        let first = seen.insert(chat["system"]["person"]["id"].as_str());
        let code = chat["system"]["code"].as_str().unwrap_or_default();
        noise += usize::from(code == "left" || (code == "joined" && !first));
    }
    noise
}

async fn history(browser: &Browser, room: &str) -> Vec<Value> {
    let mut chats: Vec<Value> = Vec::new();
    loop {
        let after = chats.last().map_or(0, |chat| chat["seq"].as_i64().unwrap());
        let path = format!("/room/{room}/chat?after={after}");
        let Some((_, mut page)) = requests::request(browser, Method::GET, &path, None).await else {
            continue;
        };
        let Value::Array(more) = page["chats"].take() else { panic!("no history: {page}") };
        chats.extend(more);
        if page["more"] == false {
            return chats;
        }
    }
}

/// Enters a room, says a little, leaves, and comes again.
async fn come_and_go(
    browser: Browser,
    room: String,
    journal: Arc<Journal>,
    orders: Orders,
    seed: u64,
) {
    let mut random = StdRng::seed_from_u64(seed);
    while !orders.quiet.is_cancelled() {
        let mut visitor = Visitor::new(browser.clone(), &room, &journal, random.random());
        stay_a_while(&mut visitor, random.random_range(1_000..6_000)).await;
        visitor.exit().await;
        sleep(Duration::from_millis(random.random_range(100..2_000))).await;
    }
}

/// Makes a room, talks there, and leaves or just goes.
async fn wander(pair: [Browser; 2], journal: Arc<Journal>, orders: Orders, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    while !orders.quiet.is_cancelled() {
        let room = requests::open_room(&pair[0], "for a moment").await;
        let mut two =
            pair.clone().map(|browser| Visitor::new(browser, &room, &journal, random.random()));
        let [first, second] = &mut two;
        tokio::join!(
            stay_a_while(first, random.random_range(1_000..6_000)),
            stay_a_while(second, random.random_range(1_000..6_000)),
        );
        for visitor in two {
            if random.random_bool(0.7) {
                visitor.exit().await;
            }
        }
    }
}

/// Says all there is to say, and is gone without a word.
async fn stay_a_while(visitor: &mut Visitor, millis: u64) {
    let orders = Orders::default();
    let mut progress = visitor.progress();
    let end = async {
        sleep(Duration::from_millis(millis)).await;
        orders.quiet.cancel();
        progress.wait_for(|progress| progress.settled).await.ok();
        orders.leave.cancel();
    };
    tokio::join!(visitor.stay(&orders), end);
}
