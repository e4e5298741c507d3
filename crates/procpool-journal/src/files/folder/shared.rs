//! A folder that several machines share: what is waited for where it can't be used.
//! Knows nothing of what is done there.

use std::io;

use super::Folder;
use crate::files::outage::{OutageHandler, Waiting};

impl Folder {
    /// Others share it: from now on an error that passes is no end of what is done in it.
    pub fn wait_for_ends_of_outages(&self, tell: OutageHandler) {
        self.0.outage.wait_for_ends(tell);
    }

    /// Whether this is to be waited for.
    pub fn may_pass(&self, error: &io::Error) -> bool {
        self.0.outage.is(error)
    }

    /// Whether somebody waits for it now.
    pub fn is_away(&self) -> bool {
        self.0.outage.is_on()
    }

    /// Does something in it; where others share it, again and again as long as it can't be used.
    ///
    /// # Errors
    /// Those of the deed that don't pass.
    pub fn wait_out<T>(&self, deed: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        self.0.outage.wait_out(&self.0.path, deed)
    }

    /// Begins to wait where this was for something that passes.
    pub fn wait_for(&self, error: &anyhow::Error) -> Option<Waiting> {
        let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
        let error = causes.find(|error| self.0.outage.is(error))?;
        Some(self.0.outage.begin(&self.0.path, error))
    }
}
