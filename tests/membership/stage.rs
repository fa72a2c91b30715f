//! The stage: the store that schedules share, and a server process over it.

use std::{sync::Arc, time::Duration};

use clap::Parser as _;
use huechat::{
    bus::Bus,
    chat::{ChatService, Policy, Rates},
    domain::Event,
    media::Media,
    store::sqlite::SqliteStore,
};
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::{runtime::Builder, task::spawn_blocking};

use crate::{
    actions::Plan,
    edge::{Connections, Tab},
    schedule::{Outcome, Schedule},
    scheduler::{Gates, Idle},
    store::GatedStore,
};

pub const GRACE: Duration = Duration::from_secs(120);

/// What schedules share: each has a room of its own.
pub struct Stage {
    pub inner: Arc<SqliteStore>,
    media: Media,
    _folder: TempDir,
}

impl Stage {
    pub fn new() -> Self {
        // In memory where the system has it: nothing here is to survive a power failure.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let inner = Arc::new(SqliteStore::open(&folder.path().join("rooms.db")).unwrap());
        let media = Media::open("memory:///", [], 1024, 1024).unwrap();
        Self { inner, media, _folder: folder }
    }

    /// Runs a schedule.
    pub fn run(&self, plan: &Plan) -> Outcome {
        let idle = Arc::new(Idle::default());
        let parked = idle.clone();
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .on_thread_park(move || parked.parked())
            .build()
            .unwrap();
        let (ended, end) = std::sync::mpsc::channel::<()>();
        let outcome = runtime.block_on(async {
            // While it waits, the runtime does not let time pass by itself.
            spawn_blocking(move || end.recv().unwrap_err());
            let mut schedule = Schedule::new(self, plan, idle).await;
            let done = schedule.run().await;
            schedule.outcome.wrong = done.err();
            schedule.forget();
            schedule.outcome
        });
        drop(ended);
        outcome
    }
}

/// A server process.
#[derive(Clone)]
pub struct Server {
    pub chat: Arc<ChatService>,
    pub bus: Bus,
    pub gates: Arc<Gates>,
    pub connections: Arc<Connections>,
    /// The open connections.
    pub tabs: Arc<Mutex<Vec<Tab>>>,
}

impl Server {
    pub fn start(stage: &Stage, idle: &Arc<Idle>, plan: &Plan) -> Self {
        let gates = Gates::new(idle.clone());
        let store = Arc::new(GatedStore { inner: stage.inner.clone(), gates: gates.clone() });
        let (bus, connections) = (Bus::default(), Arc::new(Connections::default()));
        bus.connect(vec![connections.clone()]).unwrap_or_else(|_| panic!("connected once"));
        let policy = Policy {
            grace: if plan.has_grace { GRACE } else { Duration::ZERO },
            max_rooms: usize::MAX,
            max_capacity: 500,
            max_chats: None,
            max_connections: 100,
            rates: rates(),
            kick_networks: None,
        };
        let chat = ChatService::new(store, stage.media.clone(), bus.clone(), policy).unwrap();
        let (chat, tabs) = (Arc::new(chat), Arc::default());
        Self { chat, bus, gates, connections, tabs }
    }
}

/// Without limits: what happens here is decided by the plan.
fn rates() -> Rates {
    #[derive(clap::Parser)]
    struct Defaults {
        #[command(flatten)]
        rates: Rates,
    }
    let off = || "off".parse().unwrap();
    let Defaults { rates } = Defaults::parse_from(["rates"]);
    Rates { rooms: off(), entering: off(), items: off(), chats: off(), ..rates }
}

/// Stops a server as its process does.
pub async fn stop(server: Server) {
    server.chat.drain();
    server.chat.finish_what_was_said().await;
    server.bus.announce(Event::Restarting).await;
    server.chat.stop().await.ok(); // Another one reaps its connections.
}
