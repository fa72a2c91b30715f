//! What the good ones felt, and what each kind of the others got.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use crate::hostile::Suffered;

/// The p99 with the attack is less than so many times the one without.
pub const TIMES: u32 = 3;
/// The one without counts as this at least: below it, what the machine does by itself decides.
pub const FLOOR: Duration = Duration::from_millis(5);
/// The server's memory stays within this.
const MEMORY: u64 = 256 << 20;

pub struct Report {
    pub seconds: u64,
    /// In order.
    pub without: Vec<Duration>,
    /// In order.
    pub with: Vec<Duration>,
    pub turned_away: BTreeMap<String, u64>,
    pub quiet_memory: u64,
    pub peak_memory: u64,
    pub panics: Vec<String>,
    pub suffered: Suffered,
}

/// So much of them is not above it.
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied().unwrap_or_default()
}

impl Report {
    /// Time and memory are judged in a run that was asked for: of the program as it is built to be run.
    pub fn print_and_judge(self, figures_too: bool) {
        let (without, with) = (percentile(&self.without, 99), percentile(&self.with, 99));
        print!("{}", self.table());

        assert!(self.panics.is_empty(), "the server panicked: {:?}", self.panics);
        assert!(self.turned_away.is_empty(), "good ones were turned away: {:?}", self.turned_away);
        let both = !self.without.is_empty() && !self.with.is_empty();
        assert!(both, "nobody heard anything");
        if figures_too {
            assert!(self.peak_memory <= MEMORY, "it took {} MiB", self.peak_memory >> 20);
            let most = TIMES * without.max(FLOOR);
            assert!(with < most, "p99 {with:?}, and {without:?} without the attack");
        }
    }

    fn table(&self) -> String {
        let mut table =
            format!("\n{} s of attack, {} before it\n\n", self.seconds, self.seconds / 2);
        let milliseconds = |took: Duration| format!("{:>12.1}", took.as_secs_f64() * 1_000.0);
        let mut row = |name: &str, without: String, with: String| {
            writeln!(table, "| {name:<28} | {without:>12} | {with:>12} |").unwrap();
        };
        row("a good one's message", "without".to_owned(), "with".to_owned());
        row("---", "---:".to_owned(), "---:".to_owned());
        for (name, percent) in [("p50, ms", 50), ("p99, ms", 99), ("max, ms", 100)] {
            let of = |sorted: &[Duration]| milliseconds(percentile(sorted, percent));
            row(name, of(&self.without), of(&self.with));
        }
        row("heard", self.without.len().to_string(), self.with.len().to_string());
        let mib = |bytes: u64| format!("{} MiB", bytes >> 20);
        row("the server's most memory", mib(self.quiet_memory), mib(self.peak_memory));
        let turned: u64 = self.turned_away.values().sum();
        row("refused or cut off", String::new(), turned.to_string());
        row("panics", String::new(), self.panics.len().to_string());
        writeln!(table, "\n| hostile, 25 of each | what they got |\n|---|---|").unwrap();
        for (kind, got) in &self.suffered {
            let got: Vec<_> = got.iter().map(|(what, times)| format!("{times} × {what}")).collect();
            writeln!(table, "| {kind} | {} |", got.join(", ")).unwrap();
        }
        table.push('\n');
        table
    }
}
