//! Folders of results: they are created elsewhere, moved to their places when complete, and removed when
//! replaced.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Dir, Mode, OFlags, RenameFlags, mkdirat, openat, renameat, renameat_with, unlinkat,
};
use rustix::io::Errno;

/// The files of an attempt.
pub(crate) const FILES: [&str; 3] = ["stdout", "stderr", "meta.json"];

/// The folder of an earlier attempt has this name, followed by the attempt's number.
pub(crate) const EARLIER: &str = "attempt-";

/// An open folder. Moving it or putting a link in its place has no effect on us.
#[derive(Debug)]
pub(crate) struct Folder(OwnedFd);

/// The result of [`Folder::put`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Placed {
    Done,
    /// Something that is not a folder of results has that name. It was left alone.
    InTheWay,
}

impl Folder {
    /// Opens a folder that the user has named.
    pub(crate) fn open(path: &Path) -> io::Result<Folder> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Folder(openat(CWD, path, flags, Mode::empty())?))
    }

    /// Creates a folder in this one.
    pub(crate) fn make(&self, name: &str) -> io::Result<Folder> {
        mkdirat(&self.0, name, Mode::RWXU)?;
        self.enter(name)
    }

    /// Opens a folder in this one, without following links.
    pub(crate) fn enter(&self, name: &str) -> io::Result<Folder> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Folder(openat(&self.0, name, flags, Mode::empty())?))
    }

    /// Like [`make`](Folder::make), but the folder may already exist.
    pub(crate) fn make_or_enter(&self, name: &str) -> io::Result<Folder> {
        match mkdirat(&self.0, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => self.enter(name),
            Err(error) => Err(error.into()),
        }
    }

    /// Creates a file in this folder that only its owner may use.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR)?))
    }

    /// Renames a folder in this one.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(renameat(&self.0, from, &self.0, to)?)
    }

    /// Removes an empty folder from this one.
    pub(crate) fn remove_empty(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Moves the folder `from` of this one into `place`, as `name`. Results that are already there are
    /// replaced in one step.
    pub(crate) fn put(&self, from: &str, place: &Folder, name: &str) -> io::Result<Placed> {
        match renameat(&self.0, from, &place.0, name) {
            Ok(()) => return Ok(Placed::Done),
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => {}
            Err(error) => return Err(error.into()),
        }
        if !place.holds_results(name)? {
            return Ok(Placed::InTheWay);
        }
        let old = match renameat_with(&self.0, from, &place.0, name, RenameFlags::EXCHANGE) {
            Ok(()) => from.to_owned(),
            // Not every file system supports it. Then, for a moment, neither of the two is there.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::XDEV) => {
                let old = format!("{from}-old");
                renameat(&place.0, name, &self.0, &old)?;
                renameat(&self.0, from, &place.0, name)?;
                old
            }
            Err(error) => return Err(error.into()),
        };
        self.remove_results(&old)?;
        Ok(Placed::Done)
    }

    /// Whether `name` is a folder that contains only what procpool puts into one.
    fn holds_results(&self, name: &str) -> io::Result<bool> {
        let folder = match self.enter(name) {
            Ok(folder) => folder,
            // A link is not a folder, wherever it leads.
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(false),
            Err(error) => return Err(error),
        };
        Ok(folder.entries(|entry| !is_file_of_ours(entry) && !is_attempt(entry))?.is_empty())
    }

    /// Like [`remove_results`](Folder::remove_results), but there may be none.
    pub(crate) fn remove_if_there(&self, name: &str) -> io::Result<()> {
        match self.remove_results(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    /// Removes a folder of results. Anything else in it is left alone.
    pub(crate) fn remove_results(&self, name: &str) -> io::Result<()> {
        let folder = self.enter(name)?;
        for entry in folder.entries(|_| true)? {
            if is_attempt(&entry) {
                folder.remove_results(&entry)?;
            } else if is_file_of_ours(&entry) {
                unlinkat(&folder.0, entry, AtFlags::empty())?;
            }
        }
        self.remove_empty(name)
    }

    /// The wanted names in this folder. A name that is not UTF-8 is not one of ours, and neither is what
    /// replaces it here.
    pub(crate) fn entries(&self, is_wanted: impl Fn(&str) -> bool) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(self.as_fd())? {
            let entry = entry?;
            let name: &CStr = entry.file_name();
            let text = name.to_string_lossy();
            if ![c".", c".."].contains(&name) && is_wanted(&text) {
                names.push(text.into_owned());
            }
        }
        Ok(names)
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn is_file_of_ours(name: &str) -> bool {
    FILES.contains(&name)
}

fn is_attempt(name: &str) -> bool {
    name.strip_prefix(EARLIER).is_some_and(|number| number.parse::<u32>().is_ok())
}

/// Whether a file at this path within a folder of results would be taken for a result, and replaced.
pub(crate) fn is_result(place: &Path) -> bool {
    let names: Vec<&str> = place.iter().map(|name| name.to_str().unwrap_or_default()).collect();
    match names.as_slice() {
        [_, file] => is_file_of_ours(file),
        [_, attempt, file] => is_attempt(attempt) && is_file_of_ours(file),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_what_is_named_so_in_a_folder_of_a_job() {
        for place in ["a/stdout", "a/stderr", "a/meta.json", "a/attempt-1/stdout"] {
            assert!(is_result(Path::new(place)), "{place}");
        }
        for place in
            ["", "stdout", "a/log", "a/attempt-x/stdout", "a/attempt-1/log", "a/b/stdout", "a/attempt-1"]
        {
            assert!(!is_result(Path::new(place)), "{place}");
        }
    }
}
