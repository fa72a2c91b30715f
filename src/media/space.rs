//! How much room all files together take.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that are taken, of those that may be. What other servers keep and remove is known when the files are
/// measured.
#[derive(Debug)]
pub(super) struct Space {
    most: u64,
    taken: AtomicU64,
}

impl Space {
    pub(super) fn new(most: u64) -> Self {
        Self { most, taken: AtomicU64::new(0) }
    }

    /// Takes so many bytes; false when there are not as many left.
    pub(super) fn take(&self, bytes: u64) -> bool {
        let fits = |taken: u64| taken.checked_add(bytes).filter(|taken| *taken <= self.most);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok()
    }

    pub(super) fn give_back(&self, bytes: u64) {
        let rest = |taken: u64| Some(taken.saturating_sub(bytes));
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, rest).ok(); // It always can.
    }

    pub(super) fn set(&self, taken: u64) {
        self.taken.store(taken, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_taken_than_there_is() {
        let space = Space::new(10);
        assert!(space.take(6) && !space.take(5) && space.take(4) && !space.take(1));
        space.give_back(3);
        assert!(!space.take(u64::MAX) && space.take(3) && !space.take(1));
        space.set(0);
        assert!(space.take(10));
        space.give_back(20);
        assert!(space.take(10) && !space.take(1));
    }
}
