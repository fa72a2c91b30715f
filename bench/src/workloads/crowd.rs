//! W3 and W5: many people come in.

use std::{rc::Rc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{Failure, client::Client, measure::Latencies, target::Target};

/// People with their cookies, before they come in.
pub struct Crowd {
    /// Each with the room that they are about to enter.
    people: Vec<(Option<String>, Rc<str>)>,
}

/// What it took to let a crowd in.
pub struct Arrival {
    /// From the first knock to the last welcome, in seconds.
    pub all: f64,
    /// For one of them, in milliseconds.
    pub p99: f64,
    /// Whoever came, still connected, and listening: a server lets go of those who do not answer.
    pub people: JoinSet<()>,
}

impl Crowd {
    /// So many people, for rooms of so many each.
    pub async fn gather(target: &Target, people: usize, each_room: usize) -> Result<Self, Failure> {
        let mut gathered = Vec::with_capacity(people);
        let mut room: Rc<str> = "".into();
        for n in 0..people {
            let cookie = target.visit().await?;
            if n % each_room == 0 {
                let max = u32::try_from(each_room + 50)?; // A few more may come.
                room = target.open(cookie.as_deref(), &format!("room {n}"), max).await?.into();
            }
            gathered.push((cookie, room.clone()));
        }
        Ok(Self { people: gathered })
    }

    /// The rooms that they are about to enter.
    pub fn rooms(&self) -> Vec<Rc<str>> {
        let mut rooms: Vec<Rc<str>> = self.people.iter().map(|(_, room)| room.clone()).collect();
        rooms.dedup();
        rooms
    }

    /// Lets them in, so many at a time.
    pub async fn enter(self, target: &Target, at_once: usize) -> Result<Arrival, Failure> {
        let address = target.address;
        let begun = Instant::now();
        let mut people = self.people.into_iter();
        let mut arriving = JoinSet::new();
        let mut took = Latencies::new()?;
        let mut inside = JoinSet::new();
        loop {
            while arriving.len() < at_once
                && let Some((cookie, room)) = people.next()
            {
                arriving.spawn_local(async move {
                    let knocked = Instant::now();
                    loop {
                        match Client::enter(address, cookie.as_deref(), &room).await {
                            Ok(client) => return Ok::<_, Failure>((client, knocked.elapsed())),
                            // A page would knock again, too.
                            Err(cause) if cause.to_string().contains("unavailable") => {}
                            Err(cause) => return Err(cause),
                        }
                    }
                });
            }
            let Some(arrived) = arriving.join_next().await else { break };
            let (mut client, after) = arrived??;
            took.add(after);
            inside.spawn_local(async move { while client.hear().await.is_ok() {} });
        }
        let all = begun.elapsed().as_secs_f64();
        Ok(Arrival { all, p99: took.percentile(99.0), people: inside })
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
