//! A person with a page: says things, shows what it is told, and does what the page does when the
//! connection or the server fails.

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    checker::{Said, View},
    common::{Browser, Socket, gifs, socket::Heard},
    journal::Journal,
    requests::{self, PATIENCE, id},
};

/// How far a visitor has got, for whoever waits for them.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    pub me: String,
    pub newest: i64,
    pub people: BTreeSet<String>,
    /// Live, and with nothing left to say.
    pub settled: bool,
}

/// When a visitor falls silent, and when they stop.
#[derive(Clone, Default)]
pub struct Orders {
    pub quiet: CancellationToken,
    pub leave: CancellationToken,
}

/// How a page ended.
enum End {
    /// The connection did; the page opens it again.
    Lost,
    Reload,
    Gone,
    Leave,
}

pub struct Visitor {
    pub room: String,
    browser: Browser,
    journal: Arc<Journal>,
    random: StdRng,
    /// What waits to be acknowledged. It outlives a reload.
    outbox: VecDeque<(String, Words)>,
    said: usize,
    view: View,
    seen: HashSet<i64>,
    newest: i64,
    /// What came while something older was fetched.
    held: VecDeque<Heard>,
    progress: watch::Sender<Progress>,
}

#[derive(Clone)]
enum Words {
    Text(String),
    Gif(u16),
}

impl Visitor {
    pub fn new(browser: Browser, room: &str, journal: &Arc<Journal>, seed: u64) -> Self {
        Self {
            room: room.to_owned(),
            browser,
            journal: journal.clone(),
            random: StdRng::seed_from_u64(seed),
            outbox: VecDeque::new(),
            said: 0,
            view: View::default(),
            seen: HashSet::new(),
            newest: 0,
            held: VecDeque::new(),
            progress: watch::Sender::default(),
        }
    }

    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Stays in the room until told to leave, or until there is no room; the seat stays taken.
    pub async fn stay(&mut self, orders: &Orders) {
        loop {
            let end = self.open_page(orders).await;
            self.progress.send_modify(|progress| progress.settled = false);
            let view = std::mem::take(&mut self.view);
            self.journal.viewed(&self.room, view);
            if matches!(end, End::Gone | End::Leave) {
                return;
            }
        }
    }

    /// Gives up the seat, however often it takes.
    pub async fn exit(&self) {
        loop {
            match self.request(Method::POST, "leave").await {
                Some((status, _)) if status != StatusCode::SERVICE_UNAVAILABLE => return,
                _ => sleep(Duration::from_millis(200)).await,
            }
        }
    }

    async fn open_page(&mut self, orders: &Orders) -> End {
        (self.seen, self.newest, self.held) = Default::default();
        let page = loop {
            match self.request(Method::GET, "chat?limit=50").await {
                Some((StatusCode::OK, page)) => break page,
                // Somebody without a seat reads nothing yet.
                Some((StatusCode::FORBIDDEN, _)) => break json!({ "chats": [] }),
                Some((StatusCode::NOT_FOUND, _)) => return End::Gone,
                _ if orders.leave.is_cancelled() => return End::Leave,
                _ => self.pause().await,
            }
        };
        self.show_all(&page["chats"]);
        loop {
            if orders.leave.is_cancelled() {
                return End::Leave;
            }
            let after = (self.newest > 0).then_some(self.newest);
            let auth = json!({ "room": self.room, "after": after });
            let connecting = timeout(PATIENCE, self.browser.try_enter(auth)).await;
            let end = match connecting {
                Ok(Ok(mut socket)) => match self.live(&mut socket, orders).await {
                    Ok(end) | Err(end) => end,
                },
                Ok(Err(code)) if code == "no_such_room" => End::Gone,
                Ok(Err(_)) | Err(_) => End::Lost,
            };
            if !matches!(end, End::Lost) {
                return end;
            }
            self.progress.send_modify(|progress| progress.settled = false);
            self.held.clear();
            self.pause().await;
        }
    }

    async fn pause(&mut self) {
        sleep(Duration::from_millis(self.random.random_range(100..600))).await;
    }

    async fn live(&mut self, socket: &mut Socket, orders: &Orders) -> Result<End, End> {
        let mut welcome_by = Some(Instant::now() + PATIENCE);
        let mut waiting: Option<(u64, Instant)> = None;
        let mut next = Instant::now();
        loop {
            let live = welcome_by.is_none();
            let nothing_to_say = self.outbox.is_empty() && orders.quiet.is_cancelled();
            let settled = live && nothing_to_say && self.held.is_empty();
            self.progress.send_if_modified(|progress| {
                std::mem::replace(&mut progress.settled, settled) != settled
            });
            if let Some(heard) = self.held.pop_front() {
                self.take_in(heard, socket, &mut welcome_by, &mut waiting).await?;
                continue;
            }
            let late = welcome_by.or(waiting.map(|(_, until)| until));
            tokio::select! {
                biased;
                () = orders.leave.cancelled() => return Ok(End::Leave),
                heard = socket.hear() => {
                    let heard = heard.ok_or(End::Lost)?;
                    self.take_in(heard, socket, &mut welcome_by, &mut waiting).await?;
                }
                () = sleep_until(next), if live && waiting.is_none() && !nothing_to_say => {
                    let pause = self.random.random_range(20..300);
                    let hurry = self.journal.hurry.load(Ordering::Relaxed);
                    next = Instant::now() + Duration::from_millis(if hurry { 0 } else { pause });
                    if self.random.random_bool(0.01) {
                        return Ok(End::Reload);
                    }
                    waiting = self.say_next(socket).await?;
                }
                () = sleep_until(late.unwrap_or(next)), if late.is_some() => return Ok(End::Reload),
            }
        }
    }

    /// Sends the oldest of what waits, or something new.
    async fn say_next(&mut self, socket: &mut Socket) -> Result<Option<(u64, Instant)>, End> {
        if self.outbox.is_empty() {
            self.said += 1;
            let name = format!("{:08x}-{}", self.random.random::<u32>(), self.said);
            let words = match self.random.random_range(0..100) {
                0 => Words::Gif(self.random.random_range(1..100)),
                1..5 => Words::Text(format!("{name} {}", "가".repeat(1_900))),
                _ => Words::Text(name.clone()),
            };
            self.outbox.push_back((name, words));
            self.journal.talk.send_modify(|talk| talk.posts += 1);
        }
        let (name, words) = self.outbox[0].clone();
        match words {
            Words::Text(text) => {
                let post = json!({ "chat": text, "clientId": name });
                let asked = timeout(PATIENCE, socket.try_ask_now("chat:post", post)).await;
                let asked = asked.map_err(|_| End::Lost)?.map_err(|_| End::Lost)?;
                Ok(Some((asked, Instant::now() + PATIENCE)))
            }
            Words::Gif(width) => {
                let file = gifs::animation(width, 4, 2);
                let upload = self.browser.try_upload_as(&self.room, file, Some(&name));
                if let Ok(Some((status, chat))) = timeout(PATIENCE, upload).await {
                    let ok = status == StatusCode::CREATED;
                    let code = chat["error"]["code"].as_str().unwrap_or_default().to_owned();
                    self.answered(if ok { Ok(&chat) } else { Err(&code) })?;
                }
                Ok(None)
            }
        }
    }

    fn answered(&mut self, outcome: Result<&Value, &str>) -> Result<(), End> {
        match outcome {
            Ok(chat) => {
                self.outbox.pop_front();
                let me = self.progress.borrow().me.clone();
                self.journal.acknowledged(&self.room, &me, chat);
                Ok(())
            }
            // It is sent again.
            Err("unavailable" | "restarting") => Ok(()),
            Err("not_in_room") => Err(End::Lost),
            Err("no_such_room") => Err(End::Gone),
            Err(code) => {
                self.journal.unexpected.lock().unwrap().push(code.to_owned());
                Ok(())
            }
        }
    }

    async fn take_in(
        &mut self,
        heard: Heard,
        socket: &mut Socket,
        welcome_by: &mut Option<Instant>,
        waiting: &mut Option<(u64, Instant)>,
    ) -> Result<(), End> {
        let (event, data) = match heard {
            Heard::Answer(asked, reply) => {
                if waiting.take_if(|(awaited, _)| *awaited == asked).is_none() {
                    return Ok(());
                }
                let ok = reply["ok"] == true;
                let code = reply["error"]["code"].as_str().unwrap_or_default();
                return self.answered(if ok { Ok(&reply["data"]) } else { Err(code) });
            }
            Heard::Event(event, data) => (event, data),
        };
        match event.as_str() {
            "welcome" => {
                let people = data["people"].as_array().unwrap().iter().map(id).collect();
                let me = id(&data["you"]);
                self.progress.send_modify(|progress| {
                    progress.people = people;
                    progress.me = me;
                });
                let was_empty = self.newest == 0;
                self.show_all(&data["chats"]);
                // A page that began empty has got the newest; there are more before them.
                if data["more"] == true && !was_empty {
                    self.catch_up(socket).await?;
                }
                *welcome_by = None;
            }
            "chat" => self.accept(&data, socket).await?,
            "join" | "exit" => {
                let person = id(&data["person"]);
                self.progress.send_modify(|progress| {
                    if event == "join" {
                        progress.people.insert(person);
                    } else {
                        progress.people.remove(&person);
                    }
                });
                self.accept(&data["chat"], socket).await?;
            }
            "head" if data["seq"].as_i64().unwrap() > self.newest => self.catch_up(socket).await?,
            "removeRoom" => return Err(End::Gone),
            _ => {}
        }
        Ok(())
    }

    async fn accept(&mut self, chat: &Value, socket: &mut Socket) -> Result<(), End> {
        if chat["prev"].as_i64().unwrap() > self.newest {
            self.catch_up(socket).await?;
        }
        self.show(chat);
        Ok(())
    }

    /// Asks for what was said after the newest that is shown. What comes meanwhile waits.
    async fn catch_up(&mut self, socket: &mut Socket) -> Result<(), End> {
        loop {
            let window = json!({ "after": self.newest, "limit": 100 });
            let asked = socket.try_ask_now("chat:get", window).await.map_err(|_| End::Lost)?;
            let answer = async {
                loop {
                    match socket.hear().await? {
                        Heard::Answer(id, reply) if id == asked => return Some(reply),
                        other => self.held.push_back(other),
                    }
                }
            };
            let reply = timeout(PATIENCE, answer).await.map_err(|_| End::Reload)?;
            let reply = reply.ok_or(End::Lost)?;
            if reply["ok"] != true {
                return Err(End::Lost);
            }
            self.show_all(&reply["data"]["chats"]);
            if reply["data"]["more"] != true {
                return Ok(());
            }
        }
    }

    fn show_all(&mut self, chats: &Value) {
        for chat in chats.as_array().unwrap() {
            self.show(chat);
        }
    }

    /// Whatever is shown follows on what is shown already.
    fn show(&mut self, chat: &Value) {
        let said = Said::of(chat);
        if !self.seen.insert(said.seq) {
            return;
        }
        self.newest = self.newest.max(said.seq);
        self.view.complete_to = self.newest;
        self.view.shown.push(said);
        self.progress.send_modify(|progress| progress.newest = self.newest);
    }

    /// The answer, if there is one.
    async fn request(&self, method: Method, path: &str) -> Option<(StatusCode, Value)> {
        requests::request(&self.browser, method, &format!("/room/{}/{path}", self.room), None).await
    }
}
