//! A MongoDB server of a test's own: it can be paused, killed, and started again on its data, and
//! it takes fail points, which hold for a whole server.

use std::{
    fs::File,
    net::TcpListener,
    process::{Child, Command},
    time::Duration,
};

use mongodb::{Client, bson::doc, options::ClientOptions};
use tempfile::TempDir;

/// Much longer than a start takes on a busy machine.
const START: Duration = Duration::from_secs(60);

/// It stays in the process group of the tests, so that whoever ends those ends it too, even when they
/// have no time left to drop it.
pub struct OwnServer {
    folder: TempDir,
    port: u16,
    child: Child,
}

impl OwnServer {
    /// A new, empty one, once it answers.
    pub async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let child = run(&folder, port);
        let server = Self { folder, port, child };
        server.wait_until_it_answers().await;
        server
    }

    /// Where it is, without a database.
    pub fn uri(&self) -> String {
        format!("mongodb://127.0.0.1:{}", self.port)
    }

    /// It takes connections and says nothing, as a machine that is out of breath.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was, on what it had stored, once it answers. It may still run.
    pub async fn restart(&mut self) {
        self.kill();
        self.child = run(&self.folder, self.port);
        self.wait_until_it_answers().await;
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap();
        assert!(sent.success(), "kill -{name}");
    }

    async fn wait_until_it_answers(&self) {
        let mut options = ClientOptions::parse(self.uri()).await.unwrap();
        options.server_selection_timeout = Some(START);
        let client = Client::with_options(options).unwrap();
        if let Err(error) = client.database("admin").run_command(doc! { "ping": 1 }).await {
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
            panic!("the server of the test does not answer: {error}\n{log}");
        }
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.child.kill().ok(); // It has ended by itself.
        self.child.wait().ok();
    }
}

fn run(folder: &TempDir, port: u16) -> Child {
    let log = File::options().create(true).append(true).open(folder.path().join("log")).unwrap();
    Command::new(program())
        .args(["--port", &port.to_string(), "--storage-path", "data"])
        .args(["--log-level", "WARNING", "--enable-test-commands"])
        .current_dir(folder.path())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

fn program() -> String {
    std::env::var("HUECHAT_TEST_SECANTUSD").unwrap_or_else(|_| {
        panic!("HUECHAT_TEST_SECANTUSD is not set: `make test` installs SecantusDB and sets it")
    })
}

/// Below the ports that the system gives to connections: there, whoever knocks again and again
/// while nobody listens may be given the very port, and be connected to themselves.
fn free_port() -> u16 {
    loop {
        let port = rand::random_range(20_000..32_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
