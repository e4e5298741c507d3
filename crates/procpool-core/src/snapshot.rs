//! How a run stands at one moment.
//! Knows nothing of where the figures come from.

use std::time::Instant;

use crate::id::{Seq, Slot};
use crate::key::Key;
use crate::limit::Limit;

/// How a run stands at one moment, see [`Handle::snapshot`](crate::Handle::snapshot).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// The run's limit.
    pub limit: Limit,
    /// Jobs that have not been started.
    pub pending: Pending,
    /// Jobs that run, by slot.
    pub active: Vec<Active>,
    /// Jobs that have ended, however they did.
    pub completed: u64,
}

/// How many jobs have not been started, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// Just so many: the input has ended, or it said beforehand how long it is.
    Exactly(u64),
    /// So many were seen; the input may have more.
    AtLeast(u64),
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
}

impl Snapshot {
    /// Whether as many jobs run as may.
    #[must_use]
    pub fn is_limit_reached(&self) -> bool {
        self.active.len() >= self.limit.get()
    }
}
