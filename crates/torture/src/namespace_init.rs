//! The first process of a PID namespace in which procpool runs among bystanders. It starts procpool,
//! reports how that ended, and ends itself, and so the namespace, when it is asked to.
//!
//! It reports by files in a folder, because the file system is what a namespace shares with the outside.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, WaitOptions, WaitStatus, wait};

use crate::bystanders::Bystanders;
use crate::ending::End;

/// The files by which it reports.
pub(crate) struct Notes(PathBuf);

/// The pause between two looks.
const PULSE: Duration = Duration::from_millis(1);

/// Starts the command among bystanders whose process IDs follow `last_number`, and stays until it is asked
/// to leave.
pub(crate) fn keep(folder: &Path, last_number: u32, words: &[OsString]) -> Result<()> {
    let notes = Notes::in_folder(folder);
    // Where /proc is that of the outer namespace: procpool's process ID in here shall be this process's ID
    // out there, and its children's IDs those of bystanders.
    let own = fs::read_link("/proc/self").ok().and_then(|own| own.to_str()?.parse().ok());
    let last_number = own.filter(|own| *own != std::process::id()).unwrap_or(last_number);
    go_on_after(last_number);
    let mut bystanders = Bystanders::start()?;
    go_on_after(last_number - 1);
    let (program, words) = words.split_first().context("no command")?;
    let procpool =
        Command::new(program).args(words).process_group(0).spawn().context("can't start procpool")?;
    let front = Pid::from_child(&procpool);
    while !notes.leave().exists() {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if pid == front {
                notes.write(&notes.ended(), &words_for(status))?;
            }
            bystanders.note_reaped(pid, status);
        }
        bystanders.rotate()?;
        thread::sleep(PULSE);
    }
    notes.write(&notes.hurt(), &bystanders.finish()?.join("\n"))
}

/// Sets the next process ID. Not every user may; then the IDs are small ones, which are neighbours all the
/// same.
fn go_on_after(number: u32) {
    let _ = fs::write("/proc/sys/kernel/ns_last_pid", number.to_string());
}

impl Notes {
    pub(crate) fn in_folder(folder: &Path) -> Notes {
        Notes(folder.to_owned())
    }

    fn ended(&self) -> PathBuf {
        self.0.join("company-ended")
    }

    fn hurt(&self) -> PathBuf {
        self.0.join("company-hurt")
    }

    fn leave(&self) -> PathBuf {
        self.0.join("company-leave")
    }

    /// How procpool ended, once it has.
    pub(crate) fn end(&self) -> Option<End> {
        let told = fs::read_to_string(self.ended()).ok()?;
        let (way, number) = told.split_once(' ')?;
        let number = number.parse().ok()?;
        Some(if way == "died" { End::Died(number) } else { End::Exited(number) })
    }

    pub(crate) fn ask_to_leave(&self) -> Result<()> {
        self.write(&self.leave(), "")
    }

    /// What happened to bystanders that were signalled, once this process has left.
    pub(crate) fn hurt_bystanders(&self) -> Result<Vec<String>> {
        let told = fs::read_to_string(self.hurt()).context("the company has not told of its bystanders")?;
        Ok(told.lines().map(str::to_owned).collect())
    }

    /// Renames the finished file to its place, so that nobody reads half of it.
    fn write(&self, path: &Path, text: &str) -> Result<()> {
        let unfinished = self.0.join("company-note");
        let written = fs::write(&unfinished, text).and_then(|()| fs::rename(&unfinished, path));
        written.context("can't write a note")
    }
}

fn words_for(status: WaitStatus) -> String {
    match status.terminating_signal() {
        Some(number) => format!("died {number}"),
        None => format!("exited {}", status.exit_status().unwrap_or_default()),
    }
}
