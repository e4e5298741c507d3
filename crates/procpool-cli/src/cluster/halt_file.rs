//! How a halt of the whole run reaches its slices: through a file that all of them poll.
//!
//! A slice keeps the file open and reads it four times a second. Every five seconds it opens the file again,
//! because a shared file system fetches the current content only then. Errors say nothing about the run, and
//! are waited out. The run counts as gone only if the folder is there without the file, or the folder's
//! parent is there without the folder.

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

/// The time between two reads.
const LOOK: Duration = Duration::from_millis(250);

/// The shortest time after which the file is opened again.
const ANEW: Duration = Duration::from_secs(5);

/// The run counts as gone after this many looks in a row have found it gone.
const SURE: u32 = 2;

/// Writes the halt of a round. The file exists from the beginning of the round: file systems such as NFS
/// cache that a name is missing, so a file that is created later is seen late.
///
/// # Errors
/// The file can't be written.
pub(crate) fn tell(file: &JournalFile, halt: Halt) -> io::Result<()> {
    let file: File = file.open_or_make()?;
    // A single write of constant length, so nobody reads half of it.
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

/// Parses the content of the file; `None` if it is invalid.
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

/// The halt file of a round, as a slice follows it.
pub(crate) struct HaltFile {
    folder: Folder,
    round: String,
    /// Identifies the folder's parent: an empty mount point is a different directory. `None` if it could not
    /// be read.
    parent: Option<FileId>,
    open: Option<File>,
    opened: Option<Instant>,
    /// How many looks in a row have found the run gone.
    missed: u32,
}

impl HaltFile {
    pub(crate) fn new(folder: Folder, round: String) -> HaltFile {
        let parent = parent_of(folder.path());
        HaltFile { folder, round, parent, open: None, opened: None, missed: 0 }
    }

    /// The halt in the file; `None` if the content is invalid or can't be read now.
    fn look(&mut self) -> Option<Halt> {
        if self.opened.is_none_or(|opened| opened.elapsed() >= ANEW) {
            self.opened = Some(Instant::now());
            self.open_anew();
        }
        // After a failed read the last halt stays in force, and the file is opened again when it is due.
        self.open.as_ref().and_then(|file| read(file).ok()).flatten()
    }

    fn open_anew(&mut self) {
        let found = self.folder.halt(&self.round).open().or_else(|error| {
            // The open directory may be unusable after a restart of the file server.
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

    /// Whether the file is certainly missing. Looked up by path, because the open directory may be another
    /// one by now.
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

/// Starts a thread that makes a slice obey the file. If the run is gone, the slice stops.
///
/// # Errors
/// The system refuses the thread.
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
    // Not joined: the thread ends with the process.
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

    /// The halt file of a round, and the path of its folder.
    fn followed(temporary: &tempfile::TempDir) -> (HaltFile, std::path::PathBuf) {
        let path = temporary.path().join("project/journal");
        let (folder, _) = Folder::make(&path).unwrap();
        tell(&folder.halt("1-1"), Halt::GoOn).unwrap();
        let mut file = HaltFile::new(folder, "1-1".to_owned());
        assert_eq!(file.look(), Some(Halt::GoOn));
        (file, path)
    }

    /// Reopens and reads it more often than `SURE`. Returns the last result.
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
        // In practice the other parent is on another file system. Here its inode number only must differ from
        // that of the first one.
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
