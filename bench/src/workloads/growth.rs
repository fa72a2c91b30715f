//! W7: how the cost of one thing grows with how much there is of others.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    Failure,
    client::{Client, Heard},
    measure::Latencies,
    target::Target,
    workloads::talk::{Pace, Rooms},
};

/// Posts under way while a history is filled.
const AT_ONCE: u64 = 128;
/// How often something is done to know how long it takes.
const TRIES: usize = 100;

/// What a delivered message costs the server in a room of so many, in microseconds of its processor.
pub async fn cost_of_a_message(
    target: &Target,
    members: usize,
    lasting: Duration,
) -> Result<f64, Failure> {
    let mut rooms = Rooms::fill(target, 1, members).await?;
    let speakers = members.min(10);
    let talk = rooms.talk(target, speakers, Pace::Closed, lasting / 4, lasting).await?;
    Ok(1e6 * talk.cpu / talk.delivered)
}

/// A room with a history that grows.
pub struct Room {
    id: String,
    host: Client,
    cookie: Option<String>,
    said: u64,
}

/// What one does in a room takes, in milliseconds, as the middle of many tries.
pub struct Effort {
    pub entering: f64,
    pub page: f64,
}

impl Room {
    pub async fn open(target: &Target) -> Result<Self, Failure> {
        let cookie = target.visit().await?;
        let id = target.open(cookie.as_deref(), "long", 500).await?;
        let host = Client::enter(target.address, cookie.as_deref(), &id).await?;
        Ok(Self { id, host, cookie, said: 0 })
    }

    /// Lets its host say so much that there are so many messages.
    pub async fn grow(&mut self, messages: u64) -> Result<(), Failure> {
        let epoch = Instant::now();
        let (mut asked, mut answered) = (self.said, self.said);
        while answered < messages {
            while asked < messages && asked - answered < AT_ONCE {
                self.host.say(epoch, Instant::now()).await?;
                asked += 1;
            }
            match self.host.hear().await? {
                Heard::Answer { ok: true } => answered += 1,
                Heard::Answer { ok: false } => return Err("a post was refused".into()),
                Heard::Chat { .. } | Heard::Other(_) => {}
            }
        }
        self.said = messages;
        Ok(())
    }

    /// Enters, and reads a page from the middle, again and again.
    pub async fn effort(&self, target: &Target) -> Result<Effort, Failure> {
        let (mut entering, mut page) = (Latencies::new()?, Latencies::new()?);
        let path = format!("/room/{}/chat?before={}&limit=50", self.id, self.said / 2 + 2);
        for _ in 0..TRIES {
            let somebody = target.visit().await?;
            let knocked = Instant::now();
            let guest = Client::enter(target.address, somebody.as_deref(), &self.id).await?;
            entering.add(knocked.elapsed());
            guest.exit().await?;
            let asked = Instant::now();
            let request = target.get(&path, self.cookie.as_deref());
            request.send().await?.error_for_status()?.bytes().await?;
            page.add(asked.elapsed());
        }
        Ok(Effort { entering: entering.percentile(50.0), page: page.percentile(50.0) })
    }
}
