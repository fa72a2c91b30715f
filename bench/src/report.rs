//! The table, the targets, and where they go.

use std::{fmt::Write as _, fs, io::Write as _, path::Path, process::Command};

use crate::{
    EVERYBODY, Failure,
    figures::{Figures, Measure},
    plot,
    target::Kind,
};

/// A figure to reach: Huechat's, as so many times another's.
struct Aim {
    workload: &'static str,
    name: &'static str,
    at: Option<usize>,
    of: Kind,
    beside: Kind,
    /// At least so many times, or at most.
    bound: Bound,
}

#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bound {
    fn holds(self, ratio: f64) -> bool {
        match self {
            Self::AtLeast(least) => ratio >= least,
            Self::AtMost(most) => ratio <= most,
        }
    }

    fn words(self) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {least} ×"),
            Self::AtMost(most) => format!("≤ {most} ×"),
        }
    }
}

const fn aim(workload: &'static str, name: &'static str, beside: Kind, bound: Bound) -> Aim {
    let of = match beside {
        Kind::Limit => Kind::Huechat,
        _ => Kind::HuechatMongo,
    };
    Aim { workload, name, at: None, of, beside, bound }
}

const AIMS: [Aim; 10] = [
    aim("W1", "delivered/s", Kind::Peer, Bound::AtLeast(4.0)),
    aim("W1", "delivered/s", Kind::Limit, Bound::AtLeast(0.85)),
    aim("W1", "p99 ms", Kind::Peer, Bound::AtMost(0.5)),
    aim("W2", "highest delivered/s", Kind::Peer, Bound::AtLeast(3.0)),
    aim("W2", "highest delivered/s", Kind::Limit, Bound::AtLeast(0.7)),
    aim("W3", "connect and enter all s", Kind::Peer, Bound::AtMost(0.4)),
    aim("W3", "kB a connection at once", Kind::Peer, Bound::AtMost(1.0)),
    aim("W3", "kB a connection later", Kind::Peer, Bound::AtMost(1.0)),
    Aim { at: Some(1_000), ..aim("W4", "pages/s", Kind::Peer, Bound::AtLeast(8.0)) },
    aim("W5", "all in s", Kind::Peer, Bound::AtMost(0.4)),
];

/// Prints the tables, and keeps them with the plots.
pub fn write(figures: &Figures, folder: &Path, rounds: usize, quick: bool) -> Result<(), Failure> {
    let mut text = format!("{}\n\n{}\n", heading(rounds, quick), figures.table()?);
    text += &aims(figures)?;
    text += &steps(figures)?;
    fs::create_dir_all(folder)?;
    fs::write(folder.join("results.md"), &text)?;
    plot::rates(figures, &folder.join("rates.svg"))?;
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// On what, and of what, this was measured.
fn heading(rounds: usize, quick: bool) -> String {
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        text.unwrap_or_default()
    };
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor =
        processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let processor = processor.map_or("an unknown processor", |(_, name)| name);
    let scale =
        if quick { "quick, one round: read the directions, not the figures" } else { "whole" };
    format!(
        "# Results\n\nCommit {}, {}, Node {}, Linux {}, {processor}; {scale}; {rounds} rounds, medians \
         with least and most. The server has one core, the generator and the stores the other.",
        said("git", &["rev-parse", "--short", "HEAD"]),
        said("rustc", &["--version"]),
        said("node", &["--version"]),
        said("uname", &["-r"]),
    )
}

fn aims(figures: &Figures) -> Result<String, Failure> {
    let mut text =
        "## What to reach\n\n| | | beside | aim | ratio | |\n|---|---|---|---:|---:|---|\n"
            .to_owned();
    for aim in &AIMS {
        let measure = Measure { workload: aim.workload, name: aim.name, at: aim.at };
        let Some(ratio) = figures.ratio(measure, aim.of, aim.beside) else { continue };
        let reached = if aim.bound.holds(ratio) { "reached" } else { "**not reached**" };
        writeln!(
            text,
            "| {} | {} | {} | {} | {ratio:.2} × | {reached} |",
            aim.workload,
            aim.name,
            aim.beside.name(),
            aim.bound.words()
        )?;
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
