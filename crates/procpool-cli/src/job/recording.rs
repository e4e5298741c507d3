//! What a launcher asks of whoever records attempts where they are run.
//! So the launcher needs no journal, and a journal can know jobs.

use procpool_core::{Context, Job, Outcome};

use crate::job::work::Work;

/// Records attempts, on the workers that run them.
pub(crate) trait Recording: Send + Sync {
    /// Whether what is started now can be recorded, as far as is known. Waits where that is not known yet.
    fn may_start(&self, context: &Context) -> bool;

    /// A process was started.
    fn note_start(&self, context: &Context, pid: u32);

    /// An attempt has ended. Its slot is free once this comes back.
    fn record(&self, job: &Job<Work>, context: &Context, outcome: &Outcome);
}
