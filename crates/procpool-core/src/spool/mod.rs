//! Captured output: in memory, and above a threshold in one of the runner's unlinked temporary files.

mod copy;
mod file;
pub(crate) mod live;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Read, Write};
use std::os::fd::BorrowedFd;
use std::sync::Arc;

pub use crate::spool::copy::CopyError;
use crate::spool::copy::read_out;
use crate::spool::file::Extent;
pub(crate) use crate::spool::file::{SpoolFile, SpoolFiles, SpoolPlace};
use crate::sys;

/// What a job wrote to one stream: all of it, exactly.
///
/// A small output is held in memory. Of a larger one only the end is, and the rest is in a temporary file that many
/// spools of a runner share: a thousand spools that wait to be read take four open files. The file is unlinked, so it
/// vanishes however the process ends. A dropped spool frees its part of the file.
///
/// ```
/// use procpool_core::Spool;
///
/// let spool = Spool::from("one\ntwo\n");
/// assert_eq!(spool.len(), 8);
/// assert_eq!(spool.to_string_lossy()?, "one\ntwo\n");
/// assert_eq!(spool.tail(4)?, b"two\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Default)]
pub struct Spool {
    /// The extents in the file, in order; `memory` follows them.
    extents: Vec<Extent>,
    memory: Vec<u8>,
    /// Where `memory` is written when it gets too large; `None` for a spool that was made from bytes.
    file: Option<Arc<SpoolFile>>,
    /// The blocks before this position were freed.
    forgotten: u64,
}

/// How much is read at a time.
const CHUNK: usize = 64 * 1024;

/// The smallest buffer that is worth a read(2). Most outputs are smaller.
const LEAST_ROOM: usize = 4 * 1024;

/// Freeing fewer bytes is not worth a system call.
const LEAST_FORGOTTEN: u64 = 1024 * 1024;

/// A smaller output takes hardly more memory than the description of an extent.
const LEAST_SPILLED: usize = 256;

impl Spool {
    pub(crate) const EMPTY: Spool = Spool {
        extents: Vec::new(),
        memory: Vec::new(),
        file: None,
        forgotten: 0,
    };

    pub(crate) fn in_file(file: Arc<SpoolFile>) -> Spool {
        let mut spool = Spool::EMPTY;
        spool.file = Some(file);
        spool
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.filed() + self.memory.len() as u64
    }

    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn filed(&self) -> u64 {
        self.extents.iter().map(|extent| extent.used).sum()
    }

    /// A reader from its start.
    #[must_use]
    pub fn reader(&self) -> SpoolReader<'_> {
        SpoolReader { spool: self, position: 0 }
    }

    /// A reader from this position on.
    #[must_use]
    pub fn reader_from(&self, position: u64) -> SpoolReader<'_> {
        SpoolReader { spool: self, position }
    }

    /// Writes all of it to `writer`, holding only a piece in memory at a time, and returns the number of bytes.
    ///
    /// # Errors
    /// If the writer fails, or if the temporary file can't be read.
    pub fn copy_to(&self, writer: &mut (impl Write + ?Sized)) -> Result<u64, CopyError> {
        for (file, extent) in self.filed_parts() {
            read_out(file, extent, writer)?;
        }
        writer.write_all(&self.memory).map_err(CopyError::Writing)?;
        Ok(self.len())
    }

    /// All of it, in memory. Check its length first.
    ///
    /// # Errors
    /// If the temporary file can't be read.
    pub fn to_vec(&self) -> io::Result<Vec<u8>> {
        self.tail(usize::MAX)
    }

    /// All of it as text; invalid UTF-8 is replaced.
    ///
    /// # Errors
    /// If the temporary file can't be read.
    pub fn to_string_lossy(&self) -> io::Result<String> {
        self.to_vec().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Its last bytes, at most this many. Nothing else is read.
    ///
    /// # Errors
    /// If the temporary file can't be read.
    pub fn tail(&self, at_most: usize) -> io::Result<Vec<u8>> {
        let mut reader = self.reader_from(self.len().saturating_sub(at_most as u64));
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Moves the part in memory to the temporary file, so that a spool that has to wait takes almost no memory.
    /// A spool that was made from bytes, or is small, stays as it is.
    ///
    /// # Errors
    /// If the temporary file can't be created or written. Nothing is lost then.
    pub fn spill(&mut self) -> io::Result<()> {
        if self.memory.len() >= LEAST_SPILLED {
            self.file_memory()?;
            self.memory.shrink_to_fit();
        }
        Ok(())
    }

    /// A buffer with room to read into: append to it, then call [`settle`](Spool::settle).
    pub(crate) fn room(&mut self) -> &mut Vec<u8> {
        let spare = self.memory.capacity() - self.memory.len();
        if spare < LEAST_ROOM {
            self.memory.reserve(self.memory.len().clamp(LEAST_ROOM, CHUNK));
        }
        &mut self.memory
    }

    /// Moves memory above the threshold to the file. After an error all bytes are still there. If only a
    /// descriptor for the file is missing, the next call tries again.
    pub(crate) fn settle(&mut self) -> io::Result<()> {
        match &self.file {
            Some(file) if self.memory.len() >= file.threshold() => match self.file_memory() {
                Err(error) if sys::is_descriptor_shortage(&error) => Ok(()),
                result => result,
            },
            _ => Ok(()),
        }
    }

    /// Reads everything from `bytes`, a piece at a time.
    pub(crate) fn fill_from(&mut self, mut bytes: impl Read) -> io::Result<()> {
        loop {
            let read = bytes.by_ref().take(CHUNK as u64).read_to_end(&mut self.memory)?;
            self.settle()?;
            if read < CHUNK {
                self.close();
                return Ok(());
            }
        }
    }

    /// Declares the output complete: frees unused capacity.
    pub(crate) fn close(&mut self) {
        self.memory.shrink_to_fit();
    }

    /// Whether everything so far is in the file, so that more can be spliced to it.
    pub(crate) fn is_filed(&self) -> bool {
        self.memory.is_empty() && !self.extents.is_empty()
    }

    /// Moves bytes from the pipe to the file once; everything else must be [filed](Spool::is_filed). 0 means the end of
    /// the pipe. After an error the pipe has lost nothing; the error may be about the pipe or the file.
    pub(crate) fn splice(&mut self, pipe: BorrowedFd<'_>) -> io::Result<usize> {
        debug_assert!(self.is_filed(), "BUG: this would go before what is in memory");
        let file = self.file.as_ref().expect("BUG: an extent of no file");
        file.splice(&mut self.extents, pipe)
    }

    /// Frees the blocks before this position, in large pieces.
    pub(crate) fn forget(&mut self, before: u64) {
        let Some(file) = self.file.as_ref().filter(|_| before >= self.forgotten + LEAST_FORGOTTEN) else {
            return;
        };
        let mut start = 0;
        for extent in &self.extents {
            let from = self.forgotten.clamp(start, start + extent.used) - start;
            let to = before.clamp(start, start + extent.used) - start;
            file.forget(extent, from..to);
            start += extent.used;
        }
        self.forgotten = before;
    }

    fn filed_parts(&self) -> impl Iterator<Item = (&SpoolFile, &Extent)> {
        self.file.iter().flat_map(|file| self.extents.iter().map(|extent| (&**file, extent)))
    }

    fn file_memory(&mut self) -> io::Result<()> {
        if let Some(file) = &self.file {
            file.append(&mut self.extents, &self.memory)?;
            self.memory.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
impl Spool {
    /// For tests that need a broken file.
    pub(crate) fn system_file(&self) -> Arc<std::fs::File> {
        self.file.as_ref().unwrap().file().unwrap()
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            file.release(&self.extents);
        }
    }
}

impl From<&str> for Spool {
    fn from(text: &str) -> Spool {
        Spool::from(text.as_bytes().to_vec())
    }
}

impl From<Vec<u8>> for Spool {
    fn from(bytes: Vec<u8>) -> Spool {
        let mut spool = Spool::EMPTY;
        spool.memory = bytes;
        spool
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spool({} bytes)", self.len())
    }
}

/// Reads a [`Spool`], see [`Spool::reader`].
#[derive(Debug)]
pub struct SpoolReader<'a> {
    spool: &'a Spool,
    position: u64,
}

impl Read for SpoolReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut start = 0;
        for extent in &self.spool.extents {
            let end = start + extent.used;
            if self.position < end {
                let file = self.spool.file.as_ref().expect("BUG: an extent of no file");
                let read = file.read_at(extent, self.position - start, buffer)?;
                self.position += read as u64;
                return Ok(read);
            }
            start = end;
        }
        let within = usize::try_from(self.position - start).unwrap_or(usize::MAX);
        let read = self.spool.memory.get(within..).unwrap_or_default().read(buffer)?;
        self.position += read as u64;
        Ok(read)
    }
}
