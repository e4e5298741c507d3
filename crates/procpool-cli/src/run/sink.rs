//! What wants to know of each job's end.
//! Knows no kind of it; each has a file of its own below.

use std::io;
use std::time::Duration;

use procpool_core::{Completion, CopyError, Live, Retried, Started};

use crate::exit::ExitStatus;
use crate::guard::LeakedProcess;
use crate::job::work::Work;
use crate::run::tally::UnreadInput;

/// Is told of completions, in the order in which jobs end. Several are told in a fixed order: what records
/// comes before what shows, so that nothing is shown that is not recorded.
pub(crate) trait Sink {
    /// No job has been started yet.
    fn begin(&mut self) -> Result<(), Trouble> {
        Ok(())
    }

    /// An attempt was given a slot. Told only where starts are announced.
    fn started(&mut self, _: &Started) -> Result<(), Trouble> {
        Ok(())
    }

    /// A job that runs has written something. Told only where the outputs are followed.
    fn wrote(&mut self, _: &Live) -> Result<(), Trouble> {
        Ok(())
    }

    /// An attempt failed, and another one follows.
    fn retried(&mut self, _: &Retried) -> Result<(), Trouble> {
        Ok(())
    }

    /// A job has ended. The last sink may take the outputs out of it.
    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble>;

    /// What an earlier run has recorded of a job, and may not have told this record of. Told after its begin.
    fn recorded(&mut self, _: &mut Completion<Work>) -> Result<(), Trouble> {
        Ok(())
    }

    /// There will be no more.
    fn finish(&mut self, totals: &Totals) -> Result<(), Trouble>;

    /// All sinks have finished, and procpool is about to end like this.
    fn ended(&mut self, _totals: &Totals, _status: ExitStatus) -> Result<(), Trouble> {
        Ok(())
    }
}

/// What there is to say of a run once no job of it is left to end.
#[derive(Clone, Debug)]
pub(crate) struct Totals {
    /// As far as they are known.
    pub(crate) jobs: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) stopped: u64,
    pub(crate) unrun: u64,
    pub(crate) unread: UnreadInput,
    pub(crate) leaked: u64,
    /// What jobs had left behind and was ended.
    pub(crate) left: Vec<LeakedProcess>,
    pub(crate) elapsed: Duration,
}

/// Why a sink can't go on. The run is ended then.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Nobody reads on the other side any more: no error, but nothing more to do either.
    ReaderGone,
    /// It could not be written.
    Failed(anyhow::Error),
}

impl Trouble {
    /// What the error of a write to `name` means.
    pub(crate) fn writing(name: &str, error: io::Error) -> Trouble {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Trouble::ReaderGone,
            _ => Trouble::recording(name, error),
        }
    }

    /// What the error of reading captured output means.
    pub(crate) fn reading(error: io::Error) -> Trouble {
        Trouble::Failed(CopyError::Reading(error).into())
    }

    /// What the error of a write to the record `name` means: what was to be recorded is not, whatever the reason.
    pub(crate) fn recording(name: &str, error: io::Error) -> Trouble {
        Trouble::Failed(anyhow::Error::from(error).context(format!("can't write to {name}")))
    }

    /// What it means that it can't be noted what has been printed.
    pub(crate) fn noting(error: io::Error) -> Trouble {
        Trouble::recording("the journal", error)
    }

    /// What the error of copying captured output to `name` means.
    pub(crate) fn copying(name: &str, error: CopyError) -> Trouble {
        match error {
            CopyError::Writing(error) => Trouble::writing(name, error),
            CopyError::Reading(_) => Trouble::Failed(error.into()),
        }
    }
}
