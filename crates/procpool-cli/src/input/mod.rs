//! The source of jobs as a run sees it: an iterator, and the error that ended it, if any. Each kind of source
//! has its own file.

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

/// The jobs of a run in order, and the error if the input ends too early.
pub(crate) struct Input {
    pub(crate) jobs: Jobs,
    pub(crate) fault: Fault,
    /// The available placeholders; `None` if jobs have no values.
    pub(crate) names: Option<Names>,
    pub(crate) earlier: Earlier,
    /// Completions that earlier runs have recorded in the journal, but perhaps not in all other records.
    pub(crate) recorded: Vec<Completion<Work>>,
    /// The error if some recorded outputs can't be read back.
    pub(crate) loss: Option<anyhow::Error>,
}

/// What earlier runs contribute to this run's exit status, although it is not among these jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Earlier {
    /// How many jobs failed in an earlier run and are not run again.
    pub(crate) failed: u64,
    /// The highest exit status of those jobs.
    pub(crate) status: u8,
    pub(crate) rest: Unread,
}

/// Whether part of a list was never read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Unread {
    #[default]
    None,
    /// Possibly: the run that was given the list ended before it had read all of it.
    Unknown,
}

/// An error in the input, found while jobs that come before it were already running.
#[derive(Clone, Default)]
pub(crate) struct Fault(Arc<OnceLock<anyhow::Error>>);

impl Fault {
    pub(crate) fn get(&self) -> Option<&anyhow::Error> {
        self.0.get()
    }

    /// Stores the error, unless there is an earlier one.
    pub(crate) fn set(&self, error: anyhow::Error) {
        let _ = self.0.set(error);
    }
}

impl Input {
    /// An input that was read and checked completely.
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

    /// An input that is read during the run. It ends at its first error.
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

    /// Sets the placeholders for the values of its jobs.
    pub(crate) fn with_names(self, names: Names) -> Input {
        Input { names: Some(names), ..self }
    }

    /// Makes the key of each job distinct.
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
                // Nothing is read after an error, so it is the only one.
                let _ = self.fault.0.set(error);
                None
            }
        }
    }

    /// The size hint of the jobs is right: where an error is possible, their number is unknown, and where all
    /// jobs are known, no error is possible.
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.jobs.size_hint()
    }
}
