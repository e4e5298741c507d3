//! All that a run was told about when jobs start, start again, and stop starting: plain data.
//! Knows nothing of how it is carried out.

use std::time::Duration;

use crate::schedule::halt_rule::HaltRule;
use crate::schedule::retries::Retries;

/// What holds for a whole run; the default lets everything start as soon as there is a slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policies {
    pub(crate) retries: Retries,
    pub(crate) halt_rule: Option<HaltRule>,
    /// The least time between two starts.
    pub(crate) delay: Duration,
}
