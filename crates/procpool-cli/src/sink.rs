//! What wants to know of each job's end.
//! Knows no kind of it; each has a file of its own below.

pub(crate) mod failures;
pub(crate) mod in_order;
pub(crate) mod lines;
mod passage;
pub(crate) mod print;
mod shape;
pub(crate) mod stream;
mod tag;
mod tame;

use std::io;

use procpool_core::{Completion, CopyError, Live, Retried};

use crate::work::Work;

/// Is told of completions, in the order in which jobs end. Several are told in a fixed order: what records
/// comes before what shows, so that nothing is shown that is not recorded.
pub(crate) trait Sink {
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

    /// There will be no more.
    fn finish(&mut self) -> Result<(), Trouble>;
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
            _ => Trouble::Failed(anyhow::Error::from(error).context(format!("can't write to {name}"))),
        }
    }

    /// What the error of reading captured output means.
    pub(crate) fn reading(error: io::Error) -> Trouble {
        Trouble::Failed(CopyError::Reading(error).into())
    }

    /// What the error of copying captured output to `name` means.
    pub(crate) fn copying(name: &str, error: CopyError) -> Trouble {
        match error {
            CopyError::Writing(error) => Trouble::writing(name, error),
            CopyError::Reading(_) => Trouble::Failed(error.into()),
        }
    }
}
