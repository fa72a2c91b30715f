//! W1 and W2: people talk.

use std::{cell::RefCell, rc::Rc, time::Duration};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{
    Failure,
    client::{Client, Heard},
    measure::Latencies,
    target::Target,
};

/// What people hear while they talk.
#[derive(Debug, Clone, Copy)]
pub struct Talk {
    /// Messages that reached somebody, each second.
    pub delivered: f64,
    /// Posts that were acknowledged, each second.
    pub acknowledged: f64,
    /// From when a message was due to when it was heard, in milliseconds.
    pub p50: f64,
    pub p99: f64,
    /// Share of the server's core, from 0 to 1.
    pub cpu: f64,
}

impl Talk {
    fn keeps_up(&self, rate: u32) -> bool {
        self.p99 < SOON_ENOUGH && self.acknowledged >= 0.95 * f64::from(rate)
    }
}

/// Shared by everybody in a measurement; one thread runs them all.
struct Tally {
    epoch: Instant,
    from: Instant,
    until: Instant,
    heard: RefCell<Latencies>,
    acknowledged: RefCell<u64>,
}

impl Tally {
    fn counts(&self, now: Instant) -> bool {
        self.from <= now && now < self.until
    }

    fn heard(&self, due: u64) {
        let now = Instant::now();
        if self.counts(now) {
            let took = now.duration_since(self.epoch).saturating_sub(Duration::from_micros(due));
            self.heard.borrow_mut().add(took);
        }
    }
}

/// When posts are made.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    /// Each speaker posts as soon as the last post is acknowledged.
    Closed,
    /// All speakers together post so many a second, whatever comes of it.
    Open(f64),
}

/// How the highest rate is looked for that people hear soon enough.
#[derive(Debug, Clone, Copy)]
pub struct Climb {
    /// Posts a second in all rooms.
    pub first: u32,
    /// Each rate is so many times the one before it, until one is too much.
    pub times: u32,
    /// How often the gap between the last rate and the first that is too much is halved then.
    pub halvings: u32,
}

/// What the p99 has to stay below, in milliseconds.
const SOON_ENOUGH: f64 = 50.0;
/// A rate is too much when it was so often in a row: a machine may stumble.
const TRIES: usize = 2;

/// Rooms with people in them.
pub struct Rooms {
    epoch: Instant,
    rooms: Vec<Vec<Client>>,
}

impl Rooms {
    /// Opens rooms of so many people each.
    pub async fn fill(target: &Target, rooms: usize, people: usize) -> Result<Self, Failure> {
        let (stop, stopped) = watch::channel(false);
        let mut listening = JoinSet::new();
        for n in 0..rooms {
            let opener = target.visit().await?;
            let max = u32::try_from(people + 1)?;
            let id = target.open(opener.as_deref(), &format!("room {n}"), max.max(2)).await?;
            let mut cookie = opener;
            for member in 0..people {
                if member > 0 {
                    cookie = target.visit().await?;
                }
                let client = Client::enter(target.address, cookie.as_deref(), &id).await?;
                // Whoever is there already hears of those who come.
                let listener = listen(client, stopped.clone());
                listening.spawn_local(async move { Ok::<_, Failure>((n, listener.await?)) });
            }
        }
        stop.send(true).ok(); // Everybody has gone.
        let mut all: Vec<Vec<Client>> = (0..rooms).map(|_| Vec::with_capacity(people)).collect();
        while let Some(listener) = listening.join_next().await {
            let (room, client) = listener??;
            all[room].push(client);
        }
        Ok(Self { epoch: Instant::now(), rooms: all })
    }

    /// Lets one speak in each room, faster and faster, until it is too much. Gives the most that was
    /// delivered a second, and what people heard at each rate.
    pub async fn climb(
        &mut self,
        target: &Target,
        climb: Climb,
        warm_up: Duration,
        lasting: Duration,
    ) -> Result<(f64, Vec<(u32, Talk)>), Failure> {
        let (mut kept_up, mut highest) = (0, 0.0);
        let (mut too_much, mut halvings) = (None, climb.halvings);
        let mut steps = Vec::new();
        let mut rate = climb.first;
        loop {
            let pace = Pace::Open(f64::from(rate));
            let mut tries = 0;
            let talk = loop {
                tries += 1;
                let talk = self.talk(target, 1, pace, warm_up, lasting).await?;
                if talk.keeps_up(rate) || tries == TRIES {
                    break talk;
                }
            };
            steps.push((rate, talk));
            if talk.keeps_up(rate) {
                (kept_up, highest) = (rate, talk.delivered);
            } else {
                too_much = Some(rate);
            }
            rate = match too_much {
                None => rate * climb.times,
                Some(_) if halvings == 0 => return Ok((highest, steps)),
                Some(too_much) => {
                    halvings -= 1;
                    kept_up.midpoint(too_much)
                }
            };
        }
    }

    /// Lets `speakers` of each room talk, and everybody listen, for so long after a while to warm up.
    pub async fn talk(
        &mut self,
        target: &Target,
        speakers: usize,
        pace: Pace,
        warm_up: Duration,
        lasting: Duration,
    ) -> Result<Talk, Failure> {
        let (epoch, now) = (self.epoch, Instant::now());
        let from = now + warm_up;
        let tally = Rc::new(Tally {
            epoch,
            from,
            until: from + lasting,
            heard: RefCell::new(Latencies::new()?),
            acknowledged: RefCell::new(0),
        });
        let all_speakers = (self.rooms.len() * speakers) as f64;
        let (stop, stopped) = watch::channel(false);
        let mut people = JoinSet::new();
        let mut nth = 0.0;
        for (number, room) in self.rooms.iter_mut().enumerate() {
            for (n, client) in room.drain(..).enumerate() {
                let speech = (n < speakers).then(|| match pace {
                    Pace::Closed => Speech { next: now, every: None },
                    Pace::Open(rate) => {
                        nth += 1.0;
                        let every = Duration::from_secs_f64(all_speakers / rate);
                        Speech { next: now + every.mul_f64(nth / all_speakers), every: Some(every) }
                    }
                });
                let part = take_part(client, speech, tally.clone(), stopped.clone());
                people.spawn_local(async move { Ok::<_, Failure>((number, part.await?)) });
            }
        }
        sleep_until(tally.from).await;
        let before = target.process.cpu()?;
        sleep_until(tally.until).await;
        let cpu = (target.process.cpu()? - before) / lasting.as_secs_f64();
        stop.send(true).ok(); // Everybody has gone.
        while let Some(person) = people.join_next().await {
            let (number, client) = person??;
            self.rooms[number].push(client);
        }
        let heard = tally.heard.borrow();
        Ok(Talk {
            delivered: heard.count() as f64 / lasting.as_secs_f64(),
            acknowledged: *tally.acknowledged.borrow() as f64 / lasting.as_secs_f64(),
            p50: heard.percentile(50.0),
            p99: heard.percentile(99.0),
            cpu,
        })
    }
}

/// When somebody posts next.
struct Speech {
    next: Instant,
    /// Without it, as soon as the last one is acknowledged.
    every: Option<Duration>,
}

/// Hears and forgets, until told to stop.
async fn listen(mut client: Client, mut stopped: watch::Receiver<bool>) -> Result<Client, Failure> {
    loop {
        tokio::select! {
            biased;
            _ = stopped.changed() => return Ok(client),
            heard = client.hear() => drop(heard?),
        }
    }
}

async fn take_part(
    mut client: Client,
    mut speech: Option<Speech>,
    tally: Rc<Tally>,
    mut stopped: watch::Receiver<bool>,
) -> Result<Client, Failure> {
    let mut waiting = false;
    loop {
        let due =
            speech.as_ref().filter(|speech| speech.every.is_some() || !waiting).map(|s| s.next);
        tokio::select! {
            biased;
            _ = stopped.changed() => return Ok(client),
            () = sleep_until(due.unwrap_or(tally.until)), if due.is_some() => {
                let Some(speech) = &mut speech else { continue };
                if let Some(every) = speech.every {
                    client.say(tally.epoch, speech.next).await?;
                    speech.next += every;
                } else {
                    client.say(tally.epoch, Instant::now()).await?;
                    waiting = true;
                }
            }
            heard = client.hear() => match heard? {
                Heard::Chat { due } => tally.heard(due),
                Heard::Answer { ok } => {
                    waiting = false;
                    if ok && tally.counts(Instant::now()) {
                        *tally.acknowledged.borrow_mut() += 1;
                    }
                }
                Heard::Other(_) => {}
            },
        }
    }
}
