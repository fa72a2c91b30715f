//! The check of room passwords: throttled, and hashed on a thread pool of its own. Each hash takes
//! 19 MiB and about 30 ms of one core. A fixed pool bounds the memory, because each thread keeps
//! its 19 MiB. It uses at most half of the cores, so that password guessing cannot slow down the
//! chat.

use std::{num::NonZeroUsize, thread};

use rayon::{ThreadPool, ThreadPoolBuilder};
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};
use tokio::sync::oneshot;
use tracing::warn;

use super::{Error, Requester, RoomPass, password_throttle::PasswordThrottle};
use crate::domain::{Password, PasswordHash, Room, RoomId};

/// Largest number of hashing threads.
const MAX_THREADS: usize = 2;
/// Thread priority, from 0 to 99: below the chat, but not starved.
const PRIORITY: u8 = 25;

pub(super) struct PasswordCheck {
    throttle: PasswordThrottle,
    pool: ThreadPool,
}

impl PasswordCheck {
    pub(super) fn new() -> Result<Self, Error> {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let pool = ThreadPoolBuilder::new()
            .num_threads((cores / 2).clamp(1, MAX_THREADS))
            .thread_name(|number| format!("hash-{number}"))
            .start_handler(|_| lower_priority())
            .panic_handler(|_| {}); // The panic is logged, and the waiting request fails.
        let pool = pool.build().map_err(|cause| Error::Unavailable(cause.into()))?;
        Ok(Self { throttle: PasswordThrottle::default(), pool })
    }

    /// The hash of a new password, if there is one.
    pub(super) async fn hash(&self, new: Option<Password>) -> Result<Option<PasswordHash>, Error> {
        let Some(new) = new else { return Ok(None) };
        self.run(move || Some(new.hash())).await
    }

    /// Returns a pass if `hash` was made from this password.
    pub(super) async fn verify(
        &self,
        room: &RoomId,
        requester: Requester<'_>,
        password: Password,
        hash: PasswordHash,
    ) -> Result<RoomPass, Error> {
        self.throttle.count(room, requester)?;
        let pass = RoomPass::of(&hash);
        if !self.run(move || password.opens(&hash)).await? {
            return Err(Error::WrongPassword);
        }
        self.throttle.reset(room, requester);
        Ok(pass)
    }

    /// Runs `hashing` on the pool and returns its result.
    async fn run<T: Send + 'static>(
        &self,
        hashing: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        self.pool.spawn(move || {
            if !answer.is_closed() {
                answer.send(hashing()).ok(); // The requester may be gone.
            }
        });
        answered.await.map_err(|cause| Error::Unavailable(cause.into()))
    }
}

/// The hash of the room's password, if the pass was made from it.
pub(super) fn hash_of_pass(room: &Room, pass: Option<&RoomPass>) -> Option<PasswordHash> {
    let hash = room.password.as_ref()?;
    (pass == Some(&RoomPass::of(hash))).then(|| hash.clone())
}

fn lower_priority() {
    let Ok(priority) = PRIORITY.try_into() else { return };
    let batch = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Batch);
    let priority = ThreadPriority::Crossplatform(priority);
    if let Err(cause) = set_thread_priority_and_policy(thread_native_id(), priority, batch) {
        warn!(?cause, "could not lower the priority of the password hashing threads");
    }
}
