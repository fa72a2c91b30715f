//! Optimistic concurrency: attempts that are repeated until no other one interferes.

use crate::store::{Error, Result};

/// Largest number of attempts. An attempt conflicts only with one that succeeds, and a room has a
/// few hundred people at most.
const ATTEMPTS: usize = 200;

/// The outcome of one attempt.
pub(super) enum Attempt<T> {
    Settled(T),
    /// A condition of the decision no longer holds.
    Conflict,
}

impl<T> From<Option<T>> for Attempt<T> {
    fn from(written: Option<T>) -> Self {
        written.map_or(Self::Conflict, Self::Settled)
    }
}

pub(super) async fn retry_on_conflict<T, F>(attempt: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<Attempt<T>>>,
{
    for _ in 0..ATTEMPTS {
        match attempt().await? {
            Attempt::Settled(outcome) => return Ok(outcome),
            Attempt::Conflict => {}
        }
    }
    Err(Error::new(format!("overtaken {ATTEMPTS} times")))
}
