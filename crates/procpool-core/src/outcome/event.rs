//! What happens in a run, one thing at a time.
//! Knows nothing of the run that it happens in.

use std::sync::Arc;
use std::time::Duration;

use crate::data::command::Command;
use crate::data::id::{Seq, Slot};
use crate::data::key::Key;
use crate::outcome::Outcome;
use crate::outcome::completion::Completion;
use crate::spool::live::Live;

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
