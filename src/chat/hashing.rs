//! Passwords are hashed on threads of their own. Each hash takes 19 MiB and a core for some 30 ms; on threads that
//! come and go the memory would stay with each of them. On half of the cores at most: whoever guesses leaves the other
//! half to those who talk.

use std::{num::NonZeroUsize, thread};

use rayon::{ThreadPool, ThreadPoolBuilder};
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};
use tokio::sync::oneshot;
use tracing::warn;

use super::Error;

/// No more passwords are hashed at the same time, on however many cores; one is, on a single core.
const AT_ONCE: usize = 2;
/// Of a hundred: those who talk go first, and those who show a password still have their turn.
const PRIORITY: u8 = 25;

/// The threads.
pub(super) struct Hashing(ThreadPool);

impl Hashing {
    /// # Errors
    /// When the system gives no threads.
    pub(super) fn new() -> Result<Self, Error> {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let pool = ThreadPoolBuilder::new()
            .num_threads((cores / 2).clamp(1, AT_ONCE))
            .thread_name(|number| format!("hash-{number}"))
            .start_handler(|_| step_back())
            .panic_handler(|_| {}); // Its own message has said why; whoever waits is told.
        pool.build().map(Self).map_err(|cause| Error::Unavailable(cause.into()))
    }

    /// Does what takes so long, and gives what came of it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        self.0.spawn(move || {
            if !answer.is_closed() {
                answer.send(work()).ok(); // They have hung up meanwhile.
            }
        });
        answered.await.map_err(|cause| Error::Unavailable(cause.into()))
    }
}

fn step_back() {
    let Ok(priority) = PRIORITY.try_into() else { return };
    let batch = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Batch);
    let priority = ThreadPriority::Crossplatform(priority);
    if let Err(cause) = set_thread_priority_and_policy(thread_native_id(), priority, batch) {
        warn!(?cause, "passwords are hashed at the same priority as everything else");
    }
}
