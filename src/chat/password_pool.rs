//! A thread pool for password hashing. Each hash takes 19 MiB and about 30 ms of one core. A fixed
//! pool bounds the memory, because each thread keeps its 19 MiB. It uses at most half of the cores,
//! so that password guessing cannot slow down the chat.

use std::{num::NonZeroUsize, thread};

use rayon::{ThreadPool, ThreadPoolBuilder};
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};
use tokio::sync::oneshot;
use tracing::warn;

use super::Error;

/// Largest number of hashing threads.
const MAX_THREADS: usize = 2;
/// Thread priority, from 0 to 99: below the chat, but not starved.
const PRIORITY: u8 = 25;

/// The thread pool.
pub(super) struct PasswordPool(ThreadPool);

impl PasswordPool {
    /// # Errors
    /// When the system gives no threads.
    pub(super) fn new() -> Result<Self, Error> {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let pool = ThreadPoolBuilder::new()
            .num_threads((cores / 2).clamp(1, MAX_THREADS))
            .thread_name(|number| format!("hash-{number}"))
            .start_handler(|_| lower_priority())
            .panic_handler(|_| {}); // The panic is logged, and the waiting request fails.
        pool.build().map(Self).map_err(|cause| Error::Unavailable(cause.into()))
    }

    /// Runs `work` on the pool and returns its result.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        self.0.spawn(move || {
            if !answer.is_closed() {
                answer.send(work()).ok(); // The requester may be gone.
            }
        });
        answered.await.map_err(|cause| Error::Unavailable(cause.into()))
    }
}

fn lower_priority() {
    let Ok(priority) = PRIORITY.try_into() else { return };
    let batch = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Batch);
    let priority = ThreadPriority::Crossplatform(priority);
    if let Err(cause) = set_thread_priority_and_policy(thread_native_id(), priority, batch) {
        warn!(?cause, "could not lower the priority of the password hashing threads");
    }
}
