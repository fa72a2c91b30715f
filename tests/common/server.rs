//! A server of its own for each test: in this process, or as a process that can be killed.

use std::{
    net::SocketAddr,
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, Once},
};

use huechat::{App, config::Config};
use mongodb::{Collection, bson::Document};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpListener,
    process::{Child, Command},
    sync::oneshot,
    task::JoinHandle,
};

use super::{Browser, soon};

/// Which store a server keeps its rooms in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Mongo,
}

/// The tests connect from this machine, which is then a proxy that names its clients.
pub const BEHIND_A_PROXY: (&str, &str) = ("TRUSTED_PROXIES", "127.0.0.0/8,::1");
/// The tests connect from this machine, which is then one visitor's, as a proxy is elsewhere.
pub const WITHOUT_A_PROXY: (&str, &str) = ("TRUSTED_PROXIES", "192.0.2.77");

impl Backend {
    /// A server with the settings of the tests.
    pub async fn server(self) -> Server {
        self.server_with(&[]).await
    }

    /// A server with some settings changed.
    pub async fn server_with(self, settings: &[(&str, &str)]) -> Server {
        Server::start(Home::new(self, settings)).await
    }
}

/// What outlives a server: its settings, its folders, its database.
pub struct Home {
    folder: TempDir,
    settings: Vec<(String, String)>,
}

impl Home {
    pub fn new(backend: Backend, settings: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let mut all = vec![
            ("HOST".to_owned(), "127.0.0.1".to_owned()),
            ("PORT".to_owned(), "0".to_owned()),
            ("DATA_DIR".to_owned(), path("data")),
            ("UPLOADS_URL".to_owned(), path("uploads")),
        ];
        let rates = [
            "ROOMS",
            "ENTERING",
            "PASSWORDS",
            "CHATS",
            "WHISPERS",
            "GIFS",
            "GIF_KIB",
            "ITEMS",
            "READS",
            "EVENTS",
            "TOKENS",
        ];
        all.extend(rates.map(|rate| (format!("RATE_{rate}"), "off".to_owned())));
        if backend == Backend::Mongo {
            let name = format!("test_{:016x}", rand::random::<u64>());
            all.push(("MONGODB_URI".to_owned(), format!("{}/{name}", mongodb_server())));
        }
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Self { folder, settings: all }
    }

    /// The embedded store, and nothing set that an operator would not set: with all rates in force.
    pub fn of_an_operator(settings: &[(&str, &str)]) -> Self {
        let mut home = Self::new(Backend::Sqlite, settings);
        home.settings.retain(|(name, value)| !(name.starts_with("RATE_") && value == "off"));
        home
    }

    /// Changes a setting, for the next server.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(set, _)| set != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// For another server on the same data.
    pub fn beside(&self) -> Self {
        Self { folder: TempDir::new().unwrap(), settings: self.settings.clone() }
    }

    /// The servers that are registered in MongoDB.
    pub async fn nodes(&self) -> Collection<Document> {
        let client = mongodb::Client::with_uri_str(self.mongodb_uri().unwrap()).await.unwrap();
        client.default_database().unwrap().collection("nodes")
    }

    pub fn uploads(&self) -> PathBuf {
        self.folder.path().join("uploads")
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn mongodb_uri(&self) -> Option<&str> {
        self.settings.iter().find(|(name, _)| name == "MONGODB_URI").map(|(_, uri)| uri.as_str())
    }

    /// The files of GIFs under the uploads folder, however deep.
    pub fn files(&self) -> Vec<PathBuf> {
        fn below(folder: PathBuf, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() { below(path, found) } else { found.push(path) }
            }
        }
        let mut found = Vec::new();
        below(self.uploads(), &mut found);
        found.retain(|path| ![".gitkeep", "store-id"].iter().any(|name| path.ends_with(name)));
        found
    }
}

/// The server: the one of `HUECHAT_BIN`, such as one that was built in release mode, or that of these tests.
fn program() -> PathBuf {
    let built = || env!("CARGO_BIN_EXE_huechat").into();
    std::env::var_os("HUECHAT_BIN").map_or_else(built, Into::into)
}

fn mongodb_server() -> String {
    std::env::var("HUECHAT_TEST_MONGODB_URI").unwrap_or_else(|_| {
        panic!("HUECHAT_TEST_MONGODB_URI is not set: `make test` starts a server and sets it")
    })
}

/// A panic in a task of the server is nobody's failure by itself: nobody waits for the task. Here it
/// ends the tests. (Tests that panic do so in their own thread.)
fn end_with_the_first_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            usual(panic);
            let in_a_task =
                std::thread::current().name().is_some_and(|name| name.starts_with("tokio"));
            // The driver of MongoDB panics when its runtime ends under it, as with each test.
            let ours = panic.location().is_some_and(|place| place.file().starts_with("src/"));
            if in_a_task && ours {
                std::process::abort();
            }
        }));
    });
}

/// A server in this process. It is stopped, as by a signal, when it is dropped or asked to.
pub struct Server {
    pub home: Home,
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), huechat::Error>>,
}

impl Server {
    pub async fn start(home: Home) -> Self {
        end_with_the_first_panic();
        let config = Config::from_vars(home.settings.clone()).unwrap();
        let listener = TcpListener::bind((config.host, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = App::build(config).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(app.serve(listener, async { stopped.await.unwrap_or(()) }));
        Self { home, address, stop, serving }
    }

    /// A new visitor, with a session of their own.
    pub async fn browser(&self) -> Browser {
        Browser::visit(self.address).await
    }

    /// Stops, and leaves its home to the next.
    pub async fn stop(self) -> Home {
        self.stop.send(()).ok();
        soon("the server to stop", self.serving).await.unwrap().unwrap();
        self.home
    }
}

/// A server as a process of its own.
pub struct Process {
    pub home: Home,
    pub address: SocketAddr,
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
}

impl Process {
    pub async fn start(home: Home) -> Self {
        let mut child = Command::new(program())
            .arg("serve")
            .envs(home.settings.iter().map(|(name, value)| (name, value)))
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = soon("the process to listen", async {
            loop {
                let line = log.next_line().await.unwrap().expect("the server ended at its start");
                if let Some((_, address)) = line.split_once("listening on http://") {
                    break address.split_whitespace().next().unwrap().parse().unwrap();
                }
            }
        })
        .await;
        let kept = Arc::<Mutex<Vec<String>>>::default();
        tokio::spawn({
            let kept = kept.clone();
            async move {
                while let Ok(Some(line)) = log.next_line().await {
                    kept.lock().unwrap().push(line);
                }
            }
        });
        Self { home, address, child, log: kept }
    }

    /// What a server says that does not start.
    pub async fn start_fails(home: &Home) -> String {
        let mut command = Command::new(program());
        command.arg("serve").envs(home.settings.iter().map(|(name, value)| (name, value)));
        let output = soon("the server to give up", command.kill_on_drop(true).output()).await;
        let output = output.unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    }

    pub async fn browser(&self) -> Browser {
        Browser::visit(self.address).await
    }

    /// What it has logged since it listens.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    fn assert_no_panic(&self) {
        let panics: Vec<_> =
            self.log().into_iter().filter(|line| line.contains("panicked")).collect();
        assert!(panics.is_empty(), "{panics:?}");
    }

    fn pid(&self) -> String {
        self.child.id().unwrap().to_string()
    }

    /// A figure of the kernel's about its memory, such as `VmRSS`, in bytes.
    pub fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let mut lines = status.lines().filter_map(|line| line.split_once(':'));
        let (_, figure) = lines.find(|(figure, _)| *figure == name).unwrap();
        figure.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    async fn signal(&self, signal: &str) {
        let id = self.pid();
        assert!(Command::new("kill").args([signal, &id]).status().await.unwrap().success());
    }

    /// SIGSTOP: it does nothing more, and is not gone.
    pub async fn pause(&self) {
        self.signal("-STOP").await;
    }

    /// SIGCONT.
    pub async fn resume(&self) {
        self.signal("-CONT").await;
    }

    /// SIGTERM, as a deploy does; gives its exit status.
    pub async fn terminate(self) -> (Home, std::process::ExitStatus) {
        self.end_by("-TERM").await
    }

    /// Another signal that asks it to end, such as `-HUP`.
    pub async fn end_by(mut self, signal: &str) -> (Home, std::process::ExitStatus) {
        self.signal(signal).await;
        let status = soon("the process to end", self.child.wait()).await.unwrap();
        self.assert_no_panic();
        (self.home, status)
    }

    /// `kill -9`.
    pub async fn kill(mut self) -> Home {
        self.child.kill().await.unwrap();
        self.assert_no_panic();
        self.home
    }
}
