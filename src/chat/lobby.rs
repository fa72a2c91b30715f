//! The lobby, read once for everybody who looks at it at the same time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use moka::future::Cache;

use super::{Caller, Chat, Error};
use crate::{
    domain::{Event, RoomTitle},
    store::{LobbyPage, LobbyQuery},
};

/// As many rooms a page of the lobby shows.
const PAGE: usize = 50;

/// What other servers change is seen after this at the latest, as it is by those who watch.
const KEPT_FOR: Duration = Duration::from_millis(500);
/// Pages and searches that are kept at the same time.
const MAX_KEPT: u64 = 256;

/// The pages that were looked at a moment ago.
pub(super) struct Lobby {
    /// How often anything changed here; a page that was read before a change is not shown after it.
    changes: AtomicU64,
    pages: Cache<(u64, String, usize), Arc<LobbyPage>>,
}

impl Default for Lobby {
    fn default() -> Self {
        let pages = Cache::builder().max_capacity(MAX_KEPT).time_to_live(KEPT_FOR).build();
        Self { changes: AtomicU64::new(0), pages }
    }
}

impl Lobby {
    /// What was read before is no longer shown.
    pub(super) fn has_changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }
}

impl Chat {
    /// A page of the lobby, from 1; `search` narrows it to titles that hold it. The same page is the
    /// same value for as long as nothing has changed.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn lobby(&self, search: &str, page: usize) -> Result<Arc<LobbyPage>, Error> {
        // What is longer than any title finds as little when it is cut.
        let search: String = search.trim().chars().take(RoomTitle::MAX_CHARS + 1).collect();
        let query = LobbyQuery {
            search: search.clone(),
            skip: page.saturating_sub(1).saturating_mul(PAGE),
            limit: PAGE,
        };
        let now = self.lobby.changes.load(Ordering::SeqCst);
        let read = async { self.store.lobby(query).await.map(Arc::new) };
        let found = self.lobby.pages.try_get_with((now, search, page), read).await;
        found.map_err(|cause| Error::Unavailable(cause.into()))
    }

    /// The same, for a program, which may ask as often as it likes only up to a rate.
    ///
    /// # Errors
    /// [`Error::SlowDown`], [`Error::Unavailable`].
    pub async fn look_around(
        &self,
        me: Caller<'_>,
        search: &str,
        page: usize,
    ) -> Result<Arc<LobbyPage>, Error> {
        self.limits.reads.check(me)?;
        self.lobby(search, page).await
    }

    /// How many pages so many rooms fill; an empty lobby is one page.
    #[must_use]
    pub fn pages(total: usize) -> usize {
        total.div_ceil(PAGE).max(1)
    }

    /// Tells everybody of something that the lobby shows.
    pub(super) async fn tell_lobby(&self, event: Event) {
        self.lobby.has_changed();
        self.bus.announce(event).await;
    }
}
