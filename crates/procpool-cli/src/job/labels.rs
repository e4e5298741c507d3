//! The tags of running jobs' lines, for tags that are more than a key.

use std::collections::HashMap;
use std::ffi::OsString;
use std::sync::{Mutex, MutexGuard, PoisonError};

use procpool_core::{Context, Job, Key};

use crate::job::work::{JobContext, Work};
use crate::template::TagTemplate;

/// A label is made when its job is started, because only then are the slot and the values known together. It
/// is looked up when output arrives, and removed when the job is done.
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

    /// Makes the label of an attempt that begins now.
    pub(crate) fn begin(&self, job: &Job<Work>, context: &Context) {
        self.begin_at(job, context.seq().get(), context.slot().get());
    }

    /// Makes the label of an attempt that has begun, on this machine or another.
    pub(crate) fn begin_at(&self, job: &Job<Work>, seq: u64, slot: usize) {
        let label = self.make(job.work.values(), JobContext { key: job.key.as_os_str(), seq, slot });
        self.begun().insert(seq, label);
    }

    /// The label of a job that isn't started in this run.
    pub(crate) fn make(&self, values: &[OsString], job: JobContext<'_>) -> Key {
        Key::from(self.template.render(values, job))
    }

    /// The label of the job with this number, if it has begun.
    pub(crate) fn of(&self, seq: u64) -> Option<Key> {
        self.begun().get(&seq).cloned()
    }

    /// Removes the label of a job that is done, once all of its output is printed.
    pub(crate) fn forget(&self, seq: u64) {
        self.begun().remove(&seq);
    }

    fn begun(&self) -> MutexGuard<'_, HashMap<u64, Key>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
