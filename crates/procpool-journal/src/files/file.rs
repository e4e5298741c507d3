//! A file of a journal's folder, opened by its name in the folder's descriptor: if the folder is moved or
//! replaced meanwhile, we still use the same one. If jobs are run from it, a file that another user could
//! have written is refused.

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

/// A folder that is open.
#[derive(Debug)]
pub(super) struct OpenFolder {
    pub(super) path: PathBuf,
    pub(super) directory: OwnedFd,
    pub(super) trust: Trust,
    pub(super) outage: Arc<Outage>,
}

/// Whose files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Jobs are run from the folder: only those of this user.
    Only(TrustedOwner),
    /// The folder is only read.
    Anyone,
}

/// A file of a journal's folder, by its name. It needn't exist.
#[derive(Clone)]
pub struct JournalFile {
    folder: Arc<OpenFolder>,
    name: String,
}

impl JournalFile {
    pub(super) fn new(folder: &Arc<OpenFolder>, name: String) -> JournalFile {
        JournalFile { folder: Arc::clone(folder), name }
    }

    /// Its path, for messages.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path.join(&self.name)
    }

    /// Calls `deed`. If other machines share the folder, retries it as long as the folder can't be used.
    ///
    /// # Errors
    /// Those of `deed` that are not transient.
    pub(crate) fn wait_out<T>(&self, deed: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        self.folder.outage.wait_out(&self.folder.path, deed)
    }

    /// Opens it for reading.
    ///
    /// # Errors
    /// If it can't be opened, is no regular file, or another user could have written it.
    pub fn open(&self) -> io::Result<File> {
        self.open_as(OFlags::RDONLY)
    }

    /// Opens it for reading and writing, or creates it with mode 0600.
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
                // It was removed meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                result => return result,
            }
        }
    }

    /// Opens it for reading and writing.
    ///
    /// # Errors
    /// As [`open`](JournalFile::open).
    pub(crate) fn open_to_write(&self) -> io::Result<File> {
        self.open_as(OFlags::RDWR)
    }

    /// Opens it for reading and appending.
    ///
    /// # Errors
    /// As [`open`](JournalFile::open).
    pub(crate) fn open_to_append(&self) -> io::Result<File> {
        self.open_as(OFlags::RDWR | OFlags::APPEND)
    }

    /// Creates it with mode 0600.
    ///
    /// # Errors
    /// If it exists already, or can't be created.
    pub fn make(&self) -> io::Result<File> {
        self.make_as(OFlags::RDWR)
    }

    /// Creates it in place of an existing one, so that no other process has it open.
    ///
    /// # Errors
    /// If it can't be created.
    pub fn make_anew(&self) -> io::Result<File> {
        self.make_anew_as(OFlags::RDWR)
    }

    /// The same, for reading and appending.
    ///
    /// # Errors
    /// If it can't be created.
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
        // Opening a named pipe would block.
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
                if let Some(access) = ours.foreign_access(&fstat(&file)?) {
                    return Err(self.refusal(access));
                }
                File::from(file)
            }
        };
        if file.metadata()?.is_file() { Ok(file) } else { Err(no_file()) }
    }

    fn refusal(&self, access: ForeignAccess) -> io::Error {
        let advice = match access {
            ForeignAccess::Owner(_) => "who may have changed it; name another folder".to_owned(),
            ForeignAccess::Mode(_) => {
                let close = ownership::closing(&self.path());
                format!("who may have changed it; where it is as it should be: `{close}`")
            }
        };
        io::Error::new(io::ErrorKind::PermissionDenied, format!("it {access}, {advice}"))
    }

    /// The status of the file that has its name now, without following a link.
    ///
    /// # Errors
    /// If there is nothing, or it can't be read.
    pub fn stat(&self) -> io::Result<Stat> {
        Ok(statat(&self.folder.directory, &self.name, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// The same, or `None` if there is nothing.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn stat_if_there(&self) -> io::Result<Option<Stat>> {
        match self.stat() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            stat => stat.map(Some),
        }
    }

    /// Removes it.
    ///
    /// # Errors
    /// If it doesn't exist, or can't be removed.
    pub fn remove(&self) -> io::Result<()> {
        Ok(unlinkat(&self.folder.directory, &self.name, AtFlags::empty())?)
    }

    /// Renames it to the other one, which it replaces.
    ///
    /// # Errors
    /// If it can't be renamed.
    pub fn rename_to(&self, other: &JournalFile) -> io::Result<()> {
        Ok(renameat(&self.folder.directory, &self.name, &other.folder.directory, &other.name)?)
    }

    /// Gives it a second name, by a hard link.
    ///
    /// # Errors
    /// If that name exists, or the link can't be made.
    pub fn link_as(&self, other: &JournalFile) -> io::Result<()> {
        let (from, to) = (&self.folder.directory, &other.folder.directory);
        Ok(linkat(from, &self.name, to, &other.name, AtFlags::empty())?)
    }

    /// Returns once the disk has the names of all files of its folder (fsync(2)).
    ///
    /// # Errors
    /// If the disk reports an error.
    pub(crate) fn sync_folder(&self) -> io::Result<()> {
        Ok(fsync(&self.folder.directory)?)
    }

    /// The file with this suffix behind its name.
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

/// When the contents of a file or folder were changed last, in nanoseconds since 1970.
#[must_use]
pub fn changed(stat: &Stat) -> i128 {
    i128::from(stat.st_mtime) * 1_000_000_000 + i128::from(stat.st_mtime_nsec)
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
