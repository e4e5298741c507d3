//! All policies of a run about when jobs start, are retried, and stop starting: plain data.

use std::time::Duration;

use crate::halt::rule::HaltRule;
use crate::schedule::admission::AdmissionRules;
use crate::schedule::retries::Retries;

/// The policies of a run; by default, everything starts as soon as there is a slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policies {
    pub(crate) retries: Retries,
    pub(crate) halt_rule: Option<HaltRule>,
    /// The least time between two starts.
    pub(crate) delay: Duration,
    pub(crate) admission: AdmissionRules,
    /// The timeout of jobs without one of their own, in percent of the median time of successful jobs.
    pub(crate) timeout_percent: Option<u32>,
    /// The seed for a random order of starts; `None` is input order.
    pub(crate) shuffle: Option<u64>,
    pub(crate) positions: Positions,
}

/// How the position that a job brings is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Positions {
    /// It is used if it is higher than all before.
    #[default]
    Rising,
    /// It is used always.
    AsGiven,
}
