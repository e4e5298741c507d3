//! The file `inputs-N`: standard inputs of jobs that are too long for their lines in the list.
//! It is created for the first one; most lists have none.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::files::file::JournalFile;

/// The file of long inputs.
pub struct Inputs {
    /// `None` if jobs can't have long inputs.
    place: Option<JournalFile>,
    file: OnceLock<File>,
    end: AtomicU64,
    /// The offset up to which they have been read back.
    read: AtomicU64,
}

impl Inputs {
    /// The file of a list, which is opened or created when it is needed.
    #[must_use]
    pub fn new(place: JournalFile) -> Inputs {
        Inputs { place: Some(place), ..Inputs::none() }
    }

    /// For a list whose jobs have no long inputs.
    #[must_use]
    pub fn none() -> Inputs {
        Inputs {
            place: None,
            file: OnceLock::new(),
            end: AtomicU64::new(0),
            read: AtomicU64::new(0),
        }
    }

    fn file(&self) -> io::Result<&File> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let place = self.place.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let file = place.wait_out(|| place.open_or_make())?;
        Ok(self.file.get_or_init(|| file))
    }

    /// How many bytes were written and not read back yet.
    pub(crate) fn ahead(&self) -> u64 {
        self.end.load(Ordering::Relaxed).saturating_sub(self.read.load(Ordering::Relaxed))
    }

    /// Returns once the disk has them.
    pub(crate) fn make_safe(&self) -> io::Result<()> {
        self.file.get().map_or(Ok(()), File::sync_data)
    }

    /// Appends an input; returns its offset.
    pub(crate) fn keep(&self, bytes: &[u8]) -> io::Result<u64> {
        let offset = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.file()?.write_all_at(bytes, offset)?;
        Ok(offset)
    }

    /// Reads an input.
    pub(crate) fn read(&self, offset: u64, length: u64) -> io::Result<Arc<[u8]>> {
        let file = self.file()?;
        // A made-up length must not allocate memory.
        if offset.checked_add(length).is_none_or(|end| file.metadata().is_ok_and(|file| file.len() < end)) {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a job's input is not there any more"));
        }
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        match &self.place {
            Some(place) => place.wait_out(|| file.read_exact_at(&mut bytes, offset))?,
            None => file.read_exact_at(&mut bytes, offset)?,
        }
        self.read.fetch_max(offset + length, Ordering::Relaxed);
        Ok(bytes.into())
    }
}
