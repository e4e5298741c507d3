//! Waiting for a folder that several machines share, while it can't be used.

use std::io;

use super::Folder;
use crate::files::outage::{OutageHandler, Waiting};

impl Folder {
    /// Other machines share the folder: from now on transient errors are waited for, and `tell` tells the
    /// user.
    pub fn wait_for_ends_of_outages(&self, tell: OutageHandler) {
        self.0.outage.wait_for_ends(tell);
    }

    /// Whether this error is waited for.
    #[must_use]
    pub fn may_pass(&self, error: &io::Error) -> bool {
        self.0.outage.is(error)
    }

    /// Whether a thread waits for the folder now.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.0.outage.is_on()
    }

    /// Calls `deed`. If other machines share the folder, retries it as long as the folder can't be used.
    ///
    /// # Errors
    /// Those of `deed` that are not transient.
    pub fn wait_out<T>(&self, deed: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        self.0.outage.wait_out(&self.0.path, deed)
    }

    /// Begins to wait if this error has a transient cause.
    #[must_use]
    pub fn wait_for(&self, error: &anyhow::Error) -> Option<Waiting> {
        let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
        let error = causes.find(|error| self.0.outage.is(error))?;
        Some(self.0.outage.begin(&self.0.path, error))
    }
}
