//! One schedule, from the room's opening until nobody is left.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use huechat::{
    chat::{Requester, RoomForm},
    domain::{Connection, Person, PersonId, RoomId, TokenId},
    store::RoomStore as _,
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::{
    task::{self, JoinHandle, spawn},
    time::advance,
};
use tokio_util::sync::CancellationToken;

use crate::{
    actions::{BOT, Kind, MAKER, PEOPLE, Plan},
    deeds,
    model::Model,
    scheduler::{Chooser, Idle, Opened, Verdict},
    stage::{GRACE, Server, Stage},
};

const NAMES: [&str; PEOPLE] = ["Ann", "Ben", "Cleo", "Cleo's bot"];
/// A step of time after a fault: maintenance runs once.
const MOMENT: Duration = Duration::from_secs(4);
/// So many of them, and the outcome of every failed call is certain.
const MOMENTS: usize = 12;

/// What a schedule did, and what was wrong.
#[derive(Debug, Default)]
pub struct Outcome {
    pub wrong: Option<String>,
    /// Every step, in words.
    pub trace: Vec<String>,
    /// The actions that happened.
    pub happened: Vec<Kind>,
    /// The pairs of which the second began before the first was over.
    pub overlaps: BTreeSet<(Kind, Kind)>,
    pub faults: usize,
}

/// An action that has begun.
pub struct Running {
    pub kind: Kind,
    /// Who does it, for the trace.
    pub name: String,
    pub handle: JoinHandle<()>,
}

pub struct Schedule<'a> {
    stage: &'a Stage,
    pub plan: &'a Plan,
    idle: Arc<Idle>,
    chooser: Chooser,
    random: StdRng,
    pub room: RoomId,
    pub people: [Person; PEOPLE],
    pub model: Model,
    pub server: Server,
    pub running: Vec<Running>,
    is_stopping: bool,
    /// The task that went on last.
    last: Option<task::Id>,
    /// The connections that lost their seat, and the task that took it.
    pub lost: HashMap<Connection, Option<task::Id>>,
    faults_left: usize,
    /// Whether a call has failed, and it is not yet certain what it has done.
    pub faults_unknown: bool,
    pub outcome: Outcome,
}

pub type Wrong = String;

impl<'a> Schedule<'a> {
    pub async fn new(stage: &'a Stage, plan: &'a Plan, idle: Arc<Idle>) -> Self {
        let mut random = StdRng::seed_from_u64(plan.seed);
        let chooser = Chooser::new(StdRng::from_rng(&mut random));
        let server = Server::start(stage, &idle, plan);
        let person = |nth| match nth {
            BOT => Person::of_token(b"", &TokenId::from_bits([0; 10])),
            nth => Person::of_session(b"", &format!("visitor {nth}")),
        };
        let people: [Person; PEOPLE] = std::array::from_fn(person);
        let room = RoomId::random();
        let (running, is_stopping, last, lost) = Default::default();
        let (faults_left, faults_unknown, outcome) = Default::default();
        let model = Model::new(room.clone(), people[0].id.clone(), plan.places as usize);
        let model = model.unopened();
        let mut schedule = Self {
            stage,
            plan,
            idle,
            chooser,
            random,
            room,
            people,
            model,
            server,
            running,
            is_stopping,
            last,
            lost,
            faults_left,
            faults_unknown,
            outcome,
        };
        schedule.open().await;
        schedule
    }

    /// The owner opens the room; its id is random.
    async fn open(&mut self) {
        self.take_over().await.unwrap();
        let (chat, owner) = (self.server.chat.clone(), self.people[0].clone());
        let form = RoomForm {
            title: "tea".into(),
            max: self.plan.places.to_string(),
            password: String::new(),
        };
        let opened = spawn(async move { chat.open(&owner, None, &form).await });
        self.alone(|| opened.is_finished()).await.unwrap();
        self.room = opened.await.unwrap().unwrap().room.id;
        self.model =
            Model::new(self.room.clone(), self.people[0].id.clone(), self.plan.places as usize);
    }

    /// Runs the whole schedule.
    pub async fn run(&mut self) -> Result<(), Wrong> {
        self.maintain();
        for who in 0..PEOPLE {
            for _ in 0..self.plan.tabs[who] {
                let entered = spawn(deeds::enter(self, who));
                self.alone(|| entered.is_finished()).await?;
            }
        }
        self.check_at_rest()?;
        self.faults_left = self.plan.faults;
        let mut actions = self.plan.actions.iter();
        loop {
            let rests = self.server.gates.are_empty();
            if rests {
                self.check_at_rest()?;
            }
            if rests || self.random.random_bool(self.plan.haste) {
                let next =
                    actions.find(|action| self.model.is_open() && deeds::begin(self, action));
                match next {
                    Some(action) if matches!(action.kind, Kind::Kill) => self.restart().await?,
                    Some(action) if action.kind == Kind::TimePasses => {
                        advance(GRACE + MOMENT).await;
                    }
                    Some(_) => {}
                    None if rests => break,
                    None => self.let_one_go_on(),
                }
            } else {
                self.let_one_go_on();
            }
            self.look().await?;
            if self.has_stopped() {
                self.restart().await?;
            }
        }
        self.finish().await
    }

    /// In the end everybody leaves, and nothing is left.
    async fn finish(&mut self) -> Result<(), Wrong> {
        self.recover().await?;
        self.check_at_rest()?;
        let by_check = self.ended_by_check();
        for _ in 0..2 {
            advance(GRACE + MOMENT).await;
            self.alone(|| true).await?;
            self.check_at_rest()?;
        }
        if self.ended_by_check() != by_check {
            return Err("the check of subscriptions found somebody".to_owned());
        }
        for person in self.people.clone() {
            let (chat, room) = (self.server.chat.clone(), self.room.clone());
            let left = spawn(async move { chat.exit(&room, &person).await });
            self.alone(|| left.is_finished()).await?;
            self.check_at_rest()?;
        }
        if self.model.count() == 0 && self.server.connections.hearing().is_empty() {
            return Ok(());
        }
        Err(format!("something is left: {:?}", self.model))
    }

    /// After faults of the store: time passes until the outcome of every call is certain.
    async fn recover(&mut self) -> Result<(), Wrong> {
        if self.outcome.faults > 0 {
            self.faults_left = 0;
            for _ in 0..MOMENTS {
                advance(MOMENT).await;
                self.alone(|| true).await?;
            }
            self.faults_unknown = false;
        }
        Ok(())
    }

    /// Lets everything go on, in the order of arrival, until everything rests.
    async fn alone(&mut self, is_done: impl Fn() -> bool) -> Result<(), Wrong> {
        self.look().await?;
        while let Some(opened) = self.server.gates.open(&mut Chooser::InOrder, Verdict::GoOn) {
            self.last = opened.task;
            self.look().await?;
        }
        if is_done() { Ok(()) } else { Err("something never ended".to_owned()) }
    }

    fn let_one_go_on(&mut self) {
        let fails = self.faults_left > 0 && self.random.random_bool(0.05);
        let verdict = if fails { Verdict::Fail } else { Verdict::GoOn };
        let Some(Opened { task, name, side }) = self.server.gates.open(&mut self.chooser, verdict)
        else {
            return;
        };
        self.last = task;
        if fails {
            self.faults_left -= 1;
            self.outcome.faults += 1;
            self.faults_unknown = true;
        }
        let of = |one: &&Running| task == Some(one.handle.id());
        let who = self.running.iter().find(of).map_or("server", |one| &one.name);
        self.outcome.trace.push(format!("{who}: {side:?} {name} {verdict:?}"));
    }

    /// Waits until everything waits, and checks what has been done meanwhile.
    async fn look(&mut self) -> Result<(), Wrong> {
        self.idle.wait().await;
        self.running.retain(|one| !one.handle.is_finished());
        let done = self.server.gates.take_done();
        let before = self.model.holding();
        for step in &done {
            self.model.follow(step)?;
        }
        let lost = before.difference(&self.model.holding()).cloned().collect::<Vec<_>>();
        self.lost.extend(lost.into_iter().map(|connection| (connection, self.last)));
        if !done.is_empty() {
            let room = {
                let _busy = self.idle.in_store();
                self.stage.inner.room(&self.room).await.unwrap()
            };
            self.model.check(room.as_ref())?;
        }
        let holding = self.model.holding();
        if let Some(cut) = self.server.connections.take_ended().iter().find(|c| holding.contains(c))
        {
            return Err(format!("{} is cut off and has a seat", self.name(&cut.person)));
        }
        match self.server.connections.take_wrong() {
            wrong if wrong.is_empty() || self.outcome.faults > 0 => self.check_step(),
            wrong => Err(wrong.concat()),
        }
    }

    pub fn name(&self, person: &PersonId) -> &'static str {
        let nth = self.people.iter().position(|one| one.id == *person);
        nth.map_or("somebody", |nth| NAMES[nth])
    }

    pub fn maker(&self, who: usize) -> Option<PersonId> {
        (who == BOT).then(|| self.people[MAKER].id.clone())
    }

    /// Notes that an action begins.
    pub fn note(&mut self, kind: Kind, name: &str) {
        for one in &self.running {
            self.outcome.overlaps.insert((one.kind, kind));
        }
        self.outcome.happened.push(kind);
        self.outcome.trace.push(format!("{name} begins"));
    }

    /// Begins an action that takes steps.
    pub fn act(
        &mut self,
        kind: Kind,
        who: usize,
        action: impl Future<Output = ()> + Send + 'static,
    ) {
        let name = format!("{}: {kind:?} {}", NAMES[who], self.outcome.happened.len());
        self.note(kind, &name);
        self.running.push(Running { kind, name, handle: spawn(action) });
    }

    /// Begins to stop the server.
    pub fn stop(&mut self, stopping: impl Future<Output = ()> + Send + 'static) {
        let (kind, name) = (Kind::Stop, "stopping".to_owned());
        self.note(kind, &name);
        self.running.push(Running { kind, name, handle: spawn(stopping) });
        self.is_stopping = true;
    }

    pub fn has_stopped(&self) -> bool {
        self.is_stopping && self.running.iter().all(|one| one.kind != Kind::Stop)
    }

    /// The process is gone with all it was doing, and another one starts.
    async fn restart(&mut self) -> Result<(), Wrong> {
        self.is_stopping = false;
        self.server.gates.kill();
        for one in self.running.drain(..) {
            one.handle.abort();
        }
        self.forget();
        self.model.restart();
        self.outcome.trace.push("a new server".to_owned());
        self.server = Server::start(self.stage, &self.idle, self.plan);
        self.take_over().await?;
        self.maintain();
        self.alone(|| true).await
    }

    async fn take_over(&mut self) -> Result<(), Wrong> {
        let chat = self.server.chat.clone();
        let started = spawn(async move { chat.take_over(true).await });
        // It also reads and writes files, between the steps of the store.
        while !started.is_finished() {
            self.alone(|| true).await?;
        }
        started.await.unwrap().map_err(|error| error.to_string())
    }

    fn maintain(&self) {
        let chat = self.server.chat.clone();
        spawn(async move { chat.maintain(CancellationToken::new()).await });
    }

    pub fn forget(&self) {
        self.server.connections.forget();
        self.server.tabs.lock().clear();
    }

    pub fn requester(id: &PersonId) -> Requester<'_> {
        Requester { id, pass: None, network: None }
    }
}
