//! The temporary files of a runner: a few, so that large outputs need not wait for each other.
//! Knows nothing of what is in them.

use std::io;
use std::sync::Arc;

use crate::spool::file::{SpoolFile, SpoolPlace};
use crate::sys;

/// The kernel lets one thread at a time write to a file, and the others burn their time while they wait for that
/// (`rwsem_spin_on_owner` in a profile of eight large outputs). Each of these is made when it is needed.
#[derive(Clone)]
pub(crate) struct SpoolFiles(Vec<Arc<SpoolFile>>);

/// So many where descriptors are no matter, and one where no more than so many are allowed.
const FILES: usize = 4;
const FEW_DESCRIPTORS: u64 = 256;

impl SpoolFiles {
    /// Files in this place, for what spools have beyond `threshold` bytes.
    pub(crate) fn new(place: &SpoolPlace, threshold: usize) -> SpoolFiles {
        let count = if sys::allowed_descriptors() < FEW_DESCRIPTORS { 1 } else { FILES };
        let file = |_| Arc::new(SpoolFile::new(place.clone(), threshold));
        SpoolFiles((0..count).map(file).collect())
    }

    /// That for the outputs of the job in this place among all that run. The first is 0.
    pub(crate) fn of(&self, place: usize) -> Arc<SpoolFile> {
        Arc::clone(&self.0[place % self.0.len()])
    }

    /// Whether one can be made.
    ///
    /// # Errors
    /// Why it can't.
    pub(crate) fn check(&self) -> io::Result<()> {
        self.0[0].check()
    }
}
