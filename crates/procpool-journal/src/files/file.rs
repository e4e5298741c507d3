//! A file of a journal's folder: opened by its name in the folder that is held open, and believed only where nobody else can
//! have written it. Knows nothing of what stands in it.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags, Stat, fstat, fsync, linkat, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

use crate::files::outage::Outage;
use crate::os::ownership::{self, ForeignAccess, TrustedOwner};

/// A folder that is open: whoever moves it or puts another one in its place changes nothing for us.
#[derive(Debug)]
pub(super) struct OpenFolder {
    pub(super) path: PathBuf,
    pub(super) directory: OwnedFd,
    pub(super) trust: Trust,
    pub(super) outage: Arc<Outage>,
}

/// Whose files are read there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Jobs are run by what stands there.
    Only(TrustedOwner),
    /// It is only told of.
    Anyone,
}

/// See the head of this file.
#[derive(Clone)]
pub struct JournalFile {
    folder: Arc<OpenFolder>,
    name: String,
}

/// Which file of its file system it is.
pub(crate) type FileNumber = (u64, u64);

impl JournalFile {
    pub(super) fn new(folder: &Arc<OpenFolder>, name: String) -> JournalFile {
        JournalFile { folder: Arc::clone(folder), name }
    }

    /// What it is called, for people.
    pub fn path(&self) -> PathBuf {
        self.folder.path.join(&self.name)
    }

    /// Does something in its folder; where others share that, again and again as long as it can't be used.
    ///
    /// # Errors
    /// Those of the deed that don't pass.
    pub(crate) fn wait_out<T>(&self, deed: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        self.folder.outage.wait_out(&self.folder.path, deed)
    }

    /// Opens it to read it.
    ///
    /// # Errors
    /// Where it can't be, is none, or somebody else may have written it.
    pub fn open(&self) -> io::Result<File> {
        self.open_as(OFlags::RDONLY)
    }

    /// Opens it to read and write it, or makes it for its owner alone.
    ///
    /// # Errors
    /// As [`open`](JournalFile::open).
    pub fn open_or_make(&self) -> io::Result<File> {
        loop {
            match self.make() {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                result => return result,
            }
            match self.open_to_write() {
                // Somebody has taken it away meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                result => return result,
            }
        }
    }

    /// Opens it to read and write it.
    ///
    /// # Errors
    /// As [`open`](JournalFile::open).
    pub(crate) fn open_to_write(&self) -> io::Result<File> {
        self.open_as(OFlags::RDWR)
    }

    /// The same, for what is only written at its end.
    ///
    /// # Errors
    /// As [`open`](JournalFile::open).
    pub(crate) fn open_to_append(&self) -> io::Result<File> {
        self.open_as(OFlags::RDWR | OFlags::APPEND)
    }

    /// Makes it for its owner alone.
    ///
    /// # Errors
    /// Where something has its name already, or it can't be made.
    pub fn make(&self) -> io::Result<File> {
        self.make_as(OFlags::RDWR)
    }

    /// Makes it in the place of whatever has its name, so that nobody has it open already.
    ///
    /// # Errors
    /// Where it can't be made.
    pub fn make_anew(&self) -> io::Result<File> {
        self.make_anew_as(OFlags::RDWR)
    }

    /// The same, for what is only written at its end.
    ///
    /// # Errors
    /// Where it can't be made.
    pub(crate) fn make_anew_to_append(&self) -> io::Result<File> {
        self.make_anew_as(OFlags::RDWR | OFlags::APPEND)
    }

    fn make_anew_as(&self, flags: OFlags) -> io::Result<File> {
        match self.make_as(flags) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.remove()?;
                self.make_as(flags)
            }
            made => made,
        }
    }

    fn make_as(&self, flags: OFlags) -> io::Result<File> {
        let flags = flags | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(openat(&self.folder.directory, &self.name, flags, Mode::RUSR | Mode::WUSR)?))
    }

    fn open_as(&self, flags: OFlags) -> io::Result<File> {
        // A pipe would have us wait for its other end.
        let flags = flags | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let open = |flags| openat(&self.folder.directory, &self.name, flags, Mode::empty());
        let file = match self.folder.trust {
            Trust::Anyone => File::from(open(flags).map_err(not_opened)?),
            Trust::Only(ours) => {
                let file = open(flags | OFlags::NOFOLLOW).map_err(|error| match error {
                    Errno::LOOP => {
                        io::Error::new(io::ErrorKind::InvalidInput, "it is a link; put the file in its place")
                    }
                    error => not_opened(error),
                })?;
                if let Some(doubt) = ours.doubt(&fstat(&file)?) {
                    return Err(self.refusal(doubt));
                }
                File::from(file)
            }
        };
        if file.metadata()?.is_file() { Ok(file) } else { Err(no_file()) }
    }

    fn refusal(&self, doubt: ForeignAccess) -> io::Error {
        let advice = match doubt {
            ForeignAccess::Owner(_) => "who may have changed it; name another folder".to_owned(),
            ForeignAccess::Mode(_) => {
                let close = ownership::closing(&self.path());
                format!("who may have changed it; where it is as it should be: `{close}`")
            }
        };
        io::Error::new(io::ErrorKind::PermissionDenied, format!("it {doubt}, {advice}"))
    }

    /// What has its name now.
    ///
    /// # Errors
    /// Where nothing has, or that can't be told.
    pub fn stat(&self) -> io::Result<Stat> {
        Ok(statat(&self.folder.directory, &self.name, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// The same; `None` where nothing has its name.
    ///
    /// # Errors
    /// Where that can't be told.
    pub fn stat_if_there(&self) -> io::Result<Option<Stat>> {
        match self.stat() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            stat => stat.map(Some),
        }
    }

    /// # Errors
    /// Where it is not there, or can't be taken away.
    pub fn remove(&self) -> io::Result<()> {
        Ok(unlinkat(&self.folder.directory, &self.name, AtFlags::empty())?)
    }

    /// Gives it the name of another one of its folder, whose place it takes.
    ///
    /// # Errors
    /// Where it can't have that name.
    pub fn rename_to(&self, other: &JournalFile) -> io::Result<()> {
        Ok(renameat(&self.folder.directory, &self.name, &other.folder.directory, &other.name)?)
    }

    /// Gives it another name as well, that of no other file.
    ///
    /// # Errors
    /// Where something has that name, or it can't be given.
    pub fn link_as(&self, other: &JournalFile) -> io::Result<()> {
        let (from, to) = (&self.folder.directory, &other.folder.directory);
        Ok(linkat(from, &self.name, to, &other.name, AtFlags::empty())?)
    }

    /// Comes back once the disk has the names of all files of its folder.
    ///
    /// # Errors
    /// Where the disk doesn't take them.
    pub(crate) fn sync_folder(&self) -> io::Result<()> {
        Ok(fsync(&self.folder.directory)?)
    }

    /// The one that has this behind its name.
    #[must_use]
    pub fn with_suffix(&self, suffix: &str) -> JournalFile {
        JournalFile {
            folder: Arc::clone(&self.folder),
            name: format!("{}{suffix}", self.name),
        }
    }
}

fn not_opened(error: Errno) -> io::Error {
    if error == Errno::ISDIR { no_file() } else { error.into() }
}

fn no_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is no file")
}

/// When a file or a folder was changed last, in nanoseconds.
pub fn changed(stat: &Stat) -> i128 {
    i128::from(stat.st_mtime) * 1_000_000_000 + i128::from(stat.st_mtime_nsec)
}

/// By which a file is known again, whatever it is called.
pub(crate) fn number_of(stat: &Stat) -> FileNumber {
    (stat.st_dev, stat.st_ino)
}

impl PartialEq for JournalFile {
    fn eq(&self, other: &JournalFile) -> bool {
        (&self.folder.path, &self.name) == (&other.folder.path, &other.name)
    }
}

impl Eq for JournalFile {}

impl fmt::Debug for JournalFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.path(), f)
    }
}
