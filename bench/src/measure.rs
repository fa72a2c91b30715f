//! Latencies, and what a process costs.

use std::{fs, time::Duration};

use hdrhistogram::Histogram;

use crate::Failure;

/// Latencies in microseconds, to a thousandth.
pub struct Latencies(Histogram<u64>);

impl Latencies {
    /// None yet.
    pub fn new() -> Result<Self, Failure> {
        Ok(Self(Histogram::new(3)?))
    }

    /// Adds one.
    pub fn add(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.0 += micros;
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The latency that so many of a hundred stay below, in milliseconds.
    pub fn percentile(&self, percent: f64) -> f64 {
        self.0.value_at_percentile(percent) as f64 / 1_000.0
    }
}

/// What the kernel says of one process.
#[derive(Debug, Clone, Copy)]
pub struct Process(pub u32);

/// The kernel counts the time of processes in hundredths of a second.
const TICKS_PER_SECOND: f64 = 100.0;

impl Process {
    /// Processor time so far, in seconds.
    pub fn cpu(self) -> Result<f64, Failure> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0))?;
        // The name in brackets may hold anything; what follows it does not.
        let rest = stat.rsplit_once(')').ok_or("no such process")?.1;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
        let (user, system) = (ticks(11).ok_or("no user time")?, ticks(12).ok_or("no system time")?);
        Ok((user + system) / TICKS_PER_SECOND)
    }

    /// Memory held, in bytes.
    pub fn memory(self) -> Result<u64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = resident.and_then(|field| field.trim().strip_suffix(" kB")).ok_or("no memory")?;
        Ok(kib.trim().parse::<u64>()? * 1_024)
    }
}
