//! How many of something each has at the same time.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Counts, by key. Clones are the same counts.
pub struct Counts<K>(Arc<Mutex<HashMap<K, usize>>>);

impl<K> Clone for Counts<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Hash + Eq + Clone> Counts<K> {
    /// One more of this key's, unless it has as many as it may.
    #[must_use]
    pub fn take(&self, key: K, most: usize) -> Option<Counted<K>> {
        let mut all = self.all();
        let count = all.entry(key.clone()).or_default();
        if *count >= most {
            if *count == 0 {
                all.remove(&key);
            }
            return None;
        }
        *count += 1;
        Some(Counted { counts: self.clone(), key })
    }
}

impl<K: Clone> Counts<K> {
    /// Those that have any.
    #[must_use]
    pub fn keys(&self) -> Vec<K> {
        self.all().keys().cloned().collect()
    }
}

impl<K> Counts<K> {
    fn all(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that is counted, for as long as it is not dropped.
pub struct Counted<K: Hash + Eq> {
    counts: Counts<K>,
    key: K,
}

impl<K: Hash + Eq> Counted<K> {
    /// Whose it is.
    pub fn key(&self) -> &K {
        &self.key
    }
}

impl<K: Hash + Eq> Drop for Counted<K> {
    fn drop(&mut self) {
        let mut all = self.counts.all();
        if let Some(count) = all.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.key);
            }
        }
    }
}

impl<K: Hash + Eq> fmt::Debug for Counted<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counted")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_so_many_and_what_is_dropped_is_free_again() {
        let counts = Counts::default();
        let first = counts.take("anna", 2).unwrap();
        let second = counts.take("anna", 2).unwrap();
        assert!(counts.take("anna", 2).is_none());
        let ben = counts.take("ben", 2).unwrap();
        drop(first);
        let third = counts.take("anna", 2).unwrap();
        assert!(counts.take("cleo", 0).is_none());
        let mut keys = counts.keys();
        keys.sort_unstable();
        assert_eq!(keys, ["anna", "ben"]);
        drop((second, third, ben));
        assert!(counts.all().is_empty());
    }
}
