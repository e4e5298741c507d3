//! Where jobs come from, as far as a run has to know: an iterator, and whether it ended by a fault.
//! Knows no source; each has a file of its own below.

pub(crate) mod job_file;
pub(crate) mod lines;
pub(crate) mod values;

use std::sync::{Arc, OnceLock};

use procpool_core::Job;

use crate::work::Work;

/// Pulled one by one, as there is room for them.
pub(crate) type Jobs = Box<dyn Iterator<Item = Job<Work>> + Send>;

/// The jobs of a run, in order, and what was wrong with the input where it ends too early.
pub(crate) struct Input {
    pub(crate) jobs: Jobs,
    pub(crate) fault: Fault,
}

/// What was wrong with the input, seen while jobs that stand before it ran already.
#[derive(Clone, Default)]
pub(crate) struct Fault(Arc<OnceLock<anyhow::Error>>);

impl Fault {
    pub(crate) fn get(&self) -> Option<&anyhow::Error> {
        self.0.get()
    }
}

impl Input {
    /// An input that was read and checked whole.
    pub(crate) fn checked<I>(jobs: I) -> Input
    where
        I: IntoIterator<Item = Job<Work>>,
        I::IntoIter: Send + 'static,
    {
        Input { jobs: Box::new(jobs.into_iter()), fault: Fault::default() }
    }

    /// An input that is read while the run goes on. It ends at its first fault.
    pub(crate) fn streamed(jobs: impl Iterator<Item = anyhow::Result<Job<Work>>> + Send + 'static) -> Input {
        let fault = Fault::default();
        let noted = fault.clone();
        let until_fault = jobs.map_while(move |job| {
            job.map_err(|error| {
                // Only the first is ever set: nothing is read after it.
                let _ = noted.0.set(error);
            })
            .ok()
        });
        Input { jobs: Box::new(until_fault), fault }
    }
}
