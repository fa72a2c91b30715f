//! Measures Huechat beside a peer and beside the limit, in one run, taking turns.
//!
//! Latency counts from the moment at which a message should have been sent, so that a server which keeps
//! its clients from sending does not look quick.

#![expect(clippy::cast_precision_loss, reason = "no figure here has sixteen digits")]

mod client;
mod figures;
mod measure;
mod plot;
mod report;
mod target;
mod workloads;

use std::{path::PathBuf, time::Duration};

use clap::{Parser, builder::BoolishValueParser};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::{
    task::LocalSet,
    time::{Instant, timeout},
};

use figures::Figures;
use target::{Kind, Programs, Target};
use workloads::{
    crowd::{Crowd, watch_idle},
    growth, lobby, start,
    talk::{Climb, Pace, Rooms},
    uploads::Sharers,
};

/// Whatever goes wrong ends the run with its words.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Measures Huechat beside a peer and beside the limit.
#[derive(Parser, Debug)]
struct CommandLine {
    /// Under five minutes: one round, shorter and smaller.
    #[arg(long, env = "QUICK", value_parser = BoolishValueParser::new())]
    quick: bool,
    /// How often everything is measured.
    #[arg(long, env = "ROUNDS", default_value_t = 3)]
    rounds: usize,
    /// How often those that take long are: W3, W4 and W7; as often as the others without it.
    #[arg(long, env = "LONG_ROUNDS")]
    long_rounds: Option<usize>,
    /// Which workloads, such as W1; all without any.
    #[arg(long, env = "ONLY", value_delimiter = ',')]
    only: Vec<String>,
    /// Which servers; all without any.
    #[arg(long, env = "SERVERS", value_delimiter = ',')]
    servers: Vec<Kind>,
    /// The product.
    #[arg(long, default_value = "target/release/huechat")]
    huechat: PathBuf,
    /// The product's libraries by themselves.
    #[arg(long, default_value = "target/release/stack")]
    stack: PathBuf,
    /// The bare server.
    #[arg(long, default_value = "target/release/limit")]
    limit: PathBuf,
    /// The peer.
    #[arg(long, default_value = "bench/peer/server.js")]
    peer: PathBuf,
    /// A server that speaks MongoDB's protocol.
    #[arg(long, default_value = "target/secantusd/bin/secantusd-rs")]
    mongodb: PathBuf,
    /// Where the table and the plots go.
    #[arg(long, default_value = "bench/results")]
    results: PathBuf,
}

/// How large and how long everything is.
#[derive(Debug, Clone, Copy)]
struct Scale {
    warm_up: Duration,
    lasting: Duration,
    members: usize,
    rooms: usize,
    idle: usize,
    idle_later: Duration,
    rush: usize,
    /// Rooms in the lobby, one step after another.
    listed: &'static [usize],
    members_grow: &'static [usize],
    history_grows: &'static [u64],
    climb: Climb,
}

const WHOLE: Scale = Scale {
    warm_up: Duration::from_secs(1),
    lasting: Duration::from_secs(4),
    members: 500,
    rooms: 200,
    idle: 10_000,
    idle_later: Duration::from_secs(30),
    rush: 2_000,
    listed: &[1_000, 10_000],
    members_grow: &[2, 20, 200, 2_000],
    history_grows: &[1_000, 10_000, 100_000, 1_000_000],
    climb: Climb { first: 250, times: 2, halvings: 2 },
};

const QUICK: Scale = Scale {
    warm_up: Duration::from_secs(1),
    lasting: Duration::from_secs(2),
    members: 200,
    rooms: 50,
    idle: 1_000,
    idle_later: Duration::from_secs(5),
    rush: 500,
    listed: &[200],
    members_grow: &[2, 20, 200],
    history_grows: &[1_000, 10_000],
    climb: Climb { first: 250, times: 4, halvings: 0 },
};

/// In each of many rooms.
const PEOPLE: usize = 5;
/// People for whom rooms are opened at a time where many come one after another.
const A_WAVE: usize = 1_000;
/// What takes minutes for each server.
const LONG: [&str; 3] = ["W3", "W4", "W7"];
/// Nothing that is measured takes as long as this, unless a server hangs.
const TURN: Duration = Duration::from_secs(900);
const EVERYBODY: [Kind; 6] =
    [Kind::Huechat, Kind::HuechatMongo, Kind::Peer, Kind::PeerMemory, Kind::Stack, Kind::Limit];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    rustls::crypto::ring::default_provider().install_default().ok(); // Nobody else did.
    let line = CommandLine::parse();
    LocalSet::new().run_until(run(line)).await
}

async fn run(line: CommandLine) -> Result<(), Failure> {
    let programs = Programs {
        huechat: line.huechat.canonicalize()?,
        stack: line.stack.canonicalize()?,
        limit: line.limit.canonicalize()?,
        peer: line.peer.canonicalize()?,
        mongodb: line.mongodb.canonicalize()?,
    };
    let scale = if line.quick { QUICK } else { WHOLE };
    let rounds = if line.quick { 1 } else { line.rounds };
    let wanted = |name: &str| line.only.is_empty() || line.only.iter().any(|only| only == name);
    let steps: Vec<&str> = ["W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8"]
        .into_iter()
        .filter(|name| wanted(name))
        .collect();
    let servers = if line.servers.is_empty() { EVERYBODY.to_vec() } else { line.servers };
    let long_rounds = line.long_rounds.unwrap_or(rounds).min(rounds);
    let turns = |round: usize| -> Vec<(&str, Kind)> {
        let mut turns = Vec::new();
        for step in steps.iter().filter(|step| round < long_rounds || !LONG.contains(step)) {
            // Nobody always goes first.
            let order = servers.iter().cycle().skip(round % servers.len()).take(servers.len());
            turns.extend(order.filter(|kind| takes_part(step, **kind)).map(|kind| (*step, *kind)));
        }
        turns
    };
    let all: usize = (0..rounds).map(|round| turns(round).len()).sum();
    let bar = ProgressBar::new(all as u64)
        .with_style(ProgressStyle::with_template("{elapsed_precise} {bar:40} {pos}/{len} {msg}")?);
    let (mut figures, mut failures) = (Figures::default(), Vec::new());
    for round in 0..rounds {
        for (step, kind) in turns(round) {
            bar.set_message(format!("{step} {}", kind.name()));
            let turn = measure(step, kind, &programs, scale, &mut figures);
            let outcome = timeout(TURN, turn).await.unwrap_or_else(|late| Err(late.into()));
            if let Err(cause) = outcome {
                failures.push(format!("{step} with {}: {cause}", kind.name()));
            }
            bar.inc(1);
        }
        // Kept after each round: whoever stops a long run has not waited for nothing.
        let run = report::Run { rounds: round + 1, long_rounds, quick: line.quick };
        report::write(&figures, &line.results, &run)?;
    }
    bar.finish_and_clear();
    report::print(&line.results)?;
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n").into()) }
}

/// Whether a workload says something about a server.
fn takes_part(step: &str, kind: Kind) -> bool {
    match step {
        // Both show what something else costs where people talk.
        "W3" | "W5" | "W8" => !matches!(kind, Kind::PeerMemory | Kind::Stack),
        // The limit knows no lobby and no uploads; the peer takes none either.
        "W4" => matches!(kind, Kind::Huechat | Kind::HuechatMongo | Kind::Peer),
        "W6" | "W7" => matches!(kind, Kind::Huechat | Kind::HuechatMongo),
        _ => true,
    }
}

async fn measure(
    step: &str,
    kind: Kind,
    programs: &Programs,
    scale: Scale,
    figures: &mut Figures,
) -> Result<(), Failure> {
    match step {
        "W1" => one_room(kind, programs, scale, figures).await,
        "W2" => many_rooms(kind, programs, scale, figures).await,
        "W3" => idle(kind, programs, scale, figures).await,
        "W4" => lobby(kind, programs, scale, figures).await,
        "W6" => uploads(kind, programs, scale, figures).await,
        "W7" => growth(kind, programs, scale, figures).await,
        "W5" => rush(kind, programs, scale, figures).await,
        _ => {
            let start = start::start(kind, programs).await?;
            figures.add("W8", "start ms", kind, start.took);
            figures.add("W8", "memory at rest MB", kind, start.memory);
            if kind == Kind::Huechat {
                figures.add("W8", "program MB", kind, start::size(programs)?);
            }
            Ok(())
        }
    }
}

/// One room; ten people speak as fast as they are acknowledged.
async fn one_room(
    kind: Kind,
    programs: &Programs,
    scale: Scale,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let target = Target::start(kind, programs).await?;
    let mut rooms = Rooms::fill(&target, 1, scale.members).await?;
    let talk = rooms.talk(&target, 10, Pace::Closed, scale.warm_up, scale.lasting).await?;
    figures.add("W1", "delivered/s", kind, talk.delivered);
    figures.add("W1", "p50 ms", kind, talk.p50);
    figures.add("W1", "p99 ms", kind, talk.p99);
    figures.add("W1", "CPU %", kind, 100.0 * talk.cpu);
    Ok(())
}

/// Rooms of five; one speaks in each, faster and faster, until it is too much, and then at rates between
/// the last two.
async fn many_rooms(
    kind: Kind,
    programs: &Programs,
    scale: Scale,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let target = Target::start(kind, programs).await?;
    let mut rooms = Rooms::fill(&target, scale.rooms, PEOPLE).await?;
    let (highest, steps) = rooms.climb(&target, scale.climb, scale.warm_up, scale.lasting).await?;
    for (rate, talk) in steps {
        figures.step(kind, rate, talk);
    }
    figures.add("W2", "highest delivered/s", kind, highest);
    Ok(())
}

async fn idle(
    kind: Kind,
    programs: &Programs,
    scale: Scale,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let target = Target::start(kind, programs).await?;
    let crowd = Crowd::gather(&target, scale.idle, 10).await?;
    let empty = target.process.memory()?;
    let arrival = crowd.enter(&target, A_WAVE, 100).await?;
    figures.add("W3", "connect and enter all s", kind, arrival.all);
    let idle =
        watch_idle(&target, arrival.people, empty, scale.idle_later, scale.idle_later * 2).await?;
    figures.add("W3", "kB a connection at once", kind, idle.at_once / 1e3);
    figures.add("W3", "kB a connection later", kind, idle.later / 1e3);
    figures.add("W3", "CPU % idle", kind, 100.0 * idle.cpu);
    Ok(())
}

async fn rush(
    kind: Kind,
    programs: &Programs,
    scale: Scale,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let target = Target::start(kind, programs).await?;
    let crowd = Crowd::gather(&target, scale.rush, 10).await?;
    let arrival = crowd.enter(&target, scale.rush, scale.rush).await?;
    figures.add("W5", "all in s", kind, arrival.all);
    figures.add("W5", "p99 ms", kind, arrival.p99);
    Ok(())
}

async fn lobby(
    kind: Kind,
    programs: &Programs,
    scale: Scale,
    figures: &mut Figures,
) -> Result<(), Failure> {
    // To fill a larger one takes a small server that speaks MongoDB's protocol too long.
    let listed = if kind == Kind::Huechat { scale.listed } else { &scale.listed[..1] };
    for listed in listed.iter().copied() {
        let target = Target::start(kind, programs).await?;
        let crowd = Crowd::gather(&target, listed, 1).await?;
        let arrival = crowd.enter(&target, A_WAVE, 50).await?;
        let pages = lobby::pages(&target, scale.lasting).await?;
        figures.add_at("W4", "pages/s", listed, kind, pages.per_second);
        figures.add_at("W4", "p99 ms", listed, kind, pages.p99);
        figures.add_at("W4", "kB a page", listed, kind, pages.bytes / 1e3);
        let watch = lobby::watch(&target, &arrival.rooms[..10], scale.lasting).await?;
        figures.add_at("W4", "events a watcher gets/s", listed, kind, watch.events);
        figures.add_at("W4", "of them of one room/s", listed, kind, watch.liveliest);
    }
    Ok(())
}

/// How far the p99 of those who talk moves while others share GIFs.
async fn uploads(
    kind: Kind,
    programs: &Programs,
    scale: Scale,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let best =
        figures.spread(report::HIGHEST, kind).map(|delivered| delivered.median / PEOPLE as f64);
    let pace = Pace::Open(best.unwrap_or(1_000.0) / 2.0);
    let target = Target::start(kind, programs).await?;
    let mut rooms = Rooms::fill(&target, scale.rooms, PEOPLE).await?;
    let sharers = Sharers::gather(&target).await?;
    let without = rooms.talk(&target, 1, pace, scale.warm_up, scale.lasting).await?;
    let until = Instant::now() + scale.warm_up + scale.lasting;
    let (with, shared) = tokio::join!(
        rooms.talk(&target, 1, pace, scale.warm_up, scale.lasting),
        sharers.share(until)
    );
    figures.add("W6", "GIFs/s", kind, shared?);
    figures.add("W6", "p99 ms without", kind, without.p99);
    figures.add("W6", "p99 ms with", kind, with?.p99);
    Ok(())
}

async fn growth(
    kind: Kind,
    programs: &Programs,
    scale: Scale,
    figures: &mut Figures,
) -> Result<(), Failure> {
    // A small server that speaks MongoDB's protocol takes an hour for more.
    let (members_grow, history_grows) = match kind {
        Kind::HuechatMongo => (&scale.members_grow[..3], &scale.history_grows[..2]),
        _ => (scale.members_grow, scale.history_grows),
    };
    for members in members_grow.iter().copied() {
        let target = Target::start(kind, programs).await?;
        let cost = growth::cost_of_a_message(&target, members, scale.lasting).await?;
        figures.add_at("W7", report::MESSAGE_COST, members, kind, cost);
    }
    let target = Target::start(kind, programs).await?;
    let mut room = growth::Room::open(&target).await?;
    for messages in history_grows.iter().copied() {
        room.grow(messages).await?;
        let effort = room.effort(&target).await?;
        let messages = usize::try_from(messages)?;
        figures.add_at("W7", report::ENTERING, messages, kind, effort.entering);
        figures.add_at("W7", report::PAGE, messages, kind, effort.page);
    }
    Ok(())
}
