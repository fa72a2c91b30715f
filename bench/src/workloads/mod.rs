//! The workloads, each on a fresh server.

pub mod crowd;
pub mod growth;
pub mod lobby;
pub mod start;
pub mod talk;
pub mod uploads;
