//! The trait of whatever records or prints what a run does.

use std::io;
use std::time::Duration;

use procpool_core::{Completion, CopyError, Live, Retried, Started};

use crate::exit::ExitStatus;
use crate::guard::LeakedProcess;
use crate::job::work::Work;
use crate::run::tally::UnreadInput;

/// Receives the events of a run, in the order in which jobs end. Sinks are called in a fixed order, records
/// before printers, so that nothing is shown that is not recorded.
pub(crate) trait Sink {
    /// Called before the first job starts.
    fn begin(&mut self) -> Result<(), Trouble> {
        Ok(())
    }

    /// An attempt was given a slot. Called only if the run announces starts.
    fn started(&mut self, _: &Started) -> Result<(), Trouble> {
        Ok(())
    }

    /// A running job has written something. Called only if the run follows outputs.
    fn wrote(&mut self, _: &Live) -> Result<(), Trouble> {
        Ok(())
    }

    /// An attempt failed, and another one follows.
    fn retried(&mut self, _: &Retried) -> Result<(), Trouble> {
        Ok(())
    }

    /// A job has ended. The last sink may take the outputs out of it.
    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble>;

    /// The result of a job in an earlier run, which may be missing in this record. Called after `begin`.
    fn recorded(&mut self, _: &mut Completion<Work>) -> Result<(), Trouble> {
        Ok(())
    }

    /// No more jobs will end.
    fn finish(&mut self, totals: &Totals) -> Result<(), Trouble>;

    /// All sinks have finished, and procpool is about to exit with this status.
    fn ended(&mut self, _totals: &Totals, _status: ExitStatus) -> Result<(), Trouble> {
        Ok(())
    }
}

/// The totals of a run.
#[derive(Clone, Debug)]
pub(crate) struct Totals {
    /// All jobs that are known.
    pub(crate) jobs: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) stopped: u64,
    pub(crate) unrun: u64,
    pub(crate) unread: UnreadInput,
    pub(crate) leaked: u64,
    /// Processes that jobs had left behind, and that were killed at the end.
    pub(crate) left: Vec<LeakedProcess>,
    pub(crate) elapsed: Duration,
}

/// Whether the sinks hear of attempts that start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Starts {
    Told,
    Silent,
}

/// Why a sink can't go on. It ends the run.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The reader has closed the pipe. That is no error, but there is nothing more to do.
    ReaderGone,
    /// A write or a read failed.
    Failed(anyhow::Error),
}

impl Trouble {
    /// For an error of a write to `name`.
    pub(crate) fn writing(name: &str, error: io::Error) -> Trouble {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Trouble::ReaderGone,
            _ => Trouble::recording(name, error),
        }
    }

    /// For an error of reading captured output.
    pub(crate) fn reading(error: io::Error) -> Trouble {
        Trouble::Failed(CopyError::Reading(error).into())
    }

    /// For an error of a write to the record `name`. A closed reader is an error here: the record is
    /// incomplete.
    pub(crate) fn recording(name: &str, error: io::Error) -> Trouble {
        Trouble::Failed(anyhow::Error::from(error).context(format!("can't write to {name}")))
    }

    /// For an error of recording what has been printed.
    pub(crate) fn noting(error: io::Error) -> Trouble {
        Trouble::recording("the journal", error)
    }

    /// For an error of copying captured output to `name`.
    pub(crate) fn copying(name: &str, error: CopyError) -> Trouble {
        match error {
            CopyError::Writing(error) => Trouble::writing(name, error),
            CopyError::Reading(_) => Trouble::Failed(error.into()),
        }
    }
}
