//! How a halt of a whole run reaches its slices: by a file that all of them look at.
//! Knows nothing of who halts, or why.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::Duration;

use procpool_core::{Halt, Handle, Signal};

use crate::journal::file::JournalFile;
use crate::threads;

/// The time between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// The file is looked at in vain so often before it counts as taken away.
const PATIENCE: u32 = 8;

/// Writes how far a round is to halt. The file is there from its beginning on: one that appears later is seen late where
/// names that were missing are remembered, as by NFS.
///
/// # Errors
/// Where it can't be written.
pub(crate) fn tell(file: &JournalFile, halt: Halt) -> io::Result<()> {
    let file: File = file.open_or_make()?;
    // One write of a length that never changes: nobody reads half of it.
    file.write_all_at(format!("{:<9}\n", text(halt)).as_bytes(), 0)?;
    file.sync_data()
}

fn text(halt: Halt) -> String {
    match halt {
        Halt::GoOn => "go on".to_owned(),
        Halt::Drain => "drain".to_owned(),
        Halt::Stop(signal) => format!("stop {}", signal.number()),
        Halt::Kill => "kill".to_owned(),
    }
}

/// What such a file says; `None` where it says nothing that has a meaning.
fn parse(text: &str) -> Option<Halt> {
    Some(match text.trim_end() {
        "go on" => Halt::GoOn,
        "drain" => Halt::Drain,
        "kill" => Halt::Kill,
        other => Halt::Stop(Signal::from_number(other.strip_prefix("stop ")?.parse().ok()?)?),
    })
}

fn read(file: &JournalFile) -> io::Result<Option<Halt>> {
    let mut text = String::new();
    file.open()?.take(64).read_to_string(&mut text)?;
    Ok(parse(&text))
}

/// Has a slice obey the file from now on, by a thread of its own. Where the file is gone, so is the run: then it stops.
///
/// # Errors
/// Where the system has no thread for it.
pub(crate) fn obey(file: JournalFile, handle: Handle) -> io::Result<()> {
    let watch = move || {
        let mut missed = 0;
        while handle.halted() != Halt::Kill {
            match read(&file) {
                Ok(halt) => {
                    missed = 0;
                    apply(&handle, halt.unwrap_or(Halt::GoOn));
                }
                Err(_) => missed += 1,
            }
            if missed >= PATIENCE {
                handle.stop();
            }
            thread::sleep(LOOK);
        }
    };
    // It ends with the process.
    threads::start("procpool-halt", watch).map(drop)
}

fn apply(handle: &Handle, halt: Halt) {
    match halt {
        Halt::GoOn => {}
        Halt::Drain => handle.drain(),
        Halt::Stop(signal) => handle.stop_with(signal),
        Halt::Kill => handle.kill(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::folder::Folder;

    #[test]
    fn what_is_told_is_what_is_read() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let file = Folder::make(temporary.path()).unwrap().0.halt("1-1");
        for halt in [Halt::GoOn, Halt::Drain, Halt::Stop(Signal::INT), Halt::Stop(Signal::TERM), Halt::Kill] {
            tell(&file, halt).unwrap();
            assert_eq!(read(&file).unwrap(), Some(halt));
        }
        assert_eq!(std::fs::read(file.path()).unwrap(), b"kill     \n");
    }

    #[test]
    fn what_makes_no_sense_says_nothing() {
        for text in ["", "stop", "stop x", "stop 999", "Kill", "\0\0\0"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
