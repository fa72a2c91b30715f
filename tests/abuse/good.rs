//! Fifty people in five rooms, who say something every few seconds, and look into the lobby now and then.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use rand::RngExt as _;
use reqwest::{Client, header, redirect::Policy};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use crate::common::{Browser, Socket, socket::Heard};

pub const ROOMS: usize = 5;
pub const PEOPLE_OF_A_ROOM: usize = 10;
/// Somebody says something every three seconds or so.
const PAUSE: std::ops::Range<u64> = 2_000..4_000;
/// And looks at a page as often, in words.
const PAGES: Duration = Duration::from_secs(8);

/// When something was to be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Alone,
    Attacked,
}

/// The times of a run. What is said names its moment by it.
pub struct Clock {
    begun: Instant,
    attacked: Instant,
    ended: Instant,
}

impl Clock {
    pub fn new(begun: Instant, attacked: Instant, ended: Instant) -> Self {
        Self { begun, attacked, ended }
    }

    fn words(&self, at: Instant) -> String {
        (at - self.begun).as_micros().to_string()
    }

    fn moment(&self, words: &str) -> Option<Instant> {
        Some(self.begun + Duration::from_micros(words.parse().ok()?))
    }

    fn phase(&self, at: Instant) -> Phase {
        if at < self.attacked { Phase::Alone } else { Phase::Attacked }
    }
}

/// How long a message took to one person.
#[derive(Clone, Copy)]
struct Latency {
    said: Instant,
    phase: Phase,
    took: Duration,
}

/// What the good ones felt.
#[derive(Default)]
pub struct Felt {
    latencies: Mutex<Vec<Latency>>,
    turned_away: Mutex<BTreeMap<String, u64>>,
}

impl Felt {
    /// From when each message should have been sent until each person in its room had it.
    pub fn latencies(&self, phase: Phase) -> Vec<Duration> {
        self.sorted(|latency| latency.phase == phase)
    }

    /// The same of what was said in this time.
    pub fn latencies_between(&self, from: Instant, to: Instant) -> Vec<Duration> {
        self.sorted(|latency| (from..to).contains(&latency.said))
    }

    fn sorted(&self, of: impl Fn(&Latency) -> bool) -> Vec<Duration> {
        let all = self.latencies.lock().unwrap();
        let mut found: Vec<_> =
            all.iter().filter(|latency| of(latency)).map(|latency| latency.took).collect();
        found.sort_unstable();
        found
    }

    pub fn turned_away(&self) -> BTreeMap<String, u64> {
        self.turned_away.lock().unwrap().clone()
    }

    fn refused(&self, how: impl Into<String>) {
        *self.turned_away.lock().unwrap().entry(how.into()).or_default() += 1;
    }
}

/// Somebody who talks, from an address of their own.
pub struct Person {
    browser: Browser,
    socket: Socket,
}

/// A client that comes from an address of this machine.
pub fn browser_from(from: IpAddr, address: SocketAddr) -> Browser {
    huechat::choose_tls();
    // Nothing here is encrypted; reading the system's certificates hundreds of times takes seconds.
    let client = Client::builder()
        .tls_certs_only([])
        .local_address(from)
        .redirect(Policy::none())
        .no_proxy();
    let client = client.timeout(Duration::from_secs(30)).build().unwrap();
    Browser { address, cookie: None, client }
}

/// Opens the first page, for its cookie.
pub async fn visit(browser: &mut Browser) -> Result<(), reqwest::Error> {
    let page = browser.request(reqwest::Method::GET, "/").send().await?;
    let set = page.headers().get(header::SET_COOKIE).and_then(|set| set.to_str().ok());
    browser.cookie = set.and_then(|set| set.split(';').next()).map(ToOwned::to_owned);
    Ok(())
}

/// Takes a seat in a room.
pub async fn sit_down(browser: &Browser, from: IpAddr, room: &str) -> Result<Socket, String> {
    let cookie = browser.cookie.as_deref().unwrap_or_default();
    let auth = json!({ "room": room });
    Socket::connect_from(from, browser.address, &[("cookie", cookie)], "/chat", auth).await
}

/// The rooms, and everybody in them. The first room has a password, which its people know.
pub async fn gather(address: SocketAddr, felt: &Felt) -> (Vec<String>, Vec<Person>) {
    let (mut rooms, mut people) = (Vec::new(), Vec::new());
    for number in 0..ROOMS * PEOPLE_OF_A_ROOM {
        let last = u8::try_from(number + 1).unwrap();
        let from = IpAddr::from(Ipv4Addr::new(127, 0, 2, last));
        let mut browser = browser_from(from, address);
        visit(&mut browser).await.unwrap();
        if number % PEOPLE_OF_A_ROOM == 0 {
            let mut form = json!({ "title": format!("tea {number}"), "max": 20 });
            if number == 0 {
                form["password"] = "sesame".into();
            }
            rooms.push(browser.create(&form).await);
        }
        let room = &rooms[number / PEOPLE_OF_A_ROOM];
        if number < PEOPLE_OF_A_ROOM {
            let unlocked =
                browser.post_form(&format!("/room/{room}/enter"), &[("password", "sesame")]).await;
            assert_eq!(unlocked.status(), 303);
        }
        match sit_down(&browser, from, room).await {
            Ok(socket) => people.push(Person { browser, socket }),
            Err(code) => felt.refused(code),
        }
    }
    (rooms, people)
}

impl Person {
    /// Talks until the end of the run, and listens a little longer.
    pub async fn talk(mut self, clock: Arc<Clock>, until: Instant, felt: Arc<Felt>) {
        let pause = || Duration::from_millis(rand::rng().random_range(PAUSE));
        let looking = tokio::spawn(look_around(self.browser.clone(), clock.ended, felt.clone()));
        let mut next = Instant::now() + pause().mul_f64(rand::rng().random_range(0.0..1.0));
        loop {
            tokio::select! {
                () = sleep_until(until) => break,
                () = sleep_until(next), if next < clock.ended => {
                    // From when it should have been said: whoever is held up does not count that away.
                    let said = json!({ "chat": clock.words(next), "clientId": clock.words(next) });
                    if self.socket.try_ask_now("chat:post", said).await.is_err() {
                        felt.refused("cut off");
                        break;
                    }
                    next += pause();
                }
                heard = self.socket.hear() => match heard {
                    Some(Heard::Event(event, data)) => hear(&event, &data, &clock, &felt),
                    Some(Heard::Answer(_, reply)) if reply["ok"] == true => {}
                    Some(Heard::Answer(_, reply)) => {
                        felt.refused(reply["error"]["code"].as_str().unwrap_or("nameless"));
                    }
                    None => {
                        felt.refused("cut off");
                        break;
                    }
                }
            }
        }
        looking.await.unwrap();
    }
}

fn hear(event: &str, data: &Value, clock: &Clock, felt: &Felt) {
    match event {
        "chat" => {
            let Some(said) = data["chat"].as_str().and_then(|words| clock.moment(words)) else {
                return;
            };
            let took = Instant::now().saturating_duration_since(said);
            felt.latencies.lock().unwrap().push(Latency { said, phase: clock.phase(said), took });
        }
        "error" => felt.refused(data["code"].as_str().unwrap_or("nameless")),
        _ => {}
    }
}

/// Looks into the lobby now and then.
async fn look_around(browser: Browser, until: Instant, felt: Arc<Felt>) {
    let mut next = Instant::now() + PAGES.mul_f64(rand::rng().random_range(0.0..1.0));
    while next < until {
        sleep_until(next).await;
        match browser.request(reqwest::Method::GET, "/").send().await {
            Ok(page) if page.status().is_success() => {}
            Ok(page) => felt.refused(format!("a page: {}", page.status())),
            Err(_) => felt.refused("a page: none"),
        }
        next += PAGES;
    }
}
