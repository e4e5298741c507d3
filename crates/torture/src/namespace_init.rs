//! The first process of a PID namespace, with bystanders around the procpool that it starts: it tells how that ends, and
//! goes, and all with it, when it is told to.
//!
//! What it has to tell stands in files of its folder, for the way out of a namespace is the file system.

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

/// The notes in a folder.
pub(crate) struct Notes(PathBuf);

/// How often is looked for news.
const PULSE: Duration = Duration::from_millis(1);

/// Starts the command among bystanders whose numbers come after this one, and stays.
pub(crate) fn keep(folder: &Path, last_number: u32, words: &[OsString]) -> Result<()> {
    let notes = Notes::in_folder(folder);
    // In a foreign /proc the one with procpool's number is to be this process, and its children's numbers the bystanders'.
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

/// The next process has the next number that is free. Not everybody may say so; the numbers are small ones then, and
/// neighbours all the same.
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

    /// How procpool has ended, once it has.
    pub(crate) fn end(&self) -> Option<End> {
        let told = fs::read_to_string(self.ended()).ok()?;
        let (way, number) = told.split_once(' ')?;
        let number = number.parse().ok()?;
        Some(if way == "died" { End::Died(number) } else { End::Exited(number) })
    }

    pub(crate) fn ask_to_leave(&self) -> Result<()> {
        self.write(&self.leave(), "")
    }

    /// What was done to which bystanders, once the company has left.
    pub(crate) fn hurt_bystanders(&self) -> Result<Vec<String>> {
        let told = fs::read_to_string(self.hurt()).context("the company has not told of its bystanders")?;
        Ok(told.lines().map(str::to_owned).collect())
    }

    /// At once as a whole: somebody waits for it.
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
