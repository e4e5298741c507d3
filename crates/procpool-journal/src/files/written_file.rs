//! Checks that a file which only we write to is still at its place, and as long as what was written.
//!
//! A write to a file that somebody has removed or emptied succeeds, so this is checked before anything counts
//! as recorded.

use std::fs;
use std::io;
use std::os::fd::AsFd;

use rustix::fs::fstat;

use crate::files::file::JournalFile;
use crate::os::file_id::FileId;

/// A file that only we write to.
pub(crate) struct WrittenFile {
    place: JournalFile,
    id: FileId,
}

impl WrittenFile {
    /// `file` is the one that was opened at `place`.
    ///
    /// # Errors
    /// If it can't be looked at.
    pub(crate) fn new(place: JournalFile, file: &impl AsFd) -> io::Result<WrittenFile> {
        Ok(WrittenFile { place, id: FileId::from(&fstat(file)?) })
    }

    /// Checks that it is at its place, and exactly this long.
    ///
    /// # Errors
    /// If it isn't.
    pub(crate) fn check_length(&self, written: u64) -> io::Result<()> {
        let there = self.length()?;
        if there == written { Ok(()) } else { Err(self.changed(there, written)) }
    }

    /// Checks that it is at its place, and at least this long.
    ///
    /// # Errors
    /// If it isn't.
    pub(crate) fn check_least_length(&self, written: u64) -> io::Result<()> {
        let there = self.length()?;
        if there >= written { Ok(()) } else { Err(self.changed(there, written)) }
    }

    /// Checks that its path leads to it: its folder may have been moved.
    ///
    /// # Errors
    /// If it doesn't.
    pub(crate) fn check_path(&self) -> io::Result<()> {
        let there = self.place.wait_out(|| fs::metadata(self.place.path()))?;
        if FileId::from(&there) == self.id { Ok(()) } else { Err(self.replaced()) }
    }

    /// See [`JournalFile::wait_out`].
    ///
    /// # Errors
    /// Those of `deed` that are not transient.
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
        if FileId::from(&stat) == self.id {
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
        assert_eq!(
            [watched.check_length(5), watched.check_least_length(4), watched.check_path()].map(says),
            ["", "", ""]
        );
        assert!(says(watched.check_length(4)).contains("it has 5 bytes, and 4 were written"));
        fs::write(place.path(), "").unwrap();
        // No hole, which would make it as long as it should be.
        file.write_all(b"6").unwrap();
        assert!(says(watched.check_length(6)).contains("it has 1 bytes, and 6 were written"));
        assert!(says(watched.check_least_length(5)).contains("was changed by somebody else"));
        place.remove().unwrap();
        assert!(says(watched.check_length(1)).contains("was taken away"));
        assert!(watched.check_path().is_err());
        fs::write(place.path(), "6").unwrap();
        assert!(says(watched.check_length(1)).contains("another file has its place"));
        assert!(says(watched.check_path()).contains("another file has its place"));
    }
}
