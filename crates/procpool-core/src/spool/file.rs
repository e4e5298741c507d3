//! The temporary files of a runner: each is shared by many spools and cut into extents.
//!
//! There are a few of them, so that large outputs don't wait for each other's writes.

use std::fs::{File, Permissions};
use std::io;
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::sys;

/// An unlinked temporary file, created when the first byte is written to it.
///
/// A file for each output would need an open file for each output that waits to be read (in a run in input order
/// behind a slow first job: thousands), and would create a file for each job that writes anything.
/// Writers and readers work in parallel at offsets of their own; the lock is held only to allocate extents.
pub(crate) struct SpoolFile {
    place: SpoolPlace,
    threshold: usize,
    state: Mutex<FileState>,
}

/// Where the file is created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SpoolPlace {
    Directory(PathBuf),
    Memory,
}

#[derive(Default)]
struct FileState {
    file: Option<Arc<File>>,
    /// The offset from which on nothing was ever allocated.
    end: u64,
    /// Offsets of free extents, by class.
    free: [Vec<u64>; CLASSES],
}

/// A part of the file that belongs to one spool, and how many bytes of it are used.
pub(crate) struct Extent {
    offset: u64,
    class: usize,
    pub(crate) used: u64,
}

/// Extents of class `n` have `SMALLEST << n` bytes: from 64 KiB, so that little space stays unused, to 1 GiB, so
/// that an output of 100 GB takes about a hundred extents. The unused part of an extent is a hole without blocks.
const SMALLEST: u64 = 64 * 1024;
const CLASSES: usize = 15;

/// How much is moved from a pipe at a time: a job that writes forever must not keep us from its timeout.
const MOVED: usize = 1024 * 1024;

impl Extent {
    fn capacity(&self) -> u64 {
        SMALLEST << self.class
    }

    fn room(&self) -> usize {
        usize::try_from(self.capacity() - self.used).unwrap_or(usize::MAX)
    }
}

impl SpoolFile {
    /// A file in this place. Spools keep up to `threshold` bytes in memory before they use it.
    pub(crate) fn new(place: SpoolPlace, threshold: usize) -> SpoolFile {
        SpoolFile { place, threshold, state: Mutex::default() }
    }

    pub(crate) fn threshold(&self) -> usize {
        self.threshold
    }

    /// Checks that the file can be created, and closes it again: most runs never need it, and some have hardly a
    /// descriptor to spare.
    pub(crate) fn check(&self) -> io::Result<()> {
        self.make().map(drop)
    }

    /// Appends `bytes` to what `extents` hold. After an error, none of them count.
    pub(crate) fn append(&self, extents: &mut Vec<Extent>, bytes: &[u8]) -> io::Result<()> {
        let counted = (extents.len(), extents.last().map(|extent| extent.used));
        let result = self.append_piece_by_piece(extents, bytes);
        if result.is_err() {
            self.release(&extents[counted.0..]);
            extents.truncate(counted.0);
            if let (Some(last), Some(used)) = (extents.last_mut(), counted.1) {
                last.used = used;
            }
        }
        result
    }

    fn append_piece_by_piece(&self, extents: &mut Vec<Extent>, mut bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let file = self.file()?;
        while !bytes.is_empty() {
            let extent = self.with_room(extents);
            let (piece, rest) = bytes.split_at(bytes.len().min(extent.room()));
            file.write_all_at(piece, extent.offset + extent.used)?;
            extent.used += piece.len() as u64;
            bytes = rest;
        }
        Ok(())
    }

    /// Moves bytes from the pipe to the end of `extents` once, without copying them to our memory. 0 means the end of
    /// the pipe. After an error the pipe has lost nothing; the error may be about the pipe or the file.
    pub(crate) fn splice(&self, extents: &mut Vec<Extent>, pipe: BorrowedFd<'_>) -> io::Result<usize> {
        let file = self.file()?;
        let extent = self.with_room(extents);
        let moved = sys::splice(pipe, &file, extent.offset + extent.used, extent.room().min(MOVED))?;
        extent.used += moved as u64;
        Ok(moved)
    }

    /// The last extent, or, if it is full, a new one of twice its size.
    fn with_room<'a>(&self, extents: &'a mut Vec<Extent>) -> &'a mut Extent {
        if extents.last().is_none_or(|extent| extent.room() == 0) {
            let class = extents.last().map_or(0, |extent| CLASSES.min(extent.class + 2) - 1);
            extents.push(self.allocate(class));
        }
        extents.last_mut().expect("BUG: an extent was just pushed")
    }

    /// Reads once from an extent, at an offset within its used part.
    pub(crate) fn read_at(&self, extent: &Extent, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(extent.used - offset).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let read = self.file()?.read_at(&mut buffer[..wanted], extent.offset + offset)?;
        if read == 0 && wanted > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the temporary file was cut short"));
        }
        Ok(read)
    }

    /// Frees the blocks of a part of an extent. The extent stays allocated.
    pub(crate) fn forget(&self, extent: &Extent, part: Range<u64>) {
        let file = self.lock().file.clone();
        if let Some(file) = file.filter(|_| !part.is_empty()) {
            sys::punch_hole(&file, extent.offset + part.start, part.end - part.start);
        }
    }

    /// Frees extents, so that they can be allocated again.
    pub(crate) fn release(&self, extents: &[Extent]) {
        for extent in extents {
            let file = self.lock().file.clone();
            if let Some(file) = file {
                // Without the lock: it takes a while, and nobody else can have this extent yet.
                sys::punch_hole(&file, extent.offset, extent.capacity());
            }
            self.lock().free[extent.class].push(extent.offset);
        }
    }

    fn allocate(&self, class: usize) -> Extent {
        let mut state = self.lock();
        let offset = match state.free[class].pop() {
            Some(offset) => offset,
            None => {
                let offset = state.end;
                state.end += SMALLEST << class;
                offset
            }
        };
        Extent { offset, class, used: 0 }
    }

    pub(crate) fn file(&self) -> io::Result<Arc<File>> {
        let mut state = self.lock();
        if let Some(file) = &state.file {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(self.make()?);
        state.file = Some(Arc::clone(&file));
        Ok(file)
    }

    fn make(&self) -> io::Result<File> {
        let directory = match &self.place {
            SpoolPlace::Directory(directory) => directory,
            SpoolPlace::Memory => return sys::memory_file(b"").map_err(|failure| failure.source),
        };
        let file = tempfile::tempfile_in(directory).map_err(|error| explain(error, directory))?;
        // O_TMPFILE leaves the mode to the umask. The call fails on file systems without modes.
        let _ = file.set_permissions(Permissions::from_mode(0o600));
        Ok(file)
    }

    fn lock(&self) -> MutexGuard<'_, FileState> {
        // Nothing in here panics in the middle of a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds the directory to the error, unless the error is a temporary shortage of this process.
fn explain(error: io::Error, directory: &Path) -> io::Error {
    if sys::is_descriptor_shortage(&error) {
        return error;
    }
    io::Error::new(error.kind(), format!("temporary directory {directory:?}: {error}"))
}

#[cfg(test)]
impl SpoolPlace {
    /// The system's temporary directory.
    pub(crate) fn temporary() -> SpoolPlace {
        SpoolPlace::Directory(std::env::temp_dir())
    }
}

/// The kernel lets one thread at a time write to a file, and the others spin meanwhile (`rwsem_spin_on_owner` in a
/// profile of eight large outputs). Each of these files is created when it is needed.
#[derive(Clone)]
pub(crate) struct SpoolFiles(Vec<Arc<SpoolFile>>);

/// Four files, or one if the limit of descriptors is low.
const FILES: usize = 4;
const FEW_DESCRIPTORS: u64 = 256;

impl SpoolFiles {
    /// Files in this place. Spools keep up to `threshold` bytes in memory before they use one.
    pub(crate) fn new(place: &SpoolPlace, threshold: usize) -> SpoolFiles {
        let count = if sys::allowed_descriptors() < FEW_DESCRIPTORS { 1 } else { FILES };
        let file = |_| Arc::new(SpoolFile::new(place.clone(), threshold));
        SpoolFiles((0..count).map(file).collect())
    }

    /// The file for the outputs of the running job with this index, from 0.
    pub(crate) fn of(&self, place: usize) -> Arc<SpoolFile> {
        Arc::clone(&self.0[place % self.0.len()])
    }

    /// Checks that a file can be created.
    ///
    /// # Errors
    /// If it can't, the reason.
    pub(crate) fn check(&self) -> io::Result<()> {
        self.0[0].check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_back_is_used_again() {
        let file = SpoolFile::new(SpoolPlace::temporary(), 0);
        for _ in 0..10 {
            let mut extents = Vec::new();
            file.append(&mut extents, &vec![1; 300_000]).unwrap();
            file.release(&extents);
        }
        assert_eq!(file.lock().end, SMALLEST + 2 * SMALLEST + 4 * SMALLEST);
    }

    #[test]
    fn a_huge_output_is_a_short_list_of_extents() {
        let file = SpoolFile::new(SpoolPlace::temporary(), 0);
        let mut extents = Vec::new();
        let mut length = 0;
        while length < 100_000_000_000 {
            let extent = file.with_room(&mut extents);
            extent.used = extent.capacity();
            length += extent.used;
        }
        assert!(extents.len() <= 110, "{} extents", extents.len());
    }
}
