//! The table, the targets, and where they go.

use std::{fmt::Write as _, fs, io::Write as _, path::Path, process::Command};

use crate::{
    EVERYBODY, Failure,
    figures::{Figures, Measure},
    plot,
    target::Kind,
};

/// A figure to reach.
struct Aim {
    what: String,
    value: Option<f64>,
    bound: Bound,
    unit: &'static str,
}

#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}
use Bound::{AtLeast, AtMost};

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            AtLeast(least) => value >= least,
            AtMost(most) => value <= most,
        }
    }

    fn words(self) -> String {
        match self {
            AtLeast(least) => format!("≥ {least}"),
            AtMost(most) => format!("≤ {most}"),
        }
    }
}

const fn at(workload: &'static str, name: &'static str, at: usize) -> Measure {
    Measure { workload, name, at: Some(at) }
}

const fn of(workload: &'static str, name: &'static str) -> Measure {
    Measure { workload, name, at: None }
}

/// Every figure to reach. Beside the peer, Huechat is on MongoDB as the peer is; beside the limit and
/// itself, on its embedded store.
fn all_aims(figures: &Figures) -> Vec<Aim> {
    let beside = |measure: Measure, other: Kind, bound| {
        let ours = if other == Kind::Limit { Kind::Huechat } else { Kind::HuechatMongo };
        Aim {
            what: format!("{}, beside {}", measure.title(), other.name()),
            value: figures.ratio(measure, ours, other),
            bound,
            unit: "×",
        }
    };
    let itself = |measure: Measure, bound, unit| Aim {
        what: measure.title(),
        value: figures.spread(measure, Kind::Huechat).map(|spread| spread.median),
        bound,
        unit,
    };
    let times = |much: Measure, little: Measure, most| Aim {
        what: format!("{}, as so many times {}", much.title(), little.title()),
        value: figures.growth(much, little, Kind::Huechat),
        bound: AtMost(most),
        unit: "×",
    };
    vec![
        beside(of("W1", "delivered/s"), Kind::Peer, AtLeast(4.0)),
        beside(of("W1", "delivered/s"), Kind::Limit, AtLeast(0.85)),
        beside(of("W1", "p99 ms"), Kind::Peer, AtMost(0.5)),
        beside(HIGHEST, Kind::Peer, AtLeast(3.0)),
        beside(HIGHEST, Kind::Limit, AtLeast(0.7)),
        Aim {
            what: "W2 CPU at the peer's highest rate, beside the peer".to_owned(),
            value: figures.cpu_at_the_best_of(Kind::Peer, Kind::HuechatMongo),
            bound: AtMost(0.5),
            unit: "×",
        },
        beside(of("W3", "connect and enter all s"), Kind::Peer, AtMost(0.4)),
        beside(of("W3", "kB a connection at once"), Kind::Peer, AtMost(1.0)),
        beside(of("W3", "kB a connection later"), Kind::Peer, AtMost(1.0)),
        itself(of("W3", "kB a connection at once"), AtMost(16.0), "kB"),
        itself(of("W3", "kB a connection later"), AtMost(12.0), "kB"),
        beside(at("W4", "pages/s", 1_000), Kind::Peer, AtLeast(8.0)),
        itself(at("W4", "of them of one room/s", 1_000), AtMost(2.0), ""),
        beside(of("W5", "all in s"), Kind::Peer, AtMost(0.4)),
        times(of("W6", "p99 ms with"), of("W6", "p99 ms without"), 2.0),
        times(at("W7", MESSAGE_COST, 2_000), at("W7", MESSAGE_COST, 20), 1.2),
        times(at("W7", ENTERING, 1_000_000), at("W7", ENTERING, 1_000), 1.2),
        times(at("W7", PAGE, 1_000_000), at("W7", PAGE, 1_000), 1.2),
        itself(of("W8", "start ms"), AtMost(100.0), "ms"),
        itself(of("W8", "memory at rest MB"), AtMost(20.0), "MB"),
    ]
}

/// What people hear a second, in many rooms, as long as it is soon enough.
pub const HIGHEST: Measure = of("W2", "highest delivered/s");

/// What W7 measures.
pub const MESSAGE_COST: &str = "µs a delivered message, members";
pub const ENTERING: &str = "ms to enter, chats";
pub const PAGE: &str = "ms a page of history, chats";

/// How it was measured.
pub struct Run {
    pub rounds: usize,
    /// Of what takes long.
    pub long_rounds: usize,
    pub quick: bool,
}

const TABLES: &str = "results.md";

/// Shows the tables that were written.
pub fn print(folder: &Path) -> Result<(), Failure> {
    Ok(std::io::stdout().write_all(&fs::read(folder.join(TABLES))?)?)
}

/// Writes the tables and the plots.
pub fn write(figures: &Figures, folder: &Path, run: &Run) -> Result<(), Failure> {
    let mut text = format!("{}\n\n{}\n", heading(run), figures.table()?);
    text += &aims(figures)?;
    text += &steps(figures)?;
    fs::create_dir_all(folder)?;
    fs::write(folder.join(TABLES), &text)?;
    plot::rates(figures, &folder.join("rates.svg"))?;
    plot::growth(figures, &folder.join("growth.svg"))?;
    Ok(())
}

/// On what, and of what, this was measured.
fn heading(run: &Run) -> String {
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        text.unwrap_or_default()
    };
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor =
        processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let processor = processor.map_or("an unknown processor", |(_, name)| name);
    let (rounds, long) = (run.rounds, run.long_rounds);
    let scale = if run.quick {
        "quick: read the directions, not the figures".to_owned()
    } else {
        format!("{rounds} rounds, {long} of W3, W4 and W7")
    };
    format!(
        "# Results\n\nCommit {}, {}, Node {}, Linux {}, {processor}; {scale}; medians \
         with least and most. The server has one core, the generator and the stores the other.",
        said("git", &["rev-parse", "--short", "HEAD"]),
        said("rustc", &["--version"]),
        said("node", &["--version"]),
        said("uname", &["-r"]),
    )
}

fn aims(figures: &Figures) -> Result<String, Failure> {
    let mut text = "## What to reach\n\n| | aim | measured | |\n|---|---:|---:|---|\n".to_owned();
    for Aim { what, value, bound, unit } in all_aims(figures) {
        let Some(value) = value else { continue };
        let reached = if bound.holds(value) { "reached" } else { "**not reached**" };
        writeln!(text, "| {what} | {} {unit} | {value:.2} {unit} | {reached} |", bound.words())?;
    }
    Ok(text)
}

fn steps(figures: &Figures) -> Result<String, Failure> {
    let mut text = "\n## W2, step by step\n\n| server | posts/s | delivered/s | p99 ms | CPU % |\n|---|---:|---:|---:|---:|\n".to_owned();
    for kind in EVERYBODY {
        for step in figures.steps(kind) {
            writeln!(
                text,
                "| {} | {} | {:.0} | {:.1} | {:.0} |",
                kind.name(),
                step.rate,
                step.delivered,
                step.p99,
                100.0 * step.cpu
            )?;
        }
    }
    Ok(text)
}
