//! What the lines of running jobs are tagged with, where that is more than a key.

use std::collections::HashMap;
use std::ffi::OsString;
use std::sync::{Mutex, MutexGuard, PoisonError};

use procpool_core::{Context, Job, Key};

use crate::job::work::{JobContext, Work};
use crate::template::TagTemplate;

/// Made where a job is started, for only there its slot and its values are known together; looked up where its
/// output comes; forgotten when it is done.
#[derive(Debug)]
pub(crate) struct Labels {
    template: TagTemplate,
    /// By the job's number.
    begun: Mutex<HashMap<u64, Key>>,
}

impl Labels {
    pub(crate) fn new(template: TagTemplate) -> Labels {
        Labels { template, begun: Mutex::default() }
    }

    /// An attempt begins.
    pub(crate) fn begin(&self, job: &Job<Work>, context: &Context) {
        self.begin_at(job, context.seq().get(), context.slot().get());
    }

    /// An attempt has begun somewhere.
    pub(crate) fn begin_at(&self, job: &Job<Work>, seq: u64, slot: usize) {
        let label = self.make(job.work.values(), JobContext { key: job.key.as_os_str(), seq, slot });
        self.begun().insert(seq, label);
    }

    /// The label of a job that is nobody's to begin.
    pub(crate) fn make(&self, values: &[OsString], job: JobContext<'_>) -> Key {
        Key::from(self.template.render(values, job))
    }

    /// The label of the job with this number, if it has begun.
    pub(crate) fn of(&self, seq: u64) -> Option<Key> {
        self.begun().get(&seq).cloned()
    }

    /// The job is done, and all of its output is printed.
    pub(crate) fn forget(&self, seq: u64) {
        self.begun().remove(&seq);
    }

    fn begun(&self) -> MutexGuard<'_, HashMap<u64, Key>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
