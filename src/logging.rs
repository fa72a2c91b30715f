//! The log: to standard error, without secrets, and bounded in lines that others can cause.

use std::{
    io::IsTerminal as _,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::time::interval;
use tracing::{Event, Level, Metadata, Subscriber, callsite::Identifier, warn};
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{LevelFilter, filter_fn},
    fmt,
    layer::{Context, Filter, SubscriberExt as _},
    util::SubscriberInitExt as _,
};

/// Lines of one place in the code that are logged at once; later ones are logged at
/// [`LINES_PER_SECOND`].
const BURST: NonZeroU32 = NonZeroU32::new(20).unwrap();
const LINES_PER_SECOND: NonZeroU32 = NonZeroU32::MIN;
/// Interval at which the number of dropped lines is logged.
const REPORT_EVERY: Duration = Duration::from_secs(10);

/// Starts logging with a filter. Must be called within the runtime.
pub fn start(wanted: EnvFilter) {
    let layer =
        fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    // Without a hint, libraries would format an event for each frame, only for it to be dropped.
    let finest = wanted.max_level_hint().unwrap_or(LevelFilter::TRACE);
    let without_secrets = filter_fn(holds_no_secret).with_max_level_hint(finest);
    let bounded = BoundedLines::default();
    let dropped = bounded.dropped.clone();
    tracing_subscriber::registry()
        .with(layer.with_filter(bounded).with_filter(wanted).with_filter(without_secrets))
        .init();
    tokio::spawn(report(dropped));
}

/// Libraries log passwords, cookies and messages at fine levels. Below `info`, only this program's
/// own events are logged, even if the filter asks for more.
fn holds_no_secret(about: &Metadata<'_>) -> bool {
    *about.level() <= Level::INFO || is_ours(about)
}

fn is_ours(about: &Metadata<'_>) -> bool {
    about.target().starts_with("huechat")
}

async fn report(dropped: Arc<AtomicU64>) {
    let mut ticks = interval(REPORT_EVERY);
    loop {
        ticks.tick().await;
        let lines = dropped.swap(0, Ordering::Relaxed);
        if lines > 0 {
            warn!(lines, "left out log lines that repeated");
        }
    }
}

/// Bounds the lines of each place in the code: those of libraries, and this program's warnings and
/// errors. A client may cause one with every frame that it sends, and a database with every request
/// while it is away.
struct BoundedLines {
    by_place: DefaultKeyedRateLimiter<Identifier>,
    dropped: Arc<AtomicU64>,
}

impl Default for BoundedLines {
    fn default() -> Self {
        let quota = Quota::per_second(LINES_PER_SECOND).allow_burst(BURST);
        Self { by_place: RateLimiter::keyed(quota), dropped: Arc::default() }
    }
}

impl<S: Subscriber> Filter<S> for BoundedLines {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let about = event.metadata();
        let unbounded = is_ours(about) && *about.level() > Level::WARN;
        let logged = unbounded || self.by_place.check_key(&about.callsite()).is_ok();
        if !logged {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        logged
    }
}
