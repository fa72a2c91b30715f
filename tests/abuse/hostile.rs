//! Two hundred who mean harm, each from an address of their own: twenty-five of each kind.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, LazyLock, Mutex},
    thread,
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _, future::join_all};
use rand::RngExt as _;
use reqwest::{Method, RequestBuilder, header};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
    time::{interval, sleep, timeout},
};
use tokio_tungstenite::{client_async, tungstenite::Message};

use crate::{
    common::{
        Browser, gifs,
        socket::{handshake, stream_from},
    },
    good::{browser_from, sit_down, visit},
    step_back,
};

/// What each kind got, and how often.
pub type Suffered = BTreeMap<&'static str, BTreeMap<String, u64>>;

const OF_EACH_KIND: u8 = 25;
/// Connections that each of those holds who hold some.
const HELD: usize = 64;
/// Requests that each of those makes at the same time who make them as fast as they can.
const AT_ONCE: usize = 4;

#[derive(Debug, Clone, Copy)]
enum Kind {
    SlowLoris,
    HandshakeFlood,
    RoomFlood,
    PasswordGuessing,
    UploadFlood,
    FrameFlood,
    HugeRoomNames,
    HalfOpenSockets,
}

const KINDS: [(Kind, &str); 8] = [
    (Kind::SlowLoris, "slow-loris"),
    (Kind::HandshakeFlood, "handshake flood"),
    (Kind::RoomFlood, "room flood"),
    (Kind::PasswordGuessing, "password guessing"),
    (Kind::UploadFlood, "upload flood"),
    (Kind::FrameFlood, "frame flood"),
    (Kind::HugeRoomNames, "huge room names"),
    (Kind::HalfOpenSockets, "half-open sockets"),
];

/// What is decoded for long, what is large, and what is no GIF.
static FILES: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
    let noise = [b"GIF89a".as_slice(), &[0x7e; 1 << 20]].concat();
    [gifs::bomb(), gifs::of_bytes(gifs::FIVE_MIB), noise]
});

/// All of them, ready.
pub struct Hostiles {
    all: Vec<Hostile>,
    suffered: Arc<Mutex<Suffered>>,
}

/// All of them at work, on a thread of their own.
pub struct Attack {
    stop: oneshot::Sender<()>,
    thread: thread::JoinHandle<()>,
    suffered: Arc<Mutex<Suffered>>,
}

impl Hostiles {
    /// Makes what takes long to make, before anybody counts time. `rooms` are those of the good ones; the first
    /// has a password. With `ONLY` set, there are none but of that kind.
    pub fn prepare(server: SocketAddr, rooms: &[String]) -> Self {
        LazyLock::force(&FILES);
        let suffered = Arc::<Mutex<Suffered>>::default();
        let only = std::env::var("ONLY").ok();
        let wanted = |hostile: &Hostile| only.as_deref().is_none_or(|only| only == hostile.name);
        let all = everybody(server, &rooms[0], &suffered).filter(wanted).collect();
        Self { all, suffered }
    }

    pub fn attack(self) -> Attack {
        let (stop, stopped) = oneshot::channel();
        let Self { all, suffered } = self;
        let thread = thread::spawn(move || {
            step_back();
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                for hostile in all {
                    tokio::spawn(hostile.attack());
                }
                stopped.await.ok(); // DisconnectOutcome or told: it ends either way.
            });
        });
        Attack { stop, thread, suffered }
    }
}

impl Attack {
    pub fn end(self) -> Suffered {
        self.stop.send(()).ok(); // It has ended already.
        self.thread.join().unwrap();
        self.suffered.lock().unwrap().clone()
    }
}

fn everybody(
    server: SocketAddr,
    room: &str,
    suffered: &Arc<Mutex<Suffered>>,
) -> impl Iterator<Item = Hostile> {
    let kinds = KINDS.iter().flat_map(|kind| (0..OF_EACH_KIND).map(move |number| (kind, number)));
    kinds.zip(1..=u8::MAX).map(move |(((kind, name), number), last)| {
        let from = IpAddr::from(Ipv4Addr::new(127, 0, 1, last));
        Hostile {
            kind: *kind,
            name,
            number,
            server,
            from,
            browser: browser_from(from, server),
            room: room.to_owned(),
            suffered: suffered.clone(),
        }
    })
}

#[derive(Clone)]
struct Hostile {
    kind: Kind,
    name: &'static str,
    number: u8,
    server: SocketAddr,
    from: IpAddr,
    browser: Browser,
    /// A room with a password.
    room: String,
    suffered: Arc<Mutex<Suffered>>,
}

impl Hostile {
    fn got(&self, what: impl Into<String>) {
        let mut suffered = self.suffered.lock().unwrap();
        *suffered.entry(self.name).or_default().entry(what.into()).or_default() += 1;
    }

    async fn attack(self) {
        match self.kind {
            Kind::SlowLoris => self.hold(Self::drip).await,
            Kind::HalfOpenSockets => self.hold(Self::be_silent).await,
            Kind::HandshakeFlood => self.flood(Self::open_handshakes).await,
            Kind::RoomFlood => self.flood(Self::open_rooms).await,
            Kind::PasswordGuessing => self.flood(Self::guess).await,
            Kind::HugeRoomNames => self.flood(Self::send_much).await,
            Kind::UploadFlood => self.flood(Self::upload).await,
            Kind::FrameFlood => self.flood(Self::send_frames).await,
        }
    }

    /// Holds many connections, and opens others for those that are cut off.
    async fn hold(&self, with: impl AsyncFn(&Self, TcpStream) -> String) {
        join_all((0..HELD).map(async |_| {
            loop {
                match stream_from(self.from, self.server).await {
                    Ok(stream) => self.got(with(self, stream).await),
                    Err(_) => self.got("no connection"),
                }
            }
        }))
        .await;
    }

    async fn flood(&self, with: impl AsyncFn(&Self)) {
        join_all((0..AT_ONCE).map(async |_| {
            loop {
                with(self).await;
            }
        }))
        .await;
    }

    /// A header every second, and never the last.
    async fn drip(&self, mut stream: TcpStream) -> String {
        let mut drops = interval(Duration::from_secs(1));
        let mut next = b"GET / HTTP/1.1\r\nHost: chat\r\n".as_slice();
        let mut answer = [0; 64];
        loop {
            tokio::select! {
                _ = drops.tick() => {
                    if stream.write_all(next).await.is_err() {
                        return "cut off".to_owned();
                    }
                    next = b"X-Slow: yes\r\n";
                }
                read = stream.read(&mut answer) => return cut_off(&read, &answer),
            }
        }
    }

    /// Opens a connection, perhaps asks for something large or for a socket, and reads nothing.
    async fn be_silent(&self, mut stream: TcpStream) -> String {
        let asks = match self.number % 3 {
            0 => String::new(),
            1 => "GET /public/x/lib/socket.io.js HTTP/1.1\r\nHost: chat\r\n\r\n".repeat(200),
            _ => {
                let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
                format!(
                    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: chat\r\n{upgrade}"
                )
            }
        };
        if stream.write_all(asks.as_bytes()).await.is_err() {
            return "cut off".to_owned();
        }
        // Whether it is cut off shows without reading, and without taking what is sent.
        let mut begun = false;
        loop {
            sleep(Duration::from_millis(500)).await;
            match timeout(Duration::from_millis(1), stream.peek(&mut [0; 1])).await {
                Ok(Ok(0) | Err(_)) => return "cut off".to_owned(),
                Ok(Ok(_)) if self.number % 3 == 1 && !begun => begun = true,
                Ok(Ok(_)) if self.number % 3 == 1 && stream.write_all(b"\r\n").await.is_err() => {
                    return "cut off while it would not read".to_owned();
                }
                Ok(Ok(_)) if self.number % 3 == 2 => {
                    let mut answer = vec![0; 4096];
                    let read = stream.read(&mut answer).await;
                    if !matches!(read, Ok(1..)) {
                        return cut_off(&read, &answer);
                    }
                }
                Ok(Ok(_)) | Err(_) => {}
            }
        }
    }

    async fn open_handshakes(&self) {
        let browser = self.browser.clone();
        let polling = "/socket.io/?EIO=4&transport=polling";
        for _ in 0..50 {
            self.send(browser.request(Method::GET, polling)).await;
            if let Ok(stream) = stream_from(self.from, self.server).await {
                match client_async(handshake(self.server, &[]), stream).await {
                    Ok(_) => self.got("accepted"),
                    Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => {
                        self.got(answer.status().as_str());
                    }
                    Err(_) => self.got("cut off"),
                }
            }
        }
    }

    /// With a fresh cookie each time.
    async fn open_rooms(&self) {
        let mut browser = self.browser.clone();
        for _ in 0..50 {
            browser.cookie = None;
            visit(&mut browser).await.ok();
            let form = json!({ "title": "flood", "max": 2 });
            self.send(browser.request(Method::POST, "/room").json(&form)).await;
        }
    }

    async fn guess(&self) {
        let browser = self.browser.clone();
        for _ in 0..50 {
            let guess = format!("guess {}", rand::rng().random::<u32>());
            let path = format!("/room/{}/enter", self.room);
            self.send(browser.request(Method::POST, &path).json(&json!({ "password": guess })))
                .await;
        }
    }

    async fn send_much(&self) {
        let browser = self.browser.clone();
        let long = "x".repeat(60 << 10);
        let deep = format!("{{\"title\":{}", "[".repeat(30_000));
        let json = |body: String| {
            let request = browser.request(Method::POST, "/room");
            request.header(header::CONTENT_TYPE, "application/json").body(body)
        };
        self.send(json(json!({ "title": long, "max": 2 }).to_string())).await;
        self.send(json(deep)).await;
        self.send(json("x".repeat(2 << 20))).await;
        self.send(browser.request(Method::GET, &format!("/?q={}", &long[..8_000]))).await;
        self.send(browser.request(Method::GET, &format!("/?q={}", &long[..30_000]))).await;
    }

    async fn upload(&self) {
        let Some((browser, room)) = self.own_room().await else { return };
        let Ok(_seat) = sit_down(&browser, self.from, &room).await else { return };
        for number in 0..50 {
            let file = FILES[number % FILES.len()].clone();
            let part = reqwest::multipart::Part::bytes(file).file_name("a.gif");
            let form = reqwest::multipart::Form::new().part("gif", part);
            let path = format!("/room/{room}/gif");
            self.send(browser.request(Method::POST, &path).multipart(form)).await;
        }
    }

    /// As fast as they are taken; every second one of them does not read what comes back.
    async fn send_frames(&self) {
        let Some((browser, room)) = self.own_room().await else { return };
        let cookie = browser.cookie.clone().unwrap_or_default();
        let Ok(stream) = stream_from(self.from, self.server).await else {
            return self.got("no connection");
        };
        let headers = [("cookie", cookie.as_str())];
        let Ok((stream, _)) = client_async(handshake(self.server, &headers), stream).await else {
            return self.got("refused");
        };
        self.got("accepted");
        let (mut sink, mut source) = stream.split();
        let enter = format!("40/chat,{}", json!({ "room": room }));
        let words = json!(["chat:post", { "chat": "x".repeat(2_000) }]);
        let frames = [
            format!("42/chat,1{words}"),
            "42/chat,[\"typing\",true]".to_owned(),
            format!("42/chat,{}", "[".repeat(60_000)),
            "x".repeat(60_000),
            "42/chat,2[\"chat:get\",{\"limit\":100}]".to_owned(),
            "x".repeat(80_000),
        ];
        let reads = self.number.is_multiple_of(2);
        let reading = async {
            while reads && let Some(Ok(_)) = source.next().await {}
            if !reads {
                std::future::pending::<()>().await;
            }
        };
        let sending = async {
            if sink.send(Message::text(enter)).await.is_err() {
                return;
            }
            // The last is larger than a frame may be; it comes after many that are not.
            for number in 0..5_000_usize {
                let frame = if number == 4_999 { &frames[5] } else { &frames[number % 5] };
                if sink.send(Message::text(frame.clone())).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! { () = sending => {}, () = reading => {} }
        self.got("cut off");
    }

    /// A room of their own to do harm in.
    async fn own_room(&self) -> Option<(Browser, String)> {
        let mut browser = self.browser.clone();
        visit(&mut browser).await.ok()?;
        let form = json!({ "title": "hostile", "max": 2 });
        let made =
            browser.request(Method::POST, "/room").header(header::ACCEPT, "application/json");
        let made = made.json(&form).send().await.ok()?;
        if !made.status().is_success() {
            self.got(format!("no room: {}", made.status().as_u16()));
            // Others at the same address have a turn.
            sleep(Duration::from_millis(100)).await;
            return None;
        }
        let room: serde_json::Value = made.json().await.ok()?;
        Some((browser, room["id"].as_str()?.to_owned()))
    }

    async fn send(&self, request: RequestBuilder) {
        match request.header(header::ACCEPT, "application/json").send().await {
            Ok(answer) => {
                let status = answer.status();
                answer.bytes().await.ok(); // What it says does not matter.
                self.got(status.as_str());
            }
            Err(_) => self.got("cut off"),
        }
    }
}

/// What was said at the end, if anything was.
fn cut_off(read: &std::io::Result<usize>, answer: &[u8]) -> String {
    match read {
        Ok(13..) => String::from_utf8_lossy(&answer[9..12]).into_owned(),
        _ => "cut off".to_owned(),
    }
}
