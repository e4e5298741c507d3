//! The numbers that a run gives to jobs and places.
//! Knows nothing of how they are chosen; only `schedule.rs` mints them.

use std::fmt;
use std::num::{NonZeroU64, NonZeroUsize};

/// A job's position in the input, from 1: higher than those of all jobs before it, and none is missing, unless
/// jobs come with a [position](crate::Job::position) of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(NonZeroU64);

/// Which of the `limit` places a job runs in, from 1 to the limit. The lowest free one is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(NonZeroUsize);

/// Nobody may choose a higher position, so that there is always one left to count on with.
const HIGHEST_CHOSEN: u64 = 1 << 63;

impl Seq {
    pub(crate) const FIRST: Seq = Seq(NonZeroU64::MIN);

    /// The one that the caller chose, where that is no step back.
    pub(crate) fn or_later(self, chosen: Option<u64>) -> Seq {
        let chosen = chosen.filter(|chosen| *chosen <= HIGHEST_CHOSEN).and_then(NonZeroU64::new);
        chosen.map_or(self, |chosen| self.max(Seq(chosen)))
    }

    pub(crate) fn next(self) -> Seq {
        Seq(self.0.checked_add(1).expect("BUG: more jobs than 2^64"))
    }

    /// Of a job that an earlier run has recorded.
    pub(crate) fn recorded(position: u64) -> Option<Seq> {
        NonZeroU64::new(position).map(Seq)
    }

    /// The number, from 1.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0.get()
    }
}

impl Slot {
    /// The slot at `index`, from 0.
    pub(crate) fn at(index: usize) -> Slot {
        Slot(NonZeroUsize::MIN.saturating_add(index))
    }

    /// Where a job ran that an earlier run has recorded.
    pub(crate) fn recorded(slot: usize) -> Option<Slot> {
        NonZeroUsize::new(slot).map(Slot)
    }

    /// Where a table over the slots keeps this one, from 0.
    pub(crate) fn index(self) -> usize {
        self.0.get() - 1
    }

    /// The number, from 1.
    #[must_use]
    pub fn get(self) -> usize {
        self.0.get()
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
