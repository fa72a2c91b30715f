//! The server, its store, and the network in front of it: and all that goes wrong with them.

use std::time::Duration;

use rand::{RngExt as _, rngs::StdRng};
use rusqlite::Connection;
use tokio::time::sleep;

use crate::{
    common::{
        Backend,
        server::{Home, Process},
    },
    own_server::OwnServer,
    proxy::{Proxy, Way},
};

/// A dropped connection keeps its seat for so long: longer than any fault lasts.
const ROOM_GRACE: &str = "15";

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    ServerKilled,
    ServerRestarted,
    ServerStopped,
    ConnectionsCut,
    ConnectionsHalfClosed,
    ConnectionsLate,
    ConnectionsLeadNowhere,
    ReadersFrozen,
    StoreStopped,
    StoreKilled,
}

pub struct Stage {
    pub proxy: Proxy,
    /// Nobody, for a moment between two.
    process: Option<Process>,
    store: Option<OwnServer>,
    /// The most memory that any of the servers took, in bytes.
    pub peak_memory: u64,
}

impl Stage {
    pub async fn set(backend: Backend) -> Self {
        let store = match backend {
            Backend::Sqlite => None,
            Backend::Mongo => Some(OwnServer::start().await),
        };
        let uri = store.as_ref().map(|store| format!("{}/torture", store.uri()));
        let uri = uri.iter().map(|uri| ("MONGODB_URI", uri.as_str()));
        // A quick machine says more than a room keeps.
        let others = [("ROOM_GRACE", ROOM_GRACE), ("MAX_CHATS_PER_ROOM", "off")];
        let settings: Vec<_> = uri.chain(others).collect();
        let process = Process::start(Home::new(Backend::Sqlite, &settings)).await;
        let proxy = Proxy::start(process.address).await;
        Self { proxy, process: Some(process), store, peak_memory: 0 }
    }

    pub fn home(&self) -> &Home {
        &self.process().home
    }

    fn process(&self) -> &Process {
        self.process.as_ref().unwrap()
    }

    /// What can go wrong with this store, the server and the network.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = vec![
            Fault::ServerKilled,
            Fault::ServerRestarted,
            Fault::ServerStopped,
            Fault::ConnectionsCut,
            Fault::ConnectionsHalfClosed,
            Fault::ConnectionsLate,
            Fault::ConnectionsLeadNowhere,
            Fault::ReadersFrozen,
            Fault::StoreStopped,
        ];
        if self.store.is_some() {
            faults.push(Fault::StoreKilled);
        }
        faults
    }

    /// Lets something go wrong, for a while, and puts it right again.
    pub async fn suffer(&mut self, fault: Fault, random: &mut StdRng) {
        let a_while = Duration::from_millis(random.random_range(300..5_000));
        match fault {
            Fault::ServerKilled => {
                self.note_memory();
                let home = self.process.take().unwrap().kill().await;
                sleep(a_while / 4).await;
                self.start(home).await;
            }
            Fault::ServerRestarted => {
                self.note_memory();
                let (home, status) = self.process.take().unwrap().terminate().await;
                assert!(status.success(), "{status}");
                self.start(home).await;
            }
            Fault::ServerStopped => {
                self.process().pause().await;
                sleep(a_while).await;
                self.process().resume().await;
            }
            Fault::ConnectionsCut => self.proxy.let_fare(Way::Cut, 0.7, random),
            Fault::ConnectionsHalfClosed => self.proxy.let_fare(Way::HalfClosed, 0.5, random),
            Fault::ConnectionsLate => {
                let by = Duration::from_millis(random.random_range(20..300));
                self.proxy.let_fare(Way::Late(by), 0.8, random);
                sleep(a_while).await;
                self.proxy.heal();
            }
            Fault::ConnectionsLeadNowhere => {
                self.proxy.let_fare(Way::Nowhere, 0.5, random);
                sleep(a_while).await;
                if random.random_bool(0.5) {
                    self.proxy.heal();
                } else {
                    self.proxy.let_fare(Way::Cut, 1.0, random);
                }
            }
            Fault::ReadersFrozen => {
                self.proxy.let_fare(Way::Frozen, 0.5, random);
                sleep(a_while).await;
                self.proxy.heal();
            }
            Fault::StoreStopped => match &self.store {
                Some(store) => {
                    store.pause();
                    sleep(a_while).await;
                    store.resume();
                }
                None => self.lock_database(a_while).await,
            },
            Fault::StoreKilled => {
                let store = self.store.as_mut().unwrap();
                store.kill();
                sleep(a_while / 4).await;
                store.restart().await;
            }
        }
    }

    async fn start(&mut self, home: Home) {
        let process = Process::start(home).await;
        self.proxy.server_moved(process.address);
        self.process = Some(process);
    }

    /// Another program writes to the file, and takes its time.
    async fn lock_database(&self, a_while: Duration) {
        let database = Connection::open(self.home().data().join("huechat.sqlite3")).unwrap();
        database.busy_timeout(Duration::from_secs(30)).unwrap();
        database.execute_batch("BEGIN IMMEDIATE").unwrap();
        sleep(a_while).await;
        database.execute_batch("ROLLBACK").unwrap();
    }

    /// Looks how much memory the server has taken at most.
    pub fn note_memory(&mut self) {
        self.peak_memory = self.peak_memory.max(self.process().memory("VmHWM"));
    }

    /// Rows or documents of rooms, and messages, that are still there.
    pub async fn left_behind(&self) -> u64 {
        let Some(uri) = self.home().mongodb_uri() else {
            let database = Connection::open(self.home().data().join("huechat.sqlite3")).unwrap();
            let count = "SELECT (SELECT count(*) FROM rooms) + (SELECT count(*) FROM chats)";
            return database.query_row(count, [], |row| row.get(0)).unwrap();
        };
        let client = mongodb::Client::with_uri_str(uri).await.unwrap();
        let database = client.default_database().unwrap();
        let mut left = 0;
        for name in ["rooms", "chats"] {
            let collection = database.collection::<mongodb::bson::Document>(name);
            left += collection.count_documents(mongodb::bson::doc! {}).await.unwrap();
        }
        left
    }

    /// What the server has had to say since its last start.
    pub fn log(&self) -> Vec<String> {
        self.process().log()
    }
}
