//! Every event, op and route, flooded for a while by four clients beside people who talk.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    thread::{self, JoinHandle},
    time::Duration,
};

use futures_util::future::join_all;
use huechat::{
    protocol::{CHAT, Event, LOBBY, client_events, frames},
    web::{
        operation::Operation,
        operations::{self},
    },
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::{
    common::{Socket, bot::Bot},
    good::{browser_from, visit},
    step_back,
};

/// Clients that flood at the same time, each from an address of its own.
const FLOODERS: u8 = 4;
/// Pause of a client before it connects again.
const PAUSE: Duration = Duration::from_millis(20);

/// What is flooded.
#[derive(Clone, Copy)]
pub enum Target {
    Event(&'static str, &'static str),
    Op(&'static str),
    Route(&'static Operation),
}

impl Target {
    /// Everything that a client can send.
    pub fn all() -> Vec<Self> {
        let of_event = |event: Event| {
            event.namespaces.iter().map(move |namespace| Self::Event(namespace, event.name))
        };
        let events = client_events::all().into_iter().flat_map(of_event);
        let ops = frames::client_events::all().into_iter().map(|frame| Self::Op(frame.op));
        events.chain(ops).chain(operations::ALL.iter().map(Self::Route)).collect()
    }

    pub fn name(self) -> String {
        match self {
            Self::Event(namespace, event) => format!("{namespace} {event}"),
            Self::Op(op) => format!("gateway {op}"),
            Self::Route(operation) => format!("{} {}", operation.method, operation.path),
        }
    }

    /// Sends it as fast as it goes, without waiting for answers to events and ops.
    async fn flood(self, server: SocketAddr, from: IpAddr) -> Option<()> {
        let mut browser = browser_from(from, server);
        visit(&mut browser).await.ok()?;
        match self {
            Self::Event(namespace, event) => {
                let (status, room) =
                    browser.post_json("/room", &json!({ "title": "flood", "max": 9 })).await;
                let auth =
                    if status.is_success() { json!({ "room": room["id"] }) } else { json!({}) };
                let cookie = browser.cookie.as_deref().unwrap_or_default();
                let headers = [("cookie", cookie)];
                let mut socket =
                    Socket::connect_from(from, server, &headers, namespace, auth).await.ok()?;
                loop {
                    socket.try_ask_now(event, data()).await.ok()?;
                }
            }
            Self::Op(op) => {
                let (mut bot, _) = Bot::with_token(server, &browser.make_token().await).await;
                let frame = json!({ "op": op, "d": data() }).to_string();
                loop {
                    bot.try_send(frame.clone().into()).await.ok()?;
                }
            }
            Self::Route(operation) => loop {
                let asked = browser.operation(operation).json(&data()).send().await.ok()?;
                asked.bytes().await.ok()?;
            },
        }
    }
}

/// Has every field that any event, op or route knows, so that most of them do something.
fn data() -> Value {
    json!({
        "id": "aaaaaaaaaaaaaaaa", "room": "aaaaaaaaaaaaaaaa", "seq": 1, "title": "flood", "max": 9,
        "chat": "flood", "content": "flood", "clientId": rand::random::<u32>().to_string(),
        "to": "aaaaaaaaaaaa", "theme": "dark", "password": "flood", "token": "flood",
    })
}

/// Floods one target after another, each for `each`, from `begun` on, on a thread of its own.
pub fn flood_all(server: SocketAddr, begun: Instant, each: Duration) -> JoinHandle<()> {
    assert!([LOBBY, CHAT].iter().all(|namespace| {
        Target::all().iter().any(|target| matches!(target, Target::Event(of, _) if of == namespace))
    }));
    thread::spawn(move || {
        step_back();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut end = begun;
            for (nth, target) in (1..=u8::MAX).zip(Target::all()) {
                sleep_until(end).await;
                end += each;
                let floods = (0..FLOODERS).map(async |number| {
                    let from = IpAddr::from(Ipv4Addr::new(127, 0, 10 + number, nth));
                    loop {
                        target.flood(server, from).await; // It was cut off, or refused.
                        sleep(PAUSE).await;
                    }
                });
                timeout_at(end, join_all(floods)).await.ok(); // Its time is over.
            }
        });
    })
}
