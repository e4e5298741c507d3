//! The folder of a run on a cluster without `--journal`, which needs a folder all the same.

use std::fs;
use std::path::{Path, PathBuf};

use procpool_core::Command;

use crate::exit::ExitStatus;
use crate::shell::quote::{QuoteStyle, command_line};
use crate::terminal::screen;

/// Removed after a run that was completed; kept if something is left to do or to look at.
#[derive(Debug)]
pub(crate) struct OwnFolder(PathBuf);

impl OwnFolder {
    /// In the working directory, because that is the directory most likely to be visible to all nodes.
    pub(crate) fn of(run: &str) -> OwnFolder {
        OwnFolder(format!("procpool-{run}").into())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Whether slices were ever prepared for the cluster.
    fn was_handed_in(&self) -> bool {
        let is_of_slices = |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with("slices-");
        fs::read_dir(&self.0).is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(is_of_slices)))
    }

    /// Removes the folder at the end of this process if the run is over; otherwise says how to resume the
    /// run.
    pub(crate) fn settle(&self, has_left: bool, status: ExitStatus) {
        if !self.0.is_dir() {
            return;
        }
        let is_over = match status {
            ExitStatus::Success | ExitStatus::JobsFailed => !has_left || !self.was_handed_in(),
            ExitStatus::Scaled(number) => number < u8::MAX,
            // The jobs before the invalid input were run, and those after it were never read.
            ExitStatus::BadInput => true,
            ExitStatus::OwnFailure | ExitStatus::Signal(_) => !self.was_handed_in(),
        };
        if !is_over || fs::remove_dir_all(&self.0).is_err() {
            tell(&self.0);
        }
    }
}

/// Tells the user how to resume a run that is not over.
pub(crate) fn tell(folder: &Path) {
    let again = Command::new("procpool").arg("resume").arg(folder);
    let line = command_line(&again, QuoteStyle::Line);
    screen::say(&format!("procpool: to go on with it: {}\n", line.to_string_lossy()));
}
