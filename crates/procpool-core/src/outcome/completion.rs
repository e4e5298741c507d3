//! A job's completion: the job given back, with what came of it.
//! Knows nothing of the run that it came from.

use std::sync::Arc;
use std::time::Duration;

use crate::data::id::{Seq, Slot};
use crate::data::job::Job;
use crate::data::key::Key;
use crate::outcome::Outcome;
use crate::spool::Spool;

/// A job given back by the run, with what came of it. Every job that a run accepted comes back exactly once.
#[derive(Debug)]
#[non_exhaustive]
pub struct Completion<W = crate::Command> {
    /// The job as it was given in.
    pub job: Job<W>,
    /// Its position in the input.
    pub seq: Seq,
    /// Where it ran; `None` where its turn never came.
    pub slot: Option<Slot>,
    /// Which try of the job this was, from 1: the last one. Where the run was halted while the job waited for
    /// another, the one that never came.
    pub attempt: u32,
    /// What came of it.
    pub outcome: Outcome,
    /// The machine on which it ran, where that was another one, by the name that whoever drives the run has for it.
    pub node: Option<Arc<str>>,
}

/// What a job that was not started has written.
const SILENCE: &Spool = &Spool::EMPTY;

impl<W> Completion<W> {
    /// What an earlier run has recorded of a job, to be told again: no run gives it back.
    ///
    /// `None` where the job doesn't say its [position](Job::position), or that or the slot is 0.
    #[must_use]
    pub fn recorded(job: Job<W>, slot: usize, attempt: u32, outcome: Outcome) -> Option<Completion<W>> {
        let seq = Seq::recorded(job.position?)?;
        let slot = Some(Slot::recorded(slot)?);
        Some(Completion { job, seq, slot, attempt, outcome, node: None })
    }

    /// A job that ran nowhere that is known, or of which nobody will ever know what came of it.
    ///
    /// `None` where the job doesn't say its [position](Job::position), or that is 0.
    #[must_use]
    pub fn nowhere(job: Job<W>, outcome: Outcome) -> Option<Completion<W>> {
        let seq = Seq::recorded(job.position?)?;
        Some(Completion { job, seq, slot: None, attempt: 1, outcome, node: None })
    }

    /// The same, of a job that ran on this machine; `None` is the one on which the run is driven.
    #[must_use]
    pub fn on(self, node: Option<Arc<str>>) -> Completion<W> {
        Completion { node, ..self }
    }

    /// The job's key.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.job.key
    }

    /// What it wrote to standard output; empty where it was not started or not captured.
    #[must_use]
    pub fn stdout(&self) -> &Spool {
        self.outcome.ran().map_or(SILENCE, |ran| &ran.stdout)
    }

    /// What it wrote to standard error; empty where it was not started or not captured.
    #[must_use]
    pub fn stderr(&self) -> &Spool {
        self.outcome.ran().map_or(SILENCE, |ran| &ran.stderr)
    }

    /// How long it took; zero where it was not started.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.outcome.ran().map_or(Duration::ZERO, |ran| ran.elapsed)
    }
}
