//! What wants to know of each job's end.
//! Knows no kind of it; each has a file of its own below.

pub(crate) mod in_order;
pub(crate) mod print;
pub(crate) mod tag;
pub(crate) mod tame;

use std::io;

use procpool_core::{Completion, CopyError};

use crate::work::Work;

/// Is told of completions, in the order in which jobs end. Several are told in a fixed order: what records
/// comes before what shows, so that nothing is shown that is not recorded.
pub(crate) trait Sink {
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

    /// What the error of copying captured output to `name` means.
    pub(crate) fn copying(name: &str, error: CopyError) -> Trouble {
        match error {
            CopyError::Writing(error) => Trouble::writing(name, error),
            CopyError::Reading(_) => Trouble::Failed(error.into()),
        }
    }
}
