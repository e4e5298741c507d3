//! How a run stands at one moment.
//! Knows nothing of where the figures come from.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::data::job::Key;
use crate::data::job::{Seq, Slot};
use crate::data::limit::Limit;
use crate::halt::rule::HaltRule;
use crate::outcome::event::Started;

/// How a run stands at one moment, see [`Handle::snapshot`](crate::Handle::snapshot).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// The run's limit.
    pub limit: Limit,
    /// How many jobs the input has in all, where that is known: it has ended, or it said so beforehand.
    pub total: Option<u64>,
    /// Jobs that neither run nor have ended, those that wait for another attempt included.
    pub pending: Pending,
    /// Jobs that wait for another attempt.
    pub retrying: u64,
    /// Jobs that run, by slot.
    pub active: Vec<Active>,
    /// Jobs that have ended for good, however they did.
    pub completed: u64,
    /// What keeps a job from its start though a slot is free for it.
    pub held_up: Option<HeldUp>,
    /// The rule by which the run has halted, where it did so by itself.
    pub reached: Option<HaltRule>,
    /// For how long slots have been taken, in sum.
    pub busy: Duration,
    /// Of a run that is driven elsewhere: how it stands there, in a line for people.
    pub elsewhere: Option<Arc<str>>,
}

/// How many jobs neither run nor have ended, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// Just so many: the input has ended, or it said beforehand how long it is.
    Exactly(u64),
    /// So many were seen; the input may have more.
    AtLeast(u64),
}

/// What keeps a job from its start though a slot is free for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeldUp {
    /// The last start is too recent, see [`Pool::delay`](crate::Pool::delay).
    Delay,
    /// Too much runs on the machine, see [`Pool::load_limit`](crate::Pool::load_limit).
    Load,
    /// Too little memory is available, see [`Pool::memory_reserve`](crate::Pool::memory_reserve).
    Memory,
}

/// A job that runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Active {
    /// The job's key.
    pub key: Key,
    /// Its position in the input.
    pub seq: Seq,
    /// Where it runs.
    pub slot: Slot,
    /// Which try it is, from 1.
    pub attempt: u32,
    /// Since when it has had the slot.
    pub since: Instant,
    /// On which machine, where that is another one.
    pub node: Option<Arc<str>>,
}

impl Snapshot {
    /// Of a run that has just begun, and of which nothing else is known.
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

    /// Whether as many jobs run as may.
    #[must_use]
    pub fn is_limit_reached(&self) -> bool {
        self.active.len() >= self.limit.get()
    }
}

impl Active {
    /// What a run elsewhere has recorded of a job that runs.
    #[must_use]
    pub fn recorded(started: Started, since: Instant) -> Active {
        let Started { key, seq, slot, attempt, node } = started;
        Active { key, seq, slot, attempt, since, node }
    }
}
