//! Limits how many of something each key holds at the same time.

use std::{collections::HashMap, fmt, hash::Hash, sync::Arc};

use parking_lot::Mutex;

/// Counts by key. Clones share the counts.
pub struct KeyedLimit<K>(Arc<Mutex<HashMap<K, usize>>>);

impl<K> Clone for KeyedLimit<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K> Default for KeyedLimit<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Hash + Eq + Clone> KeyedLimit<K> {
    /// Counts one more for this key, or returns `None` if the key already has `most`.
    #[must_use]
    pub fn take(&self, key: K, most: usize) -> Option<KeyedPermit<K>> {
        let mut all = self.0.lock();
        let count = all.entry(key.clone()).or_default();
        if *count >= most {
            if *count == 0 {
                all.remove(&key);
            }
            return None;
        }
        *count += 1;
        Some(KeyedPermit { counts: self.clone(), key })
    }
}

impl<K: Hash + Eq> KeyedLimit<K> {
    /// Whether this key has a count above zero.
    #[must_use]
    pub fn holds(&self, key: &K) -> bool {
        self.0.lock().contains_key(key)
    }
}

impl<K: Clone> KeyedLimit<K> {
    /// The keys with a count above zero.
    #[must_use]
    pub fn keys(&self) -> Vec<K> {
        self.0.lock().keys().cloned().collect()
    }
}

/// One counted item. Dropping it decrements its key's count.
pub struct KeyedPermit<K: Hash + Eq> {
    counts: KeyedLimit<K>,
    key: K,
}

impl<K: Hash + Eq> KeyedPermit<K> {
    /// The key it counts for.
    pub fn key(&self) -> &K {
        &self.key
    }
}

impl<K: Hash + Eq> Drop for KeyedPermit<K> {
    fn drop(&mut self) {
        let mut all = self.counts.0.lock();
        if let Some(count) = all.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.key);
            }
        }
    }
}

impl<K: Hash + Eq> fmt::Debug for KeyedPermit<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedPermit")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_limit_and_a_dropped_permit_is_free_again() {
        let counts = KeyedLimit::default();
        let first = counts.take("anna", 2).unwrap();
        let second = counts.take("anna", 2).unwrap();
        assert!(counts.take("anna", 2).is_none());
        let ben = counts.take("ben", 2).unwrap();
        assert!(counts.holds(&"ben") && !counts.holds(&"cleo"));
        drop(first);
        let third = counts.take("anna", 2).unwrap();
        assert!(counts.take("cleo", 0).is_none());
        let mut keys = counts.keys();
        keys.sort_unstable();
        assert_eq!(keys, ["anna", "ben"]);
        drop((second, third, ben));
        assert!(counts.0.lock().is_empty());
    }
}
