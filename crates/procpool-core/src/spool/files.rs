//! The temporary files of a runner: a few, so that large outputs need not wait for each other.
//! Knows nothing of what is in them.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::spool::file::SpoolFile;

/// The kernel lets one thread at a time write to a file, and the others burn their time while they wait for that
/// (`rwsem_spin_on_owner` in a profile of eight large outputs). Each of these is made when it is needed.
#[derive(Clone)]
pub(crate) struct SpoolFiles([Arc<SpoolFile>; FILES]);

const FILES: usize = 4;

impl SpoolFiles {
    /// Files in `directory`, for what spools have beyond `threshold` bytes.
    pub(crate) fn new(directory: &Path, threshold: usize) -> SpoolFiles {
        let file = || Arc::new(SpoolFile::new(directory.to_owned(), threshold));
        SpoolFiles(std::array::from_fn(|_| file()))
    }

    /// That for the outputs of the job in this place among all that run. The first is 0.
    pub(crate) fn of(&self, place: usize) -> Arc<SpoolFile> {
        Arc::clone(&self.0[place % FILES])
    }

    /// Whether one can be made.
    ///
    /// # Errors
    /// Why it can't.
    pub(crate) fn check(&self) -> io::Result<()> {
        self.0[0].check()
    }
}
