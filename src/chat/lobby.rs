//! The lobby: a short-lived cache, so that simultaneous readers share one read of the store.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use moka::future::Cache;

use super::{ChatService, Error, Requester};
use crate::{
    bus::Bus,
    domain::{Event, RoomTitle},
    store::{LobbyPage, LobbyQuery},
};

/// Number of rooms on a page of the lobby.
const ROOMS_PER_PAGE: usize = 50;

/// How long a page is cached: the longest delay before another server's change appears.
const CACHED_FOR: Duration = Duration::from_millis(500);
/// Largest number of cached pages and searches.
const MAX_CACHED: u64 = 256;

/// The cache of pages.
pub(super) struct Lobby {
    bus: Bus,
    /// Number of changes on this server. Part of the cache key, so that a change makes all cached
    /// pages obsolete.
    changes: AtomicU64,
    pages: Cache<(u64, String, usize), Arc<LobbyPage>>,
}

impl Lobby {
    pub(super) fn new(bus: Bus) -> Self {
        let pages = Cache::builder().max_capacity(MAX_CACHED).time_to_live(CACHED_FOR).build();
        Self { bus, changes: AtomicU64::new(0), pages }
    }

    /// Makes all cached pages obsolete.
    pub(super) fn invalidate(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// Announces an event that changes the lobby.
    pub(super) async fn announce(&self, event: Event) {
        self.invalidate();
        self.bus.announce(event).await;
    }
}

impl ChatService {
    /// A page of the lobby, counted from 1, of the titles that contain `search`. While the page is
    /// cached, every call returns the same `Arc`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn lobby(&self, search: &str, page: usize) -> Result<Arc<LobbyPage>, Error> {
        // A search longer than any title finds nothing, so cutting it loses nothing.
        let search: String = search.trim().chars().take(RoomTitle::MAX_CHARS + 1).collect();
        let skip = page.saturating_sub(1).saturating_mul(ROOMS_PER_PAGE);
        let query = LobbyQuery { search: search.clone(), skip, limit: ROOMS_PER_PAGE };
        let changes = self.lobby.changes.load(Ordering::SeqCst);
        let read = async { self.store.lobby(query).await.map(Arc::new) };
        let found = self.lobby.pages.try_get_with((changes, search, page), read).await;
        found.map_err(|cause| Error::Unavailable(cause.into()))
    }

    /// Like [`ChatService::lobby`], with the rate limit for programs.
    ///
    /// # Errors
    /// [`Error::SlowDown`], [`Error::Unavailable`].
    pub async fn list_rooms(
        &self,
        me: Requester<'_>,
        search: &str,
        page: usize,
    ) -> Result<Arc<LobbyPage>, Error> {
        self.limits.reads.check(me)?;
        self.lobby(search, page).await
    }

    /// Number of pages for `total` rooms; an empty lobby has one page.
    #[must_use]
    pub fn pages(total: usize) -> usize {
        total.div_ceil(ROOMS_PER_PAGE).max(1)
    }
}
