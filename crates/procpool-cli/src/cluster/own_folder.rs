//! The folder of a run on a cluster without `--journal`: the run needs one all the same.

use std::fs;
use std::path::{Path, PathBuf};

use procpool_core::Command;

use crate::exit::ExitStatus;
use crate::shell::quote::{QuoteStyle, command_line};
use crate::terminal::screen;

/// It goes with a run that came to its end, and stays where there is something left to do or to look at.
#[derive(Debug)]
pub(crate) struct OwnFolder(PathBuf);

impl OwnFolder {
    /// In the directory where procpool runs: what all nodes see is nowhere else more likely.
    pub(crate) fn of(run: &str) -> OwnFolder {
        OwnFolder(format!("procpool-{run}").into())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Whether any of it has ever come to a cluster.
    fn was_handed_in(&self) -> bool {
        let is_of_slices = |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with("slices-");
        fs::read_dir(&self.0).is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(is_of_slices)))
    }

    /// The run is over, for this process.
    pub(crate) fn settle(&self, has_left: bool, status: ExitStatus) {
        if !self.0.is_dir() {
            return;
        }
        let is_over = match status {
            ExitStatus::Success | ExitStatus::JobsFailed => !has_left || !self.was_handed_in(),
            ExitStatus::Scaled(number) => number < u8::MAX,
            // What came before it was run, and what comes after it nobody has seen.
            ExitStatus::BadInput => true,
            ExitStatus::OwnFailure | ExitStatus::Signal(_) => !self.was_handed_in(),
        };
        if !is_over || fs::remove_dir_all(&self.0).is_err() {
            tell(&self.0);
        }
    }
}

/// Says how a run is gone on with that is not over.
pub(crate) fn tell(folder: &Path) {
    let again = Command::new("procpool").arg("resume").arg(folder);
    let line = command_line(&again, QuoteStyle::Line);
    screen::say(&format!("procpool: to go on with it: {}\n", line.to_string_lossy()));
}
