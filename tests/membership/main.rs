//! Who hears a room, explored: the real chat over the real store, under a scheduler that decides the
//! order of every step.
//!
//! A seed makes a plan and an order, and repeats both: `SEED=7` runs one schedule and prints it.
//! `SCHEDULES` is their number; `make torture` runs more than `make test`.

#![cfg(test)]

mod actions;
mod checks;
mod deeds;
mod edge;
mod model;
mod schedule;
mod scheduler;
mod stage;
mod store;

use std::{
    collections::{BTreeMap, HashSet},
    env,
    hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher},
    num::NonZeroUsize,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use rand::{SeedableRng as _, rngs::StdRng};

use actions::{Kind, Plan};
use schedule::Outcome;
use stage::Stage;

/// The messages of closed rooms stay until the stage goes.
const SCHEDULES_ON_A_STAGE: usize = 2_000;

fn setting(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}={value}: not a number")))
}

fn plan(seed: u64) -> Plan {
    Plan::random(seed, &mut StdRng::seed_from_u64(seed ^ 0xface))
}

#[test]
fn a_connection_hears_a_room_exactly_while_its_seat_holds_it() {
    if let Some(seed) = setting("SEED") {
        let outcome = Stage::new().run(&plan(seed));
        println!("{:#?}\n{}", plan(seed), outcome.trace.join("\n"));
        assert_eq!(outcome.wrong, None);
        return;
    }
    let schedules = setting("SCHEDULES").unwrap_or(2_000);
    // The lowest seed with which something was wrong.
    let wrong = AtomicU64::new(u64::MAX);
    // A schedule mostly waits for one thread after the other.
    let jobs = 4 * thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let explored = thread::scope(|scope| {
        let job = |job| {
            let (seeds, wrong) = ((job..schedules).step_by(jobs), &wrong);
            scope.spawn(move || explore(seeds, wrong))
        };
        let jobs: Vec<_> = (0..jobs as u64).map(job).collect();
        jobs.into_iter().map(|job| job.join().unwrap()).reduce(Explored::and).unwrap()
    });
    explored.report();
    let wrong = wrong.into_inner();
    assert_eq!(wrong, u64::MAX, "SEED={wrong}: {}", shortest(plan(wrong)));
    for (kind, _) in Kind::ALL {
        assert!(explored.happened.contains_key(kind), "{kind:?} never happened");
    }
    assert!(explored.orders.len() * 10 >= explored.schedules * 9, "orders repeat");
}

#[test]
fn a_seed_repeats_its_schedule() {
    let stage = Stage::new();
    for seed in 0..50 {
        let mut last = None;
        // Two people whose steps wait for one lock by chance change it: the lock is chosen by a random key.
        let repeated = (0..4).any(|_| {
            let trace = Some(stage.run(&plan(seed)).trace);
            std::mem::replace(&mut last, trace.clone()) == trace
        });
        assert!(repeated, "SEED={seed}");
    }
}

/// What the schedules came to.
#[derive(Default)]
struct Explored {
    schedules: usize,
    steps: usize,
    orders: HashSet<u64>,
    happened: BTreeMap<Kind, usize>,
    overlaps: BTreeMap<(Kind, Kind), usize>,
}

fn explore(seeds: impl Iterator<Item = u64>, wrong: &AtomicU64) -> Explored {
    let (mut stage, mut explored) = (Stage::new(), Explored::default());
    for seed in seeds {
        if seed > wrong.load(Ordering::SeqCst) {
            break;
        }
        if explored.schedules % SCHEDULES_ON_A_STAGE == 0 {
            stage = Stage::new();
        }
        if seed > 0 && seed.is_multiple_of(10_000) {
            println!("schedule {seed}");
        }
        let outcome = stage.run(&plan(seed));
        if outcome.wrong.is_some() {
            wrong.fetch_min(seed, Ordering::SeqCst);
        }
        explored.add(outcome);
    }
    explored
}

/// Leaves out one action after the other, as long as something is wrong without it. Says what is
/// left.
fn shortest(mut plan: Plan) -> String {
    let mut found = Stage::new().run(&plan);
    let (mut stage, mut nth) = (Stage::new(), 0);
    while nth < plan.actions.len() {
        let mut shorter = plan.clone();
        shorter.actions.remove(nth);
        // The order of the rest comes from the seed, too.
        let again = (0..200).map(|seed| Plan { seed, ..shorter.clone() }).find_map(|plan| {
            let outcome = stage.run(&plan);
            outcome.wrong.is_some().then_some((plan, outcome))
        });
        if let Some(shorter) = again {
            stage = Stage::new(); // A room is left on the last one, and maintenance would find it.
            (plan, found) = shorter;
            nth = 0;
        } else {
            nth += 1;
        }
    }
    let wrong = found.wrong.unwrap_or_else(|| "nothing was wrong the second time".to_owned());
    format!("{wrong}\n{plan:#?}\n{}", found.trace.join("\n"))
}

impl Explored {
    fn add(&mut self, outcome: Outcome) {
        self.schedules += 1;
        self.steps += outcome.trace.len();
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        self.orders.insert(hasher.hash_one(&outcome.trace));
        for kind in outcome.happened {
            *self.happened.entry(kind).or_default() += 1;
        }
        for pair in outcome.overlaps {
            *self.overlaps.entry(pair).or_default() += 1;
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.schedules += other.schedules;
        self.steps += other.steps;
        self.orders.extend(other.orders);
        for (kind, times) in other.happened {
            *self.happened.entry(kind).or_default() += times;
        }
        for (pair, times) in other.overlaps {
            *self.overlaps.entry(pair).or_default() += times;
        }
        self
    }

    fn report(&self) {
        let Self { schedules, steps, orders, happened, .. } = self;
        println!("{schedules} schedules, {} different orders, {steps} steps", orders.len());
        println!("{happened:?}");
        println!(
            "Schedules in which the action of the column began before that of the row was over:"
        );
        let names = Kind::ALL.iter().map(|(kind, _)| format!("{:>11}", format!("{kind:?}")));
        println!("{:>11}{}", "", names.collect::<String>());
        for (first, _) in Kind::ALL {
            let times = Kind::ALL.iter().map(|(second, _)| {
                format!("{:11}", self.overlaps.get(&(*first, *second)).copied().unwrap_or(0))
            });
            println!("{:>11}{}", format!("{first:?}"), times.collect::<String>());
        }
    }
}
