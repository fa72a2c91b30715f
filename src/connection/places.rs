//! How many connections there may be.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::Network;

/// How many connections there may be at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// In all.
    pub in_all: usize,
    /// From one network; those of a trusted proxy are many people's.
    pub of_one_network: usize,
}

/// Counts connections.
#[derive(Debug, Clone)]
pub(super) struct Places {
    bounds: Bounds,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    in_all: usize,
    by_network: HashMap<Network, usize>,
}

impl Places {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, taken: Arc::default() }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection, of a network where that counts; `None` when there is none left.
    pub(super) fn take(&self, network: Option<Network>) -> Option<Place> {
        let mut taken = self.taken();
        if taken.in_all >= self.bounds.in_all {
            return None;
        }
        if let Some(network) = network {
            let theirs = taken.by_network.entry(network).or_default();
            if *theirs >= self.bounds.of_one_network {
                return None;
            }
            *theirs += 1;
        }
        taken.in_all += 1;
        Some(Place { places: self.clone(), network })
    }
}

/// A connection's place, free again once it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    network: Option<Network>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.in_all -= 1;
        let Some(network) = self.network else { return };
        if let Some(theirs) = taken.by_network.get_mut(&network) {
            *theirs -= 1;
            if *theirs == 0 {
                taken.by_network.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_places_in_all_and_so_many_for_one_network() {
        let network = |address: &str| Some(Network::of(address.parse().unwrap()));
        let places = Places::new(Bounds { in_all: 4, of_one_network: 2 });
        let first = places.take(network("192.0.2.1")).unwrap();
        let second = places.take(network("192.0.2.1")).unwrap();
        assert!(places.take(network("192.0.2.1")).is_none());
        let _other = places.take(network("192.0.2.2")).unwrap();
        let _behind_a_proxy = places.take(None).unwrap();
        assert!(places.take(None).is_none());
        drop(first);
        let _third = places.take(network("192.0.2.1")).unwrap();
        assert!(places.take(network("192.0.2.2")).is_none());
        drop(second);
        assert_eq!(places.taken().by_network[&network("192.0.2.1").unwrap()], 1);
    }
}
