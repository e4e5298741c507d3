//! What the head does while the folder can't be used: it waits, as it does for a Slurm controller that
//! doesn't answer.

use procpool_core::{Driver, Halt};

use super::{HeadLoop, LONGEST};
use crate::job::work::Work;

impl HeadLoop {
    /// Passes on the result of an operation in the folder; `None` if the folder can't be used now, and the
    /// operation has to be repeated.
    pub(super) fn unless_away<T>(&mut self, done: anyhow::Result<T>) -> anyhow::Result<Option<T>> {
        let error = match done {
            Ok(done) => return Ok(Some(done)),
            Err(error) => error,
        };
        match self.session.folder.wait_for(&error) {
            Some(waiting) => {
                // `follow` ends this after it has read everything.
                self.away.get_or_insert(waiting);
                Ok(None)
            }
            None => Err(error),
        }
    }

    /// Repeats an operation in the folder until it succeeds; nothing else happens meanwhile. `None` if the
    /// run is halted before that: then the operation has not succeeded.
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
