//! The scheduler: it alone decides which call of the store goes on, and when.
//!
//! The runtime has one thread and a clock that stands still, so that between two decisions
//! everything runs in one order, until every task waits. A seed then repeats a schedule exactly.
//!
//! One half of the schedules chooses evenly among the waiting tasks. The other half gives each task
//! a random priority, lets the highest go on, and lowers it at a few random steps: an order that
//! takes `d` such changes is found with a probability that does not shrink with the number of
//! tasks alive (Burckhardt et al. 2010, *A randomized scheduler with probabilistic guarantees of
//! finding bugs*).

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use rand::{RngExt as _, rngs::StdRng};
use tokio::{
    sync::{Notify, oneshot},
    task,
};

use crate::model::Step;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Before,
    After,
    /// A gate of the test itself.
    Between,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    GoOn,
    Fail,
}

/// A task that waits at a gate.
#[derive(Debug)]
pub struct Waiting {
    pub task: Option<task::Id>,
    pub name: &'static str,
    pub side: Side,
    go: oneshot::Sender<Verdict>,
}

/// Calls without a gate: no connection, seat or message depends on them.
const FREE: [&str; 4] = ["heartbeat", "delete_expired_sessions", "orphans", "ready"];

/// Tells when every task waits: for the scheduler, or for time that does not pass.
#[derive(Debug, Default)]
pub struct Idle {
    in_store: AtomicUsize,
    idle: Notify,
}

impl Idle {
    /// The runtime's thread has nothing to do.
    pub fn parked(&self) {
        if self.in_store.load(Ordering::SeqCst) == 0 {
            self.idle.notify_one();
        }
    }

    pub async fn wait(&self) {
        self.idle.notified().await;
    }

    /// A call that another thread answers: the runtime is not idle meanwhile.
    pub fn in_store(self: &Arc<Self>) -> InStore {
        self.in_store.fetch_add(1, Ordering::SeqCst);
        InStore(self.clone())
    }
}

pub struct InStore(Arc<Idle>);

impl Drop for InStore {
    fn drop(&mut self) {
        self.0.in_store.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The gates of one server process.
#[derive(Debug)]
pub struct Gates {
    idle: Arc<Idle>,
    dead: AtomicBool,
    waiting: Mutex<Vec<Waiting>>,
    /// What the store has done since the scheduler last looked.
    done: Mutex<Vec<Step>>,
}

impl Gates {
    pub fn new(idle: Arc<Idle>) -> Arc<Self> {
        let (dead, waiting, done) = Default::default();
        Arc::new(Self { idle, dead, waiting, done })
    }

    /// Waits until the scheduler decides. In a process that was killed it never returns.
    pub async fn pass(&self, name: &'static str, side: Side) -> Verdict {
        if FREE.contains(&name) {
            return Verdict::GoOn;
        }
        if !self.dead.load(Ordering::SeqCst) {
            let (go, decided) = oneshot::channel();
            self.waiting.lock().push(Waiting { task: task::try_id(), name, side, go });
            if let Ok(verdict) = decided.await {
                return verdict;
            }
        }
        std::future::pending().await
    }

    pub fn in_store(&self) -> InStore {
        self.idle.in_store()
    }

    pub fn record(&self, step: Step) {
        self.done.lock().push(step);
    }

    pub fn take_done(&self) -> Vec<Step> {
        std::mem::take(&mut self.done.lock())
    }

    /// The tasks that wait.
    pub fn waiting(&self) -> Vec<Option<task::Id>> {
        self.waiting.lock().iter().map(|one| one.task).collect()
    }

    pub fn are_empty(&self) -> bool {
        self.waiting.lock().is_empty()
    }

    /// Ends the process: no call of it begins or returns any more.
    pub fn kill(&self) {
        self.dead.store(true, Ordering::SeqCst);
        self.waiting.lock().clear();
    }

    /// Lets the task go on that `chooser` takes, and says which.
    pub fn open(&self, chooser: &mut Chooser, verdict: Verdict) -> Option<Opened> {
        let mut waiting = self.waiting.lock();
        if waiting.is_empty() {
            return None;
        }
        let Waiting { task, name, side, go } = {
            let nth = chooser.choose(&waiting);
            waiting.remove(nth)
        };
        go.send(verdict).ok(); // The task may have been aborted.
        Some(Opened { task, name, side })
    }
}

/// What the scheduler has let go on.
pub struct Opened {
    pub task: Option<task::Id>,
    pub name: &'static str,
    pub side: Side,
}

/// How a schedule chooses among the waiting tasks.
pub enum Chooser {
    InOrder,
    Evenly(StdRng),
    ByPriority {
        random: StdRng,
        priorities: HashMap<Option<task::Id>, i64>,
        changes: Vec<usize>,
        steps: usize,
    },
}

/// The number of steps within which the priorities change: a little more than most schedules have.
const STEPS: usize = 150;
const MOST_CHANGES: usize = 5;

impl Chooser {
    pub fn new(mut random: StdRng) -> Self {
        if random.random() {
            return Self::Evenly(random);
        }
        let many = random.random_range(1..=MOST_CHANGES);
        let changes = (0..many).map(|_| random.random_range(0..STEPS)).collect();
        Self::ByPriority { random, priorities: HashMap::new(), changes, steps: 0 }
    }

    fn choose(&mut self, waiting: &[Waiting]) -> usize {
        match self {
            Self::InOrder => 0,
            Self::Evenly(random) => random.random_range(0..waiting.len()),
            Self::ByPriority { random, priorities, changes, steps } => {
                for one in waiting {
                    priorities.entry(one.task).or_insert_with(|| random.random_range(0..1 << 40));
                }
                let highest = |priorities: &HashMap<_, i64>| {
                    (0..waiting.len())
                        .max_by_key(|nth| priorities[&waiting[*nth].task])
                        .unwrap_or(0)
                };
                *steps += 1;
                if changes.contains(steps) {
                    let lowered = waiting[highest(priorities)].task;
                    priorities.insert(lowered, -i64::try_from(*steps).unwrap());
                }
                highest(priorities)
            }
        }
    }
}
