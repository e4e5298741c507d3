//! Folders of results: made apart, moved to their places whole, old ones removed.

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

/// How the folder of an earlier attempt is called, before its number.
pub(crate) const EARLIER: &str = "attempt-";

/// A folder that is open: whoever moves it or puts a link in its place changes nothing for us.
#[derive(Debug)]
pub(crate) struct Folder(OwnedFd);

/// What became of a folder that was to be put in its place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Placed {
    Done,
    /// Something that is no folder of results is in the way, and was left alone.
    InTheWay,
}

impl Folder {
    /// Opens a folder that the user has named.
    pub(crate) fn open(path: &Path) -> io::Result<Folder> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Folder(openat(CWD, path, flags, Mode::empty())?))
    }

    /// Makes a folder in this one.
    pub(crate) fn make(&self, name: &str) -> io::Result<Folder> {
        mkdirat(&self.0, name, Mode::RWXU)?;
        self.enter(name)
    }

    /// Opens a folder in this one, and follows no link.
    pub(crate) fn enter(&self, name: &str) -> io::Result<Folder> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Folder(openat(&self.0, name, flags, Mode::empty())?))
    }

    /// As [`make`](Folder::make), where it may be there already.
    pub(crate) fn make_or_enter(&self, name: &str) -> io::Result<Folder> {
        match mkdirat(&self.0, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => self.enter(name),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a file in this folder, for its owner alone.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR)?))
    }

    /// Gives a folder in this one another name.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(renameat(&self.0, from, &self.0, to)?)
    }

    /// Takes away a folder in this one that holds nothing.
    pub(crate) fn remove_empty(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Puts the folder `from` of this one into `place`, as `name`. Results that are there already are replaced in
    /// one step.
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
            // Not every file system can do it. Then there is a moment with neither of the two.
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

    /// Whether `name` is a folder with nothing in it but what was put there by us.
    fn holds_results(&self, name: &str) -> io::Result<bool> {
        let folder = match self.enter(name) {
            Ok(folder) => folder,
            // A link is no folder, wherever it leads.
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(false),
            Err(error) => return Err(error),
        };
        Ok(folder.entries(|entry| !is_file_of_ours(entry) && !is_attempt(entry))?.is_empty())
    }

    /// As [`remove_results`](Folder::remove_results), where there may be none.
    pub(crate) fn remove_if_there(&self, name: &str) -> io::Result<()> {
        match self.remove_results(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    /// Removes a folder of results, and nothing that is none.
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

    /// These of the names in this folder. One that is no UTF-8 is none of ours, and replaced by one that is none either.
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

/// Whether a file at this place within a folder of results would be taken for one, and replaced.
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
