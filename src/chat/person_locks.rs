//! Locks by person: steps of one person in one room run one after another.
//!
//! The store decides whether somebody leaves before they enter again, and the room task announces
//! what is queued first. Holding the lock from the one to the other keeps both in the same order:
//! otherwise a person could enter again, and their earlier leaving would end the new connection.

use std::hash::{BuildHasher as _, RandomState};

use tokio::sync::{Mutex, MutexGuard};

use crate::domain::{PersonId, RoomId};

/// Number of locks. People who share one by chance wait for each other's step.
const LOCKS: usize = 1_024;

/// A fixed number of locks, to which people are mapped by a keyed hash.
pub(super) struct PersonLocks {
    locks: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Default for PersonLocks {
    fn default() -> Self {
        Self { locks: (0..LOCKS).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }
}

impl PersonLocks {
    /// Waits for the lock of a person in a room.
    pub(super) async fn lock(&self, room: &RoomId, person: &PersonId) -> MutexGuard<'_, ()> {
        let hash = self.hasher.hash_one((room, person));
        let nth = usize::try_from(hash % LOCKS as u64).unwrap_or_default();
        self.locks[nth].lock().await
    }
}
