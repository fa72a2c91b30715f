//! The space quota of all files together.

use std::sync::atomic::{AtomicU64, Ordering};

/// Used and allowed bytes. Changes by other servers are included at the next measurement.
#[derive(Debug)]
pub(super) struct Quota {
    most: u64,
    taken: AtomicU64,
}

impl Quota {
    pub(super) fn new(most: u64) -> Self {
        Self { most, taken: AtomicU64::new(0) }
    }

    /// Reserves bytes; false when fewer are left.
    pub(super) fn take(&self, bytes: u64) -> bool {
        let fits = |taken: u64| taken.checked_add(bytes).filter(|taken| *taken <= self.most);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok()
    }

    pub(super) fn give_back(&self, bytes: u64) {
        let rest = |taken: u64| Some(taken.saturating_sub(bytes));
        // The update always succeeds.
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, rest).ok();
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
        let space = Quota::new(10);
        assert!(space.take(6) && !space.take(5) && space.take(4) && !space.take(1));
        space.give_back(3);
        assert!(!space.take(u64::MAX) && space.take(3) && !space.take(1));
        space.set(0);
        assert!(space.take(10));
        space.give_back(20);
        assert!(space.take(10) && !space.take(1));
    }
}
