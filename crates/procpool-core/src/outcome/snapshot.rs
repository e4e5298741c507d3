//! The state of a run at one moment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::data::job::{Key, Seq, Slot};
use crate::data::limit::Limit;
use crate::halt::rule::HaltRule;
use crate::outcome::event::Started;

/// The state of a run at one moment, see [`Handle::snapshot`](crate::Handle::snapshot).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// The run's limit.
    pub limit: Limit,
    /// The number of jobs in the input, if it is known: the input has ended or declared its length beforehand.
    pub total: Option<u64>,
    /// Jobs that neither run nor have ended, including those that wait for a retry.
    pub pending: Pending,
    /// Jobs that wait for a retry.
    pub retrying: u64,
    /// Running jobs, by slot.
    pub active: Vec<Active>,
    /// Jobs that have ended after their last attempt, whatever the outcome.
    pub completed: u64,
    /// What prevents a start although a slot is free.
    pub held_up: Option<HeldUp>,
    /// The halt rule that was reached, if any.
    pub reached: Option<HaltRule>,
    /// The sum of the times that slots have been in use.
    pub busy: Duration,
    /// The state of a remote run, as a line of text.
    pub elsewhere: Option<Arc<str>>,
}

/// How many jobs neither run nor have ended, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// Exactly this many: the input has ended, or declared its length beforehand.
    Exactly(u64),
    /// This many were seen; the input may have more.
    AtLeast(u64),
}

/// What prevents a start although a slot is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeldUp {
    /// The last start is too recent, see [`Pool::delay`](crate::Pool::delay).
    Delay,
    /// Too many tasks run on the machine, see [`Pool::load_limit`](crate::Pool::load_limit).
    Load,
    /// Too little memory is available, see [`Pool::memory_reserve`](crate::Pool::memory_reserve).
    Memory,
}

/// A running job.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Active {
    /// The job's key.
    pub key: Key,
    /// Its position in the input.
    pub seq: Seq,
    /// The slot it runs in.
    pub slot: Slot,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// When it got the slot.
    pub since: Instant,
    /// The machine it runs on, if that is another one.
    pub node: Option<Arc<str>>,
}

impl Snapshot {
    /// The snapshot of a run that has just begun.
    pub(crate) fn of(limit: Limit) -> Snapshot {
        Snapshot {
            limit,
            total: None,
            pending: Pending::AtLeast(0),
            retrying: 0,
            active: Vec::new(),
            completed: 0,
            held_up: None,
            reached: None,
            busy: Duration::ZERO,
            elsewhere: None,
        }
    }

    /// Whether all slots are in use.
    #[must_use]
    pub fn is_limit_reached(&self) -> bool {
        self.active.len() >= self.limit.get()
    }
}

impl Active {
    /// A running job that a remote run recorded.
    #[must_use]
    pub fn recorded(started: Started, since: Instant) -> Active {
        let Started { key, seq, slot, attempt, node } = started;
        Active { key, seq, slot, attempt, since, node }
    }
}
