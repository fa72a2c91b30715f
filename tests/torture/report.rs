//! One table over everything.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use crate::{checker::Faults, common::Backend, journal::Talk, stage::Fault};

pub struct Report {
    title: String,
    suffered: BTreeMap<Fault, u32>,
    longest_silence: Option<(Duration, Fault)>,
    pub talk: Talk,
    pub lost: Vec<String>,
    doubled: Vec<String>,
    out_of_order: Vec<String>,
    /// People in a list who are not there, or the other way round.
    pub ghosts: Vec<String>,
    /// People who stayed, and were said to have left or to have come again.
    pub seats_lost: usize,
    pub rows_left: u64,
    pub files_left: usize,
    pub peak_memory: u64,
    pub unexpected: Vec<String>,
}

impl Report {
    pub fn new(backend: Backend, seed: u64) -> Self {
        Self {
            title: format!("{backend:?}, seed {seed}"),
            suffered: BTreeMap::new(),
            longest_silence: None,
            talk: Talk::default(),
            lost: Vec::new(),
            doubled: Vec::new(),
            out_of_order: Vec::new(),
            ghosts: Vec::new(),
            seats_lost: 0,
            rows_left: 0,
            files_left: 0,
            peak_memory: 0,
            unexpected: Vec::new(),
        }
    }

    /// Something went wrong; when it was put right, so long passed until something was acknowledged.
    pub fn suffered(&mut self, fault: Fault, silence: Duration) {
        *self.suffered.entry(fault).or_default() += 1;
        self.longest_silence = self.longest_silence.max(Some((silence, fault)));
    }

    pub fn add(&mut self, room: &str, faults: Faults) {
        let in_room =
            |faults: Vec<String>| faults.into_iter().map(move |fault| format!("{room}: {fault}"));
        self.lost.extend(in_room(faults.lost));
        self.doubled.extend(in_room(faults.doubled));
        self.out_of_order.extend(in_room(faults.out_of_order));
    }

    /// Only zero passes.
    pub fn print_and_judge(self) {
        let longest_silence = self.longest_silence.map_or_else(String::new, |(silence, fault)| {
            format!("{:.1} s, {fault:?}", silence.as_secs_f64())
        });
        let rows = [
            ("posts", self.talk.posts.to_string()),
            ("acknowledged", self.talk.acknowledged.to_string()),
            ("lost", self.lost.len().to_string()),
            ("doubled", self.doubled.len().to_string()),
            ("out of order", self.out_of_order.len().to_string()),
            ("ghosts", self.ghosts.len().to_string()),
            ("seats lost", self.seats_lost.to_string()),
            ("rooms and messages left behind", self.rows_left.to_string()),
            ("files left behind", self.files_left.to_string()),
            ("longest silence, after", longest_silence),
            ("peak memory", format!("{} MiB", self.peak_memory >> 20)),
        ];
        let suffered: Vec<_> =
            self.suffered.iter().map(|(fault, times)| format!("{times} × {fault:?}")).collect();
        let mut table = format!("\n| {:<32} | {:>28} |\n|---|---:|\n", "torture", self.title);
        for (name, value) in rows {
            writeln!(table, "| {name:<32} | {value:>28} |").unwrap();
        }
        println!("{table}after {}\n", suffered.join(", "));

        for (what, faults) in [
            ("lost", &self.lost),
            ("doubled", &self.doubled),
            ("out of order", &self.out_of_order),
            ("ghost", &self.ghosts),
        ] {
            for fault in faults.iter().take(20) {
                println!("{what}: {fault}");
            }
        }
        assert!(self.unexpected.is_empty(), "refused for no reason: {:?}", self.unexpected);
        assert!(self.talk.acknowledged > 0, "nothing was said");
        let bad = self.lost.len() + self.doubled.len() + self.out_of_order.len();
        let left = usize::try_from(self.rows_left).unwrap() + self.files_left;
        assert_eq!(bad + self.ghosts.len() + self.seats_lost + left, 0, "see the table");
    }
}
