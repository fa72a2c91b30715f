//! W3 and W5: many people come in.

use std::{net::SocketAddr, rc::Rc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    Failure,
    client::{Client, SHUT_OUT},
    measure::Latencies,
    target::Target,
};

/// People with their cookies, before they come in.
pub struct Crowd {
    people: Vec<Option<String>>,
    each_room: usize,
}

/// What it took to let a crowd in.
pub struct Arrival {
    /// From the first knock to the last welcome, in seconds.
    pub all: f64,
    /// For one of them, in milliseconds.
    pub p99: f64,
    /// The rooms that they are in.
    pub rooms: Vec<Rc<str>>,
    /// Whoever came, still connected, and listening: a server lets go of those who do not answer.
    pub people: JoinSet<()>,
}

impl Crowd {
    /// So many people, for rooms of so many each.
    pub async fn gather(target: &Target, people: usize, each_room: usize) -> Result<Self, Failure> {
        let mut gathered = Vec::with_capacity(people);
        for _ in 0..people {
            gathered.push(target.visit().await?);
        }
        Ok(Self { people: gathered, each_room })
    }

    /// Opens rooms for so many people and lets them in, so many at a time, and then for the next ones: a room
    /// that waits too long for its first person is gone. Only letting them in is measured.
    pub async fn enter(
        self,
        target: &Target,
        a_wave: usize,
        at_once: usize,
    ) -> Result<Arrival, Failure> {
        let mut took = Latencies::new()?;
        let mut all = Duration::ZERO;
        let (mut rooms, mut inside) = (Vec::new(), JoinSet::new());
        for wave in self.people.chunks(a_wave) {
            let first = rooms.len();
            for opener in wave.iter().step_by(self.each_room) {
                let max = u32::try_from(self.each_room + 50)?; // A few more may come.
                let title = format!("room {}", rooms.len());
                rooms.push(target.open(opener.as_deref(), &title, max).await?.into());
            }
            let begun = Instant::now();
            let mut people = wave.iter().cloned().enumerate();
            let mut arriving = JoinSet::new();
            loop {
                while arriving.len() < at_once
                    && let Some((n, cookie)) = people.next()
                {
                    let room = Rc::clone(&rooms[first + n / self.each_room]);
                    arriving.spawn_local(knock(target.address, cookie, room));
                }
                let Some(arrived) = arriving.join_next().await else { break };
                let (mut client, after) = arrived??;
                took.add(after);
                inside.spawn_local(async move { while client.hear().await.is_ok() {} });
            }
            all += begun.elapsed();
        }
        Ok(Arrival { all: all.as_secs_f64(), p99: took.percentile(99.0), rooms, people: inside })
    }
}

/// Lets somebody in, and gives how long they waited.
async fn knock(
    address: SocketAddr,
    cookie: Option<String>,
    room: Rc<str>,
) -> Result<(Client, Duration), Failure> {
    let knocked = Instant::now();
    loop {
        match Client::enter(address, cookie.as_deref(), &room).await {
            Ok(client) => return Ok((client, knocked.elapsed())),
            Err(cause) => match cause.to_string() {
                // A page would knock again, too.
                why if why.contains("unavailable") || why == SHUT_OUT => {}
                _ => return Err(cause),
            },
        }
    }
}

/// What connections cost that do nothing.
pub struct Idle {
    /// Memory for each, in bytes: at once, and after a while.
    pub at_once: f64,
    pub later: f64,
    /// Share of the server's core while they idle, from 0 to 1.
    pub cpu: f64,
}

/// Watches connections idle for so long, and looks at the memory after `later`; `empty` is the
/// server's memory before they came.
pub async fn watch_idle(
    target: &Target,
    mut people: JoinSet<()>,
    empty: u64,
    later: Duration,
    lasting: Duration,
) -> Result<Idle, Failure> {
    let count = people.len();
    let each = |memory: u64| memory.saturating_sub(empty) as f64 / count as f64;
    let at_once = each(target.process.memory()?);
    let before = target.process.cpu()?;
    sleep(later).await;
    let memory = target.process.memory()?;
    sleep(lasting.saturating_sub(later)).await;
    let later = each(memory);
    let cpu = (target.process.cpu()? - before) / lasting.as_secs_f64();
    if people.try_join_next().is_some() {
        return Err("a connection that idled has ended".into());
    }
    Ok(Idle { at_once, later, cpu })
}
