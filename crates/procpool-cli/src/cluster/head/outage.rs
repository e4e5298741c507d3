//! What a head does while the folder can't be used: it waits, as for a controller that is away.

use procpool_core::{Driver, Halt};

use super::{HeadLoop, LONGEST};
use crate::job::work::Work;

impl HeadLoop {
    /// What came of something in the folder; `None` where it can't be used now: then it is to be done again.
    pub(super) fn unless_away<T>(&mut self, done: anyhow::Result<T>) -> anyhow::Result<Option<T>> {
        let error = match done {
            Ok(done) => return Ok(Some(done)),
            Err(error) => error,
        };
        match self.session.folder.wait_for(&error) {
            Some(waiting) => {
                // Until all of it has been read.
                self.away.get_or_insert(waiting);
                Ok(None)
            }
            None => Err(error),
        }
    }

    /// Does something in the folder that all else has to wait for. `None` where the run is halted meanwhile: then it
    /// isn't done.
    pub(super) fn insist<T>(
        &mut self,
        driver: &mut Driver<Work>,
        deed: impl Fn(&mut HeadLoop) -> anyhow::Result<T>,
    ) -> anyhow::Result<Option<T>> {
        loop {
            let done = deed(self);
            if let Some(done) = self.unless_away(done)? {
                return Ok(Some(done));
            }
            if driver.halted() != Halt::GoOn {
                return Ok(None);
            }
            driver.wait(LONGEST);
        }
    }
}
