//! All that a run was told about when jobs start, start again, and stop starting: plain data.
//! Knows nothing of how it is carried out.

use std::time::Duration;

use crate::halt::rule::HaltRule;
use crate::schedule::admission::AdmissionRules;
use crate::schedule::retries::Retries;

/// What holds for a whole run; the default lets everything start as soon as there is a slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policies {
    pub(crate) retries: Retries,
    pub(crate) halt_rule: Option<HaltRule>,
    /// The least time between two starts.
    pub(crate) delay: Duration,
    pub(crate) admission: AdmissionRules,
    /// Of the median of the jobs that succeeded; for jobs without a timeout of their own.
    pub(crate) timeout_percent: Option<u32>,
    /// The seed of the order in which jobs start, where that is not the input's.
    pub(crate) shuffle: Option<u64>,
    pub(crate) positions: Positions,
}

/// What becomes of a position that a job comes with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Positions {
    /// It is heeded where it is no step back.
    #[default]
    Rising,
    /// It is heeded.
    AsGiven,
}
