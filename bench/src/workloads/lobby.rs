//! W4: the lobby is looked at, and watched while people come and go.

use std::{cell::RefCell, collections::HashMap, rc::Rc, time::Duration};

use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{Instant, interval, timeout_at},
};

use crate::{
    Failure,
    client::{Client, Heard},
    measure::Latencies,
    target::Target,
};

/// Readers who load the lobby's page again and again.
const READERS: usize = 20;
const WATCHERS: usize = 200;
/// So many people a second go into a room, and out.
const COMERS_A_SECOND: u64 = 100;

/// What it takes to look at the lobby.
pub struct Pages {
    pub per_second: f64,
    pub p99: f64,
    /// Of one page, as it is sent.
    pub bytes: f64,
}

/// Loads the lobby's page for so long.
pub async fn pages(target: &Target, lasting: Duration) -> Result<Pages, Failure> {
    let until = Instant::now() + lasting;
    let latencies = Rc::new(RefCell::new(Latencies::new()?));
    let bytes = Rc::new(RefCell::new(0));
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let cookie = target.visit().await?;
        let (latencies, bytes) = (latencies.clone(), bytes.clone());
        let page = target.get("/", cookie.as_deref());
        readers.spawn_local(async move {
            while Instant::now() < until {
                let asked = Instant::now();
                let request = page.try_clone().ok_or("a request without a body can be cloned")?;
                let answer = request.send().await?.error_for_status()?.bytes().await?;
                latencies.borrow_mut().add(asked.elapsed());
                *bytes.borrow_mut() = answer.len();
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(reader) = readers.join_next().await {
        reader??;
    }
    let latencies = latencies.borrow();
    Ok(Pages {
        per_second: latencies.count() as f64 / lasting.as_secs_f64(),
        p99: latencies.percentile(99.0),
        bytes: *bytes.borrow() as f64,
    })
}

/// What those who watch the lobby get.
pub struct Watch {
    /// Events that each of them gets, a second.
    pub events: f64,
    /// Events about the liveliest room, a second.
    pub liveliest: f64,
}

/// Lets people come into the rooms and go again, and counts what one who watches hears. `rooms` have
/// a place free.
pub async fn watch(
    target: &Target,
    rooms: &[Rc<str>],
    lasting: Duration,
) -> Result<Watch, Failure> {
    let mut clients = Vec::with_capacity(WATCHERS);
    for _ in 0..WATCHERS {
        let cookie = target.visit().await?;
        let auth = json!({});
        let connecting = Client::connect(target.address, cookie.as_deref(), "/room", &auth);
        clients.push(connecting.await?);
    }
    let until = Instant::now() + lasting;
    let mut watchers = JoinSet::new();
    for client in clients {
        watchers.spawn_local(count_updates(client, until));
    }
    let mut comers = JoinSet::new();
    let mut ticks = interval(Duration::from_secs(1) / u32::try_from(COMERS_A_SECOND)?);
    let mut rooms = rooms.iter().cycle();
    while Instant::now() < until {
        ticks.tick().await;
        let room = rooms.next().ok_or("there are rooms")?.clone();
        let (address, cookie) = (target.address, target.visit().await?);
        comers.spawn_local(async move {
            Client::enter(address, cookie.as_deref(), &room).await?.exit().await
        });
    }
    while let Some(comer) = comers.join_next().await {
        comer??;
    }
    let (mut all, mut liveliest) = (0, 0);
    while let Some(watcher) = watchers.join_next().await {
        let by_room = watcher??;
        all += by_room.values().sum::<u32>();
        liveliest = liveliest.max(by_room.values().copied().max().unwrap_or(0));
    }
    Ok(Watch {
        events: f64::from(all) / WATCHERS as f64 / lasting.as_secs_f64(),
        liveliest: f64::from(liveliest) / lasting.as_secs_f64(),
    })
}

async fn count_updates(
    mut client: Client,
    until: Instant,
) -> Result<HashMap<String, u32>, Failure> {
    let mut by_room = HashMap::new();
    while let Ok(heard) = timeout_at(until, client.hear()).await {
        let Heard::Other(frame) = heard? else { continue };
        let Some(event) = frame.strip_prefix("42/room,") else { continue };
        let (name, room): (String, Value) = serde_json::from_str(event)?;
        if name == "updateRoom" {
            *by_room.entry(room["id"].to_string()).or_default() += 1;
        }
    }
    Ok(by_room)
}
