//! Figures of several rounds, and the tables that they make.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;

use crate::{EVERYBODY, Failure, report::HIGHEST, target::Kind, workloads::talk::Talk};

/// One thing that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Measure {
    /// Such as `W1`.
    pub workload: &'static str,
    /// Such as `delivered/s`.
    pub name: &'static str,
    /// With how many of whatever it grows with, if it does.
    pub at: Option<usize>,
}

impl Measure {
    /// Such as `W7 ms to enter, chats, 1000`.
    pub fn title(&self) -> String {
        let at = self.at.map(|at| format!(", {at}")).unwrap_or_default();
        format!("{} {}{at}", self.workload, self.name)
    }
}

/// Everything that was measured: a value for each round.
#[derive(Default)]
pub struct Figures {
    all: BTreeMap<Measure, BTreeMap<Kind, Vec<f64>>>,
    /// What people heard at each rate of posts, a second.
    steps: BTreeMap<Kind, Vec<(u32, Talk)>>,
}

/// The middle one of several rounds, with the least and the most.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

/// What people heard at one rate.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Posts a second.
    pub rate: u32,
    pub delivered: f64,
    pub p99: f64,
    pub cpu: f64,
}

impl Figures {
    /// Adds what a round gave.
    pub fn add(&mut self, workload: &'static str, name: &'static str, kind: Kind, value: f64) {
        self.all
            .entry(Measure { workload, name, at: None })
            .or_default()
            .entry(kind)
            .or_default()
            .push(value);
    }

    /// Adds what a round gave with so many of whatever it grows with.
    pub fn add_at(
        &mut self,
        workload: &'static str,
        name: &'static str,
        at: usize,
        kind: Kind,
        value: f64,
    ) {
        let measure = Measure { workload, name, at: Some(at) };
        self.all.entry(measure).or_default().entry(kind).or_default().push(value);
    }

    /// Adds what people heard at a rate of posts.
    pub fn step(&mut self, kind: Kind, rate: u32, talk: Talk) {
        self.steps.entry(kind).or_default().push((rate, talk));
    }

    /// What a server's people heard at each rate, by medians, the rates rising.
    pub fn steps(&self, kind: Kind) -> Vec<Step> {
        let mut by_rate: BTreeMap<u32, Vec<Talk>> = BTreeMap::new();
        for (rate, talk) in self.steps.get(&kind).into_iter().flatten() {
            by_rate.entry(*rate).or_default().push(*talk);
        }
        let median = |talks: &[Talk], of: fn(&Talk) -> f64| {
            let mut values: Vec<f64> = talks.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let steps = by_rate.into_iter().map(|(rate, talks)| Step {
            rate,
            delivered: median(&talks, |talk| talk.delivered),
            p99: median(&talks, |talk| talk.p99),
            cpu: median(&talks, |talk| talk.cpu),
        });
        steps.collect()
    }

    /// What the rounds gave for one measure and one server, if it was measured.
    pub fn spread(&self, measure: Measure, kind: Kind) -> Option<Spread> {
        let values = self.all.get(&measure)?.get(&kind)?;
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let median = *sorted.get(sorted.len() / 2)?;
        Some(Spread { median, least: *sorted.first()?, most: *sorted.last()? })
    }

    /// A server's medians of one measure, by the size that it grows with.
    pub fn by_size(
        &self,
        workload: &'static str,
        name: &'static str,
        kind: Kind,
    ) -> Vec<(f64, f64)> {
        let measures = self.all.keys().filter(|one| one.workload == workload && one.name == name);
        let points = measures
            .filter_map(|measure| Some((measure.at? as f64, self.spread(*measure, kind)?.median)));
        points.collect()
    }

    /// One row a measure, one column a server.
    pub fn table(&self) -> Result<String, Failure> {
        let names: Vec<&str> = EVERYBODY.iter().map(|kind| kind.name()).collect();
        let mut table = format!("| workload | measure | {} |\n", names.join(" | "));
        writeln!(table, "|---|---|{}", "---:|".repeat(EVERYBODY.len()))?;
        for measure in self.all.keys() {
            let cells = EVERYBODY.map(|kind| match self.spread(*measure, kind) {
                Some(Spread { median, least, most }) => {
                    format!("{} ({}–{})", figure(median), figure(least), figure(most))
                }
                None => "–".to_owned(),
            });
            let at = measure.at.map(|at| format!(", {at}")).unwrap_or_default();
            let name = measure.name;
            writeln!(table, "| {} | {name}{at} | {} |", measure.workload, cells.join(" | "))?;
        }
        Ok(table)
    }

    /// How many times as much a server has of one thing as of another, by medians.
    pub fn growth(&self, much: Measure, little: Measure, kind: Kind) -> Option<f64> {
        let much = self.spread(much, kind)?.median;
        let little = self.spread(little, kind)?.median;
        (little > 0.0).then_some(much / little)
    }

    /// At the most that one server delivers: how many times as much of its core another needs.
    pub fn cpu_at_the_best_of(&self, best: Kind, other: Kind) -> Option<f64> {
        let delivered = self.spread(HIGHEST, best)?.median;
        let (best, other) = (self.cpu(best, delivered)?, self.cpu(other, delivered)?);
        (best > 0.0).then_some(other / best)
    }

    /// What a server needs to deliver so much a second: on the line between the steps below and above it.
    fn cpu(&self, kind: Kind, delivered: f64) -> Option<f64> {
        let steps = self.steps(kind);
        let above = steps.iter().find(|step| step.delivered >= delivered)?;
        let Some(below) = steps.iter().rfind(|step| step.delivered < delivered) else {
            return Some(above.cpu);
        };
        let part = (delivered - below.delivered) / (above.delivered - below.delivered);
        Some(part.mul_add(above.cpu - below.cpu, below.cpu))
    }

    /// How many times as much one server has as another, by medians.
    pub fn ratio(&self, measure: Measure, of: Kind, to: Kind) -> Option<f64> {
        let of = self.spread(measure, of)?.median;
        let to = self.spread(measure, to)?.median;
        (to > 0.0).then_some(of / to)
    }
}

/// Three digits that count.
fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
