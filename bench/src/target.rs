//! What is measured: the product, the peer, the limit, each as a process of its own on one core.

use std::{
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use clap::ValueEnum;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::{Instant, timeout},
};

use crate::{Failure, measure::Process};

/// The core of the servers; the generator and the stores are on the other.
const CORE: &str = "0";
const START: Duration = Duration::from_secs(60);

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Kind {
    /// Huechat on its embedded store.
    Huechat,
    /// Huechat on MongoDB.
    HuechatMongo,
    /// The peer on MongoDB.
    Peer,
    /// The peer, which keeps everything in memory.
    PeerMemory,
    /// The libraries that Huechat is built on, by themselves.
    Stack,
    /// A bare server.
    Limit,
}

impl Kind {
    /// What tables and plots call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Huechat => "Huechat, embedded",
            Self::HuechatMongo => "Huechat, MongoDB",
            Self::Peer => "peer, MongoDB",
            Self::PeerMemory => "peer, memory",
            Self::Stack => "stack alone",
            Self::Limit => "limit",
        }
    }

    /// Whether it knows people and rooms, and does not take whatever it is told.
    fn knows_people(self) -> bool {
        !matches!(self, Self::Stack | Self::Limit)
    }

    fn on_mongodb(self) -> bool {
        matches!(self, Self::HuechatMongo | Self::Peer)
    }
}

/// A server that runs, and goes when it is dropped.
pub struct Target {
    pub kind: Kind,
    pub address: SocketAddr,
    pub process: Process,
    /// From being called to listening.
    pub start: Duration,
    client: reqwest::Client,
    _child: Child,
    _store: Option<Child>,
    _folder: TempDir,
}

/// Where the programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    pub huechat: PathBuf,
    pub stack: PathBuf,
    pub limit: PathBuf,
    pub peer: PathBuf,
    pub mongodb: PathBuf,
}

impl Target {
    pub async fn start(kind: Kind, programs: &Programs) -> Result<Self, Failure> {
        let folder = TempDir::new()?;
        let mut command = Command::new("taskset");
        command.args(["-c", CORE]);
        match kind {
            Kind::Huechat | Kind::HuechatMongo => command.arg(&programs.huechat).arg("serve"),
            Kind::Stack => command.arg(&programs.stack),
            Kind::Limit => command.arg(&programs.limit),
            Kind::Peer | Kind::PeerMemory => command.arg("node").arg(&programs.peer),
        };
        for rate in [
            "ROOMS",
            "ENTERING",
            "PASSWORDS",
            "CHATS",
            "GIFS",
            "GIF_KIB",
            "READS",
            "EVENTS",
            "REQUESTS",
            "HANDSHAKES",
            "SESSIONS",
        ] {
            command.env(format!("RATE_{rate}"), "off");
        }
        command
            .env("HOST", "127.0.0.1")
            .env("PORT", "0")
            .env("MAX_ROOMS", "100000")
            .env("MAX_ROOM_CAPACITY", "5000")
            .env("MAX_CHATS_PER_ROOM", "off") // W7 fills a room with a million.
            .env("DATA_DIR", folder.path().join("data"))
            .env("UPLOADS_URL", folder.path().join("uploads"))
            .env("NODE_ENV", "production")
            .env("COOKIE_SECRET", "0123456789abcdef0123456789abcdef");
        let store = if kind.on_mongodb() {
            let (store, uri) = start_mongodb(&programs.mongodb, folder.path()).await?;
            command.env("MONGODB_URI", uri);
            Some(store)
        } else {
            None
        };
        if kind == Kind::PeerMemory {
            command.env("STORE", "off");
        }
        let called = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let address = listening(&mut child).await?;
        let start = called.elapsed();
        let process = Process(child.id().ok_or("it has ended")?);
        let client = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self {
            kind,
            address,
            process,
            start,
            client,
            _child: child,
            _store: store,
            _folder: folder,
        })
    }

    /// Somebody new: their cookie, where people are known.
    pub async fn visit(&self) -> Result<Option<String>, Failure> {
        if !self.kind.knows_people() {
            return Ok(None);
        }
        let quickest = match self.kind {
            Kind::Peer | Kind::PeerMemory => "/", // It has no form.
            _ => "/room",
        };
        let page = self.client.get(format!("http://{}{quickest}", self.address));
        let page = page.header("accept", "application/json").send().await?;
        let set = page.headers().get("set-cookie").ok_or("no cookie")?.to_str()?;
        let cookie = set.split(';').next().map(ToOwned::to_owned);
        page.bytes().await?; // Their session may be stored only when the page ends.
        Ok(cookie)
    }

    /// A request of somebody's.
    pub fn get(&self, path: &str, cookie: Option<&str>) -> RequestBuilder {
        self.request(Method::GET, path, cookie)
    }

    /// A request of somebody's.
    pub fn post(&self, path: &str, cookie: Option<&str>) -> RequestBuilder {
        self.request(Method::POST, path, cookie).header("accept", "application/json")
    }

    fn request(&self, method: Method, path: &str, cookie: Option<&str>) -> RequestBuilder {
        let request = self.client.request(method, format!("http://{}{path}", self.address));
        request.header("cookie", cookie.unwrap_or_default())
    }

    /// A new room: its id.
    pub async fn open(
        &self,
        cookie: Option<&str>,
        title: &str,
        max: u32,
    ) -> Result<String, Failure> {
        if !self.kind.knows_people() {
            return Ok(title.to_owned());
        }
        let post = self.client.post(format!("http://{}/room", self.address));
        let post =
            post.header("accept", "application/json").header("cookie", cookie.unwrap_or_default());
        let room = post.json(&json!({ "title": title, "max": max })).send().await?;
        let room: Value = room.error_for_status()?.json().await?;
        Ok(room["id"].as_str().ok_or("no room")?.to_owned())
    }
}

async fn listening(child: &mut Child) -> Result<SocketAddr, Failure> {
    let log = child.stderr.take().ok_or("no log")?;
    let mut lines = BufReader::new(log).lines();
    let found = timeout(START, async {
        while let Some(line) = lines.next_line().await? {
            if let Some((_, address)) = line.split_once("listening on http://") {
                let address = address.split_whitespace().next().ok_or("no address")?;
                return Ok::<SocketAddr, Failure>(address.trim_end_matches('/').parse()?);
            }
        }
        Err("the server ended at its start".into())
    })
    .await??;
    // Whoever logs must not wait for a reader; and whoever measures should hear of trouble.
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            if line.contains("WARN") || line.contains("ERROR") {
                writeln!(std::io::stderr(), "{line}").ok(); // Nobody reads: nobody misses it.
            }
        }
    });
    Ok(found)
}

async fn start_mongodb(program: &Path, folder: &Path) -> Result<(Child, String), Failure> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let store = Command::new(program)
        .args(["--port", &port.to_string(), "--log-level", "WARNING", "--storage-path"])
        .arg(folder.join("mongodb"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    timeout(START, async {
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await?;
    Ok((store, format!("mongodb://127.0.0.1:{port}/bench")))
}
