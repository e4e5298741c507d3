//! How a halt of a whole run reaches its slices: by a file that all of them look at.
//!
//! A slice keeps the file open and reads it four times a second; opened anew, which is what makes a shared file system say what is
//! there now, it is each five seconds. Whatever goes wrong with that says nothing of the run, and is waited out: only where the folder
//! is seen without the file, or its parent without the folder, the run is gone.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use procpool_core::{Halt, Handle, Signal};

use procpool_journal::files::file::JournalFile;
use procpool_journal::files::folder::{Folder, Purpose};
use procpool_journal::os::file_id::FileId;
use procpool_journal::os::threads;

/// The time between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// The least time until the file is opened once more.
const ANEW: Duration = Duration::from_secs(5);

/// The run is seen to be gone so often before it is.
const SURE: u32 = 2;

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

fn read(file: &File) -> io::Result<Option<Halt>> {
    let mut bytes = [0; 64];
    let count = file.read_at(&mut bytes, 0)?;
    Ok(std::str::from_utf8(&bytes[..count]).ok().and_then(parse))
}

/// The file of a round, as a slice follows it.
pub(crate) struct HaltFile {
    folder: Folder,
    round: String,
    /// Of the folder's parent, by which it is known again: a place where nothing is mounted is another one. `None` where it
    /// could not be seen.
    parent: Option<FileId>,
    open: Option<File>,
    opened: Option<Instant>,
    /// How often in a row the run was gone.
    missed: u32,
}

impl HaltFile {
    pub(crate) fn new(folder: Folder, round: String) -> HaltFile {
        let parent = parent_of(folder.path());
        HaltFile { folder, round, parent, open: None, opened: None, missed: 0 }
    }

    /// What it says; `None` where that is nothing, or can't be told now.
    fn look(&mut self) -> Option<Halt> {
        if self.opened.is_none_or(|opened| opened.elapsed() >= ANEW) {
            self.opened = Some(Instant::now());
            self.open_anew();
        }
        // What can't be read stays as it was told last, and is opened anew in its time.
        self.open.as_ref().and_then(|file| read(file).ok()).flatten()
    }

    fn open_anew(&mut self) {
        let found = self.folder.halt(&self.round).open().or_else(|error| {
            // What was held may be of no use any more, where a server was restarted.
            let folder = Folder::open(self.folder.path(), Purpose::Run).ok().flatten().ok_or(error)?;
            let file = folder.halt(&self.round).open()?;
            self.folder = folder;
            Ok::<File, io::Error>(file)
        });
        match found {
            Ok(file) => {
                self.open = Some(file);
                self.missed = 0;
            }
            Err(_) if self.is_missing() => self.missed += 1,
            Err(_) => self.missed = 0,
        }
    }

    /// Whether it is seen that it is not there. By its path: what was opened before may lead elsewhere.
    fn is_missing(&self) -> bool {
        let path = self.folder.path();
        match Folder::open(path, Purpose::Read) {
            Ok(Some(folder)) => matches!(folder.halt(&self.round).stat_if_there(), Ok(None)),
            Ok(None) => self.parent.is_some() && parent_of(path) == self.parent,
            Err(_) => false,
        }
    }

    fn is_gone(&self) -> bool {
        self.missed >= SURE
    }
}

fn parent_of(path: &Path) -> Option<FileId> {
    path.parent().and_then(|parent| fs::metadata(parent).ok()).as_ref().map(FileId::from)
}

/// Has a slice obey the file from now on, by a thread of its own. Where the run is gone, it stops.
///
/// # Errors
/// Where the system has no thread for it.
pub(crate) fn obey(mut file: HaltFile, handle: Handle) -> io::Result<()> {
    let watch = move || {
        while handle.halted() != Halt::Kill {
            apply(&handle, file.look().unwrap_or(Halt::GoOn));
            if file.is_gone() {
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

    /// A round's file in a folder, whose path is the second.
    fn followed(temporary: &tempfile::TempDir) -> (HaltFile, std::path::PathBuf) {
        let path = temporary.path().join("project/journal");
        let (folder, _) = Folder::make(&path).unwrap();
        tell(&folder.halt("1-1"), Halt::GoOn).unwrap();
        let mut file = HaltFile::new(folder, "1-1".to_owned());
        assert_eq!(file.look(), Some(Halt::GoOn));
        (file, path)
    }

    /// Looks by opening it anew, again and again.
    fn look_for_long(file: &mut HaltFile) -> Option<Halt> {
        let mut said = None;
        for _ in 0..=SURE {
            file.opened = None;
            said = file.look();
        }
        said
    }

    #[test]
    fn what_is_told_is_what_is_read() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let (mut file, path) = followed(&temporary);
        for halt in [Halt::GoOn, Halt::Drain, Halt::Stop(Signal::INT), Halt::Stop(Signal::TERM), Halt::Kill] {
            tell(&file.folder.halt("1-1"), halt).unwrap();
            assert_eq!(file.look(), Some(halt));
        }
        assert_eq!(fs::read(path.join("halt-1-1")).unwrap(), b"kill     \n");
    }

    #[test]
    fn a_run_is_gone_where_its_folder_is_seen_to_be_gone_or_without_the_file() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let (mut file, path) = followed(&temporary);
        file.opened = None;
        fs::remove_file(path.join("halt-1-1")).unwrap();
        file.look();
        assert!(!file.is_gone());
        look_for_long(&mut file);
        assert!(file.is_gone());

        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let (mut file, path) = followed(&temporary);
        fs::remove_dir_all(path).unwrap();
        look_for_long(&mut file);
        assert!(file.is_gone());
    }

    #[test]
    fn a_folder_that_is_moved_or_whose_parent_is_away_or_another_one_is_not_gone() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let (mut file, path) = followed(&temporary);
        let moved = temporary.path().join("moved");
        fs::rename(&path, &moved).unwrap();
        tell(&file.folder.halt("1-1"), Halt::Drain).unwrap();
        assert_eq!(look_for_long(&mut file), Some(Halt::Drain));
        fs::remove_dir_all(&moved).unwrap();
        let parent = path.parent().unwrap().to_owned();
        fs::remove_dir(&parent).unwrap();
        look_for_long(&mut file);
        assert!(!file.is_gone(), "its parent is away");
        // Another one is on another file system, as a rule; here it only must not have the number of the one that was there.
        let other = temporary.path().join("other");
        fs::create_dir(&other).unwrap();
        fs::create_dir(&parent).unwrap();
        file.parent = parent_of(&other.join("journal"));
        look_for_long(&mut file);
        assert!(!file.is_gone(), "its parent is another one");
    }

    #[test]
    fn a_folder_that_was_put_back_is_found_by_its_path() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let (mut file, path) = followed(&temporary);
        fs::remove_dir_all(&path).unwrap();
        file.opened = None;
        file.look();
        let (folder, _) = Folder::make(&path).unwrap();
        tell(&folder.halt("1-1"), Halt::Drain).unwrap();
        assert_eq!(look_for_long(&mut file), Some(Halt::Drain));
        assert!(!file.is_gone());
    }

    #[test]
    fn what_makes_no_sense_says_nothing() {
        for text in ["", "stop", "stop x", "stop 999", "Kill", "\0\0\0"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
