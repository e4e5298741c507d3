//! A temporary file that many spools of a runner share, cut into extents.
//! Knows nothing of what is in it or in which order it is read.
//! The temporary files of a runner: a few, so that large outputs need not wait for each other.
//! Knows nothing of what is in them.

use std::fs::{File, Permissions};
use std::io;
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::sys;

/// An unlinked temporary file, made when the first byte has to go there.
///
/// One file a stream would cost an open file for each output that waits to be read (a run in input order
/// behind a slow first job: thousands) and the making of a file for each job that has something to say.
/// Writers and readers work side by side, at offsets of their own; the lock is held only to hand those out.
pub(crate) struct SpoolFile {
    place: SpoolPlace,
    threshold: usize,
    state: Mutex<FileState>,
}

/// Where such a file is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SpoolPlace {
    Directory(PathBuf),
    Memory,
}

#[derive(Default)]
struct FileState {
    file: Option<Arc<File>>,
    /// Where the part that was never handed out begins.
    end: u64,
    /// Offsets of extents that were given back, by their class.
    free: [Vec<u64>; CLASSES],
}

/// A part of the file that belongs to one spool, and how much of it is used.
pub(crate) struct Extent {
    offset: u64,
    class: usize,
    pub(crate) used: u64,
}

/// Extents of class `n` have `SMALLEST << n` bytes: from 64 KiB, so that few are used in part, to 1 GiB, so
/// that an output of 100 GB is a list of some hundred. What is not used of one is a hole, and takes no room.
const SMALLEST: u64 = 64 * 1024;
const CLASSES: usize = 15;

/// How much is moved from a pipe at a time: a job that writes for ever must not keep us from its timeout.
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
    /// A file in this place, for what spools have beyond `threshold` bytes.
    pub(crate) fn new(place: SpoolPlace, threshold: usize) -> SpoolFile {
        SpoolFile { place, threshold, state: Mutex::default() }
    }

    pub(crate) fn threshold(&self) -> usize {
        self.threshold
    }

    /// Whether the file can be made. It is not kept: most runs never need it, and some have hardly a descriptor
    /// to spare.
    pub(crate) fn check(&self) -> io::Result<()> {
        self.make().map(drop)
    }

    /// Writes `bytes` behind what `extents` hold. All of them, or none are counted.
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

    /// Moves once what is in the pipe behind what `extents` hold, past our memory. 0 is the end of the pipe.
    /// Where it fails the pipe has lost nothing; the error may be about either side.
    pub(crate) fn splice(&self, extents: &mut Vec<Extent>, pipe: BorrowedFd<'_>) -> io::Result<usize> {
        let file = self.file()?;
        let extent = self.with_room(extents);
        let moved = sys::splice(pipe, &file, extent.offset + extent.used, extent.room().min(MOVED))?;
        extent.used += moved as u64;
        Ok(moved)
    }

    /// The last extent, a new one where that is full: twice as large as the one before.
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

    /// Gives the system back what lies in this part of an extent, which stays its spool's.
    pub(crate) fn forget(&self, extent: &Extent, part: Range<u64>) {
        let file = self.lock().file.clone();
        if let Some(file) = file.filter(|_| !part.is_empty()) {
            sys::punch_hole(&file, extent.offset + part.start, part.end - part.start);
        }
    }

    /// Takes extents back, to be handed out again.
    pub(crate) fn release(&self, extents: &[Extent]) {
        for extent in extents {
            let file = self.lock().file.clone();
            if let Some(file) = file {
                // Outside the lock: it takes a while, and nobody else has this extent yet.
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
        // Made without a name it has whatever mode the umask leaves. Where modes are unknown, so is this call.
        let _ = file.set_permissions(Permissions::from_mode(0o600));
        Ok(file)
    }

    fn lock(&self) -> MutexGuard<'_, FileState> {
        // Nothing in here panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names the directory, but in an error that is about this process and passes.
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

/// The kernel lets one thread at a time write to a file, and the others burn their time while they wait for that
/// (`rwsem_spin_on_owner` in a profile of eight large outputs). Each of these is made when it is needed.
#[derive(Clone)]
pub(crate) struct SpoolFiles(Vec<Arc<SpoolFile>>);

/// So many where descriptors are no matter, and one where no more than so many are allowed.
const FILES: usize = 4;
const FEW_DESCRIPTORS: u64 = 256;

impl SpoolFiles {
    /// Files in this place, for what spools have beyond `threshold` bytes.
    pub(crate) fn new(place: &SpoolPlace, threshold: usize) -> SpoolFiles {
        let count = if sys::allowed_descriptors() < FEW_DESCRIPTORS { 1 } else { FILES };
        let file = |_| Arc::new(SpoolFile::new(place.clone(), threshold));
        SpoolFiles((0..count).map(file).collect())
    }

    /// That for the outputs of the job in this place among all that run. The first is 0.
    pub(crate) fn of(&self, place: usize) -> Arc<SpoolFile> {
        Arc::clone(&self.0[place % self.0.len()])
    }

    /// Whether one can be made.
    ///
    /// # Errors
    /// Why it can't.
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
