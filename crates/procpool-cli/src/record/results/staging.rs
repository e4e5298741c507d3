//! The hidden folder in which results wait until they are complete, and the removal of those that killed runs
//! have left.

use std::io;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::{Pid, getpid, test_kill_process};

use crate::record::results::folder::Folder;

/// No key's folder begins with a full stop, so none has such a name.
const PREFIX: &str = ".procpool-";

/// The beginning of the name of a folder that is never removed.
const KEPT: &str = ".procpool-kept-";

/// The folder of a run, locked as long as the run goes on.
pub(crate) struct Staging {
    run: String,
    name: String,
    pub(crate) folder: Folder,
}

impl Staging {
    /// Creates the folder of this run.
    pub(crate) fn make(place: &Folder, run: &str) -> io::Result<Staging> {
        let name = format!("{PREFIX}{run}");
        let folder = place.make(&name)?;
        // On a file system without locks nobody gets one, so nobody takes this folder for a leftover.
        let _ = flock(&folder, FlockOperation::NonBlockingLockExclusive);
        Ok(Staging { run: run.to_owned(), name, folder })
    }

    /// Removes the folders of runs that are over. Their contents were never recorded.
    pub(crate) fn sweep(&self, place: &Folder) {
        let is_left = |name: &str| name != self.name && process_of(name).is_some_and(is_over);
        for name in place.entries(is_left).unwrap_or_default() {
            // A folder that can't be removed does no harm.
            let _ = remove_left(place, &name);
        }
    }

    /// Keeps the folder for the user to look at, and returns its new name.
    pub(crate) fn keep(&self, place: &Folder) -> io::Result<String> {
        let kept = format!("{KEPT}{}", self.run);
        place.rename(&self.name, &kept)?;
        Ok(kept)
    }

    /// Removes the folder if it is empty.
    pub(crate) fn remove(&self, place: &Folder) -> io::Result<()> {
        place.remove_empty(&self.name)
    }
}

/// Removes a folder that its run has left, with the results in it and nothing else.
fn remove_left(place: &Folder, name: &str) -> io::Result<()> {
    let folder = place.enter(name)?;
    // Its process may only look dead, if it is on another machine or in another container.
    flock(&folder, FlockOperation::NonBlockingLockExclusive)?;
    for results in folder.entries(is_staged)? {
        folder.remove_results(&results)?;
    }
    place.remove_empty(name)
}

/// The process of the run that created this folder: a run's name ends with its PID.
fn process_of(name: &str) -> Option<Pid> {
    let (since, process) = name.strip_prefix(PREFIX)?.split_once('-')?;
    u64::from_str_radix(since, 16).ok()?;
    process.parse().ok().filter(|number| *number > 0).and_then(Pid::from_raw)
}

/// A folder with our own PID is of another run, too: its name has a start time that is not ours.
fn is_over(process: Pid) -> bool {
    process == getpid() || test_kill_process(process) == Err(Errno::SRCH)
}

/// Folders of results are named by number there, and old ones `N-old` if names can't be exchanged.
fn is_staged(name: &str) -> bool {
    name.strip_suffix("-old").unwrap_or(name).bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_of_a_run_is_taken_for_one() {
        assert_eq!(
            process_of(".procpool-660e5edcbf880-32471").map(Pid::as_raw_nonzero).unwrap().get(),
            32471
        );
        for name in [
            ".procpool-kept-660e-32471",
            ".procpool-x-1",
            ".procpool-1",
            ".procpool-1-0",
            ".procpool-1--1",
            "1-1",
        ] {
            assert_eq!(process_of(name), None, "{name}");
        }
    }
}
