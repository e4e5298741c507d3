//! What a run reports to its caller: events as they happen, and a completion for each job.

use std::sync::Arc;
use std::time::Duration;

use crate::data::command::Command;
use crate::data::job::{Job, Key, Seq, Slot};
use crate::outcome::Outcome;
use crate::spool::Spool;
use crate::spool::live::Live;

/// A job given back by the run, with its outcome. Every job that a run accepted is given back exactly once.
#[derive(Debug)]
#[non_exhaustive]
pub struct Completion<W = Command> {
    /// The job as it was handed in.
    pub job: Job<W>,
    /// Its position in the input.
    pub seq: Seq,
    /// The slot it ran in; `None` if its turn never came.
    pub slot: Option<Slot>,
    /// The number of its last attempt, from 1. If the run was halted while the job waited for a retry, this is the
    /// attempt that was never made.
    pub attempt: u32,
    /// What came of it.
    pub outcome: Outcome,
    /// The machine it ran on, if that was another one, as named by the [`Driver`](crate::Driver) of the run.
    pub node: Option<Arc<str>>,
}

/// The output of a job that was not started.
const SILENCE: &Spool = &Spool::EMPTY;

impl<W> Completion<W> {
    /// A completion that an earlier run recorded, to be reported again.
    ///
    /// `None` if the job has no [position](Job::position), or if the position or the slot is 0.
    #[must_use]
    pub fn recorded(job: Job<W>, slot: usize, attempt: u32, outcome: Outcome) -> Option<Completion<W>> {
        let seq = Seq::recorded(job.position?)?;
        let slot = Some(Slot::recorded(slot)?);
        Some(Completion { job, seq, slot, attempt, outcome, node: None })
    }

    /// A completion of a job that ran in no known slot, or whose outcome can't be known.
    ///
    /// `None` if the job has no [position](Job::position), or if that is 0.
    #[must_use]
    pub fn nowhere(job: Job<W>, outcome: Outcome) -> Option<Completion<W>> {
        let seq = Seq::recorded(job.position?)?;
        Some(Completion { job, seq, slot: None, attempt: 1, outcome, node: None })
    }

    /// Sets the machine it ran on; `None` is the one on which the run is driven.
    #[must_use]
    pub fn on(self, node: Option<Arc<str>>) -> Completion<W> {
        Completion { node, ..self }
    }

    /// The job's key.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.job.key
    }

    /// Its standard output; empty if it was not started or not captured.
    #[must_use]
    pub fn stdout(&self) -> &Spool {
        self.outcome.ran().map_or(SILENCE, |ran| &ran.stdout)
    }

    /// Its standard error; empty if it was not started or not captured.
    #[must_use]
    pub fn stderr(&self) -> &Spool {
        self.outcome.ran().map_or(SILENCE, |ran| &ran.stderr)
    }

    /// How long it took; zero if it was not started.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.outcome.ran().map_or(Duration::ZERO, |ran| ran.elapsed)
    }
}

/// What happens in a run, see [`Run::next_event`](crate::Run::next_event).
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<W = Command> {
    /// An attempt was given a slot. Reported only if
    /// [`Pool::announce_starts`](crate::Pool::announce_starts) was called.
    Started(Started),
    /// An attempt failed, and another one follows.
    Retried(Retried),
    /// A running job has written something. Reported only if
    /// [`Pool::follow_outputs`](crate::Pool::follow_outputs) was called.
    Wrote(Live),
    /// A job is done. There is exactly one of these for each job.
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
    /// The slot it runs in.
    pub slot: Slot,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The machine it runs on, if that is another one.
    pub node: Option<Arc<str>>,
}

/// A failed attempt that is followed by another one.
///
/// If the run is halted before the next attempt, the job's completion is
/// [`NeverReached`](crate::NotStarted::NeverReached) with the number of the attempt that was never made.
#[derive(Debug)]
#[non_exhaustive]
pub struct Retried {
    /// The job's key.
    pub key: Key,
    /// Its position in the input.
    pub seq: Seq,
    /// The slot the attempt ran in.
    pub slot: Slot,
    /// The number of the failed attempt, from 1.
    pub attempt: u32,
    /// Its outcome, including the output.
    pub outcome: Outcome,
    /// How long the job waits before the next attempt, at least. It holds no slot meanwhile.
    pub pause: Duration,
    /// The machine the attempt ran on, if that was another one.
    pub node: Option<Arc<str>>,
}

impl Started {
    /// A start that an earlier run or a remote one recorded. `None` if the position or the slot is 0.
    #[must_use]
    pub fn recorded(key: Key, position: u64, slot: usize, attempt: u32) -> Option<Started> {
        let (seq, slot) = (Seq::recorded(position)?, Slot::recorded(slot)?);
        Some(Started { key, seq, slot, attempt, node: None })
    }

    /// Sets the machine it runs on; `None` is the one on which the run is driven.
    #[must_use]
    pub fn on(self, node: Option<Arc<str>>) -> Started {
        Started { node, ..self }
    }
}

impl Retried {
    /// A failed attempt that a remote run recorded. The time of the next attempt is not known, so the pause is zero.
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
