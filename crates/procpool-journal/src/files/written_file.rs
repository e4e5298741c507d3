//! A file that nobody but us writes to while a run goes on: whether it still is what was written, at its place.
//! Knows nothing of what stands in it.
//!
//! A file that was removed or emptied is written to without an error, so it is looked at before anything counts as recorded.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use rustix::fs::fstat;

use crate::files::file::{FileNumber, JournalFile, number_of};

/// See the head of this file.
pub(crate) struct WrittenFile {
    place: JournalFile,
    number: FileNumber,
}

impl WrittenFile {
    /// `file` is the one that was opened there.
    ///
    /// # Errors
    /// Where that can't be told.
    pub(crate) fn new(place: JournalFile, file: &impl AsFd) -> io::Result<WrittenFile> {
        Ok(WrittenFile { place, number: number_of(&fstat(file)?) })
    }

    /// Comes back where it is at its place, and just as long as this.
    ///
    /// # Errors
    /// Where it isn't.
    pub(crate) fn has(&self, written: u64) -> io::Result<()> {
        let there = self.length()?;
        if there == written { Ok(()) } else { Err(self.changed(there, written)) }
    }

    /// The same, where more may stand behind it.
    ///
    /// # Errors
    /// Where it isn't.
    pub(crate) fn has_at_least(&self, written: u64) -> io::Result<()> {
        let there = self.length()?;
        if there >= written { Ok(()) } else { Err(self.changed(there, written)) }
    }

    /// Comes back where its whole path leads to it: its folder may have been moved, with all that is in it.
    ///
    /// # Errors
    /// Where it doesn't.
    pub(crate) fn is_found(&self) -> io::Result<()> {
        let there = self.place.wait_out(|| fs::metadata(self.place.path()))?;
        if (there.dev(), there.ino()) == self.number { Ok(()) } else { Err(self.replaced()) }
    }

    /// Does something in its folder: see [`JournalFile::wait_out`].
    ///
    /// # Errors
    /// Those of the deed.
    pub(crate) fn wait_out<T>(&self, deed: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        self.place.wait_out(deed)
    }

    fn length(&self) -> io::Result<u64> {
        let stat = match self.place.wait_out(|| self.place.stat()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(io::Error::other(format!("{:?} {TAKEN}", self.place)));
            }
            stat => stat?,
        };
        if number_of(&stat) == self.number {
            Ok(u64::try_from(stat.st_size).unwrap_or_default())
        } else {
            Err(self.replaced())
        }
    }

    fn replaced(&self) -> io::Error {
        io::Error::other(format!("{:?} {TAKEN}: another file has its place", self.place))
    }

    fn changed(&self, there: u64, written: u64) -> io::Error {
        io::Error::other(format!(
            "{:?} was changed by somebody else while the run went on: it has {there} bytes, and {written} were written",
            self.place
        ))
    }
}

const TAKEN: &str = "was taken away while the run went on";

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::files::folder::Folder;

    #[test]
    fn a_file_that_was_cut_added_to_replaced_or_removed_is_not_what_was_written() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let (folder, _) = Folder::make(temporary.path()).unwrap();
        let place = folder.own_files().journal;
        let mut file = place.make_anew_to_append().unwrap();
        file.write_all(b"12345").unwrap();
        let watched = WrittenFile::new(place.clone(), &file).unwrap();
        let says = |result: io::Result<()>| result.err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!([watched.has(5), watched.has_at_least(4), watched.is_found()].map(says), ["", "", ""]);
        assert!(says(watched.has(4)).contains("it has 5 bytes, and 4 were written"));
        fs::write(place.path(), "").unwrap();
        // No hole, which would make it as long as it should be.
        file.write_all(b"6").unwrap();
        assert!(says(watched.has(6)).contains("it has 1 bytes, and 6 were written"));
        assert!(says(watched.has_at_least(5)).contains("was changed by somebody else"));
        place.remove().unwrap();
        assert!(says(watched.has(1)).contains("was taken away"));
        assert!(watched.is_found().is_err());
        fs::write(place.path(), "6").unwrap();
        assert!(says(watched.has(1)).contains("another file has its place"));
        assert!(says(watched.is_found()).contains("another file has its place"));
    }
}
