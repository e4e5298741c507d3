//! A job's completion: the job given back, with what came of it.
//! Knows nothing of the run that it came from.
//! What happens in a run, one thing at a time.
//! Knows nothing of the run that it happens in.

use std::sync::Arc;
use std::time::Duration;

use crate::data::command::Command;
use crate::data::job::{Job, Key, Seq, Slot};
use crate::outcome::Outcome;
use crate::spool::Spool;
use crate::spool::live::Live;

/// A job given back by the run, with what came of it. Every job that a run accepted comes back exactly once.
#[derive(Debug)]
#[non_exhaustive]
pub struct Completion<W = Command> {
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

/// What happens in a run, see [`Run::next_event`](crate::Run::next_event).
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<W = Command> {
    /// An attempt was given a slot. Told only where
    /// [`Pool::announce_starts`](crate::Pool::announce_starts) asks for it.
    Started(Started),
    /// An attempt failed, and another one follows.
    Retried(Retried),
    /// A job that runs has written something. Told only where
    /// [`Pool::follow_outputs`](crate::Pool::follow_outputs) asks for it.
    Wrote(Live),
    /// A job is done for good. There is one of these for each job.
    Completed(Completion<W>),
}

/// An attempt that was given a slot. If the run is halted just then, it may still come back as
/// [`NeverReached`](crate::NotStarted::NeverReached).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Started {
    /// The job's key.
    pub key: Key,
    /// Its position in the input.
    pub seq: Seq,
    /// Where it runs.
    pub slot: Slot,
    /// Which try it is, from 1.
    pub attempt: u32,
    /// On which machine, where that is another one.
    pub node: Option<Arc<str>>,
}

/// An attempt that failed, and that another one follows.
///
/// Where the run is halted before that one comes, the job's completion is
/// [`NeverReached`](crate::NotStarted::NeverReached), with the number of the attempt that never came.
#[derive(Debug)]
#[non_exhaustive]
pub struct Retried {
    /// The job's key.
    pub key: Key,
    /// Its position in the input.
    pub seq: Seq,
    /// Where the attempt ran.
    pub slot: Slot,
    /// Which try failed, from 1.
    pub attempt: u32,
    /// What came of it, its output included.
    pub outcome: Outcome,
    /// How long the job waits at least, in no slot, before the next try.
    pub pause: Duration,
    /// On which machine the attempt ran, where that was another one.
    pub node: Option<Arc<str>>,
}

impl Started {
    /// What an earlier run, or one elsewhere, has recorded of a start. `None` where the position or the slot is 0.
    #[must_use]
    pub fn recorded(key: Key, position: u64, slot: usize, attempt: u32) -> Option<Started> {
        let (seq, slot) = (Seq::recorded(position)?, Slot::recorded(slot)?);
        Some(Started { key, seq, slot, attempt, node: None })
    }

    /// The same on this machine; `None` is the one on which the run is driven.
    #[must_use]
    pub fn on(self, node: Option<Arc<str>>) -> Started {
        Started { node, ..self }
    }
}

impl Retried {
    /// What a run elsewhere has recorded of an attempt that another one follows, whenever it does.
    #[must_use]
    pub fn recorded(started: Started, outcome: Outcome) -> Retried {
        let Started { key, seq, slot, attempt, node } = started;
        Retried {
            key,
            seq,
            slot,
            attempt,
            outcome,
            pause: Duration::ZERO,
            node,
        }
    }
}
