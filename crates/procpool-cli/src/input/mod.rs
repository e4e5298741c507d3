//! Where jobs come from, as far as a run has to know: an iterator, and whether it ended by a fault. Each
//! source has a file of its own.

pub(crate) mod batches;
pub(crate) mod blocks;
pub(crate) mod combinations;
pub(crate) mod commands;
pub(crate) mod distinct;
pub(crate) mod job_file;
pub(crate) mod lines;
pub(crate) mod maker;
pub(crate) mod rows;
pub(crate) mod source;
pub(crate) mod table;
pub(crate) mod values;

use std::sync::{Arc, OnceLock};

use procpool_core::{Completion, Job};

use crate::input::distinct::Distinct;
use crate::job::work::Work;
use crate::template::Names;

/// Pulled one by one, as there is room for them.
pub(crate) type Jobs = Box<dyn Iterator<Item = Job<Work>> + Send>;

/// The jobs of a run, in order, and what was wrong with the input where it ends too early.
pub(crate) struct Input {
    pub(crate) jobs: Jobs,
    pub(crate) fault: Fault,
    /// What placeholders there are; `None` where jobs have no values.
    pub(crate) names: Option<Names>,
    pub(crate) earlier: Earlier,
    /// What earlier runs have recorded, and may not have told all other records of.
    pub(crate) recorded: Vec<Completion<Work>>,
    /// What of that can't be read back.
    pub(crate) loss: Option<anyhow::Error>,
}

/// What of the list is none of these jobs, and counts all the same for how the run ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Earlier {
    /// They failed in an earlier run, and are left as they are.
    pub(crate) failed: u64,
    /// The largest status of one of those.
    pub(crate) status: u8,
    pub(crate) rest: Unread,
}

/// Whether anything of a list was never read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Unread {
    #[default]
    None,
    /// The run in which it was given ended before it was read to its end.
    Unknown,
}

/// What was wrong with the input, seen while jobs that stand before it ran already.
#[derive(Clone, Default)]
pub(crate) struct Fault(Arc<OnceLock<anyhow::Error>>);

impl Fault {
    pub(crate) fn get(&self) -> Option<&anyhow::Error> {
        self.0.get()
    }

    /// It was this, unless something was wrong before.
    pub(crate) fn set(&self, error: anyhow::Error) {
        let _ = self.0.set(error);
    }
}

impl Input {
    /// An input that was read and checked whole.
    pub(crate) fn checked<I>(jobs: I) -> Input
    where
        I: IntoIterator<Item = Job<Work>>,
        I::IntoIter: Send + 'static,
    {
        Input {
            jobs: Box::new(jobs.into_iter()),
            fault: Fault::default(),
            names: None,
            earlier: Earlier::default(),
            recorded: Vec::new(),
            loss: None,
        }
    }

    /// An input that is read while the run goes on. It ends at its first fault.
    pub(crate) fn streamed(jobs: impl Iterator<Item = anyhow::Result<Job<Work>>> + Send + 'static) -> Input {
        let fault = Fault::default();
        Input {
            jobs: Box::new(UntilFault { jobs, fault: fault.clone() }),
            fault,
            names: None,
            earlier: Earlier::default(),
            recorded: Vec::new(),
            loss: None,
        }
    }

    /// Its jobs have values, and these are the placeholders for them.
    pub(crate) fn with_names(self, names: Names) -> Input {
        Input { names: Some(names), ..self }
    }

    /// The same with a key of its own for each job.
    pub(crate) fn with_distinct_keys(self) -> Input {
        let mut distinct = Distinct::default();
        let jobs = self.jobs.map(move |mut job| {
            job.key = distinct.name(&job.key);
            job
        });
        Input { jobs: Box::new(jobs), ..self }
    }
}

struct UntilFault<I> {
    jobs: I,
    fault: Fault,
}

impl<I: Iterator<Item = anyhow::Result<Job<Work>>>> Iterator for UntilFault<I> {
    type Item = Job<Work>;

    fn next(&mut self) -> Option<Job<Work>> {
        if self.fault.get().is_some() {
            return None;
        }
        match self.jobs.next()? {
            Ok(job) => Some(job),
            Err(error) => {
                // Nothing is read after it, so it is the only one.
                let _ = self.fault.0.set(error);
                None
            }
        }
    }

    /// That of the jobs: where a fault can come nobody knows how many they are, and where they are all known
    /// there is none.
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.jobs.size_hint()
    }
}
