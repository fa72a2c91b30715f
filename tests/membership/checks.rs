//! What must be true after a step, and when everything rests.

use std::sync::atomic::Ordering;

use crate::schedule::{Schedule, Wrong};

impl Schedule<'_> {
    /// A connection hears the room without a seat only until the action that took its seat is over,
    /// and the server has done what follows.
    pub fn check_step(&self) -> Result<(), Wrong> {
        let is_action = |task| self.running.iter().any(|one| Some(one.handle.id()) == task);
        let waiting = self.server.gates.waiting();
        let is_busy = waiting.iter().any(|task| !is_action(*task));
        if is_busy || self.faults_unknown || self.has_stopped() {
            return Ok(());
        }
        let holding = self.model.holding();
        let hearing = self.server.connections.hearing();
        let ghost = hearing
            .difference(&holding)
            .find(|one| !self.lost.get(*one).is_some_and(|task| is_action(*task)));
        match ghost {
            Some(ghost) => Err(format!("{} still hears the room", self.name(&ghost.person))),
            None => Ok(()),
        }
    }

    /// A connection hears the room exactly while its seat holds it.
    pub fn check_at_rest(&self) -> Result<(), Wrong> {
        if self.faults_unknown {
            return Ok(()); // What a failed call has done is found out later.
        }
        let (hearing, holding) = (self.server.connections.hearing(), self.model.holding());
        if let Some(ghost) = hearing.difference(&holding).next() {
            return Err(format!("{} hears the room without a seat", self.name(&ghost.person)));
        }
        if let Some(deaf) = holding.difference(&hearing).next() {
            return Err(format!("{} has a seat and hears nothing", self.name(&deaf.person)));
        }
        if let Some(bot) = self.model.bots_of_removed().first() {
            return Err(format!("{} stays, and its maker was removed", self.name(bot)));
        }
        match self.server.connections.count() {
            Some(count) if self.model.is_open() && self.outcome.faults == 0 => {
                if count as usize != self.model.count() {
                    return Err(format!("people were told {count} of {:?}", self.model));
                }
            }
            Some(_) | None => {}
        }
        match self.running.first() {
            Some(stuck) => Err(format!("{} never ends", stuck.name)),
            None => Ok(()),
        }
    }

    pub fn ended_by_check(&self) -> usize {
        self.server.connections.ended_by_check.load(Ordering::SeqCst)
    }
}
