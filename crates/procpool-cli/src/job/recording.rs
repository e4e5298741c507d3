//! The interface through which a launcher records attempts where they run. It lets the launcher work without
//! a journal, while the journal can depend on jobs.

use procpool_core::{Context, Job, Outcome};

use crate::job::work::Work;

/// Records attempts, on the workers that run them.
pub(crate) trait Recording: Send + Sync {
    /// Whether an attempt that is started now can be recorded, as far as is known. Blocks while that isn't
    /// known.
    fn may_start(&self, context: &Context) -> bool;

    /// Records that a process was started.
    fn note_start(&self, context: &Context, pid: u32);

    /// Records an attempt that has ended. Its slot is free once this returns.
    fn record(&self, job: &Job<Work>, context: &Context, outcome: &Outcome);
}
