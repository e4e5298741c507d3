//! Numbers in a file of their own that are known after any end of this process: each change is one call, of which a kill
//! leaves all or nothing. Knows nothing of what they say.
//!
//! The file is not mapped: who stores in a page that somebody has cut off, or that the disk has no room for, would be killed.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::files::file::JournalFile;
use crate::files::written_file::WrittenFile;

/// The file, and what is in it.
pub(super) struct WordFile {
    place: JournalFile,
    file: File,
    watched: WrittenFile,
    cached: Mutex<Cached>,
}

struct Cached {
    words: Vec<u64>,
    looked: Instant,
}

/// How often it is looked whether the file is what was written.
const LOOK: Duration = Duration::from_millis(200);

impl WordFile {
    /// Makes the file anew. Of what somebody cuts off it is told only as long as nobody stores the last word.
    ///
    /// # Errors
    /// Where it can't be made, or the disk has no room for it.
    pub(super) fn create(place: &JournalFile, words: Vec<u64>) -> io::Result<WordFile> {
        let file = place.make_anew()?;
        file.write_all_at(&bytes(&words), 0)?;
        let watched = WrittenFile::new(place.clone(), &file)?;
        let cached = Mutex::new(Cached { words, looked: Instant::now() });
        Ok(WordFile { place: place.clone(), file, watched, cached })
    }

    /// What has been stored here last, or will be.
    pub(super) fn get(&self, word: usize) -> u64 {
        self.cached().words[word]
    }

    /// Changes these, and has them in the file when it returns.
    ///
    /// # Errors
    /// Where they can't be written, or somebody else has changed the file.
    pub(super) fn store(&self, range: Range<usize>, change: impl FnOnce(&mut [u64])) -> io::Result<()> {
        let mut cached = self.cached();
        let offset = (range.start * size_of::<u64>()) as u64;
        let words = &mut cached.words[range];
        change(words);
        self.write(words, offset)?;
        if cached.looked.elapsed() < LOOK {
            return Ok(());
        }
        cached.looked = Instant::now();
        self.is_as_long_as(&cached.words)
    }

    /// Changes these; the file has them once they are stored with others.
    pub(super) fn change(&self, range: Range<usize>, change: impl FnOnce(&mut [u64])) {
        change(&mut self.cached().words[range]);
    }

    /// Has room for so many words from now on, and some more.
    ///
    /// # Errors
    /// Where the disk has none.
    pub(super) fn reach(&self, count: usize, step: usize) -> io::Result<()> {
        let mut cached = self.cached();
        let there = cached.words.len();
        // The last is never stored.
        if count < there {
            return Ok(());
        }
        cached.words.resize((count + 1).next_multiple_of(step), 0);
        let room = self.write(&cached.words[there..], (there * size_of::<u64>()) as u64);
        room.inspect_err(|_| cached.words.truncate(there))
    }

    /// Whether the file is still where it was made, with what was written.
    ///
    /// # Errors
    /// Where it isn't.
    pub(super) fn check(&self) -> io::Result<()> {
        self.is_as_long_as(&self.cached().words)
    }

    fn is_as_long_as(&self, words: &[u64]) -> io::Result<()> {
        self.watched.has(size_of_val(words) as u64)
    }

    fn write(&self, words: &[u64], offset: u64) -> io::Result<()> {
        let written = self.place.wait_out(|| self.file.write_all_at(&bytes(words), offset));
        written
            .map_err(|error| io::Error::new(error.kind(), format!("can't write {:?}: {error}", self.place)))
    }

    fn cached(&self) -> MutexGuard<'_, Cached> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As they stand in a file.
pub(super) fn bytes(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// Such a file of an earlier run, as it is there; `None` where there is none. `made` says whether it has a length that a run gives
/// it before it begins, and later.
///
/// # Errors
/// Where it can't be read, or has another length.
pub(super) fn read(place: &JournalFile, made: impl Fn(usize) -> bool) -> io::Result<Option<Vec<u64>>> {
    let mut there = Vec::new();
    match place.open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?.read_to_end(&mut there)?,
    };
    if made(there.len()) {
        return Ok(Some(parse(&there)));
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        format!(
            "{place:?} has {} bytes, which no run gives it: somebody has changed it, and nobody knows what has been printed; put \
             it back as it was, or begin anew in another folder",
            there.len()
        ),
    ))
}

/// The words of such a file, whatever its end is.
pub(super) fn parse(bytes: &[u8]) -> Vec<u64> {
    let words = bytes.chunks_exact(size_of::<u64>());
    words.map(|word| word.try_into().map(u64::from_ne_bytes).unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::files::folder::Folder;

    fn read(place: &JournalFile) -> Vec<u64> {
        parse(&fs::read(place.path()).unwrap())
    }

    #[test]
    fn what_is_stored_is_in_the_file_with_what_was_changed_beside_it() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let place = Folder::make(temporary.path()).unwrap().0.printed(1);
        let words = WordFile::create(&place, vec![1, 2, 3, 4]).unwrap();
        words.change(1..3, |words| words.fill(7));
        assert_eq!((read(&place), words.get(1)), (vec![1, 2, 3, 4], 7));
        words.store(0..2, |words| words[0] = u64::MAX).unwrap();
        assert_eq!(read(&place), [u64::MAX, 7, 3, 4]);
        words.reach(3, 4).unwrap();
        assert_eq!(read(&place).len(), 4);
        words.reach(4, 4).unwrap();
        assert_eq!(read(&place), [u64::MAX, 7, 3, 4, 0, 0, 0, 0]);
        words.check().unwrap();
    }

    #[test]
    fn a_file_that_was_cut_or_replaced_is_found_out_though_it_is_stored_into() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let place = Folder::make(temporary.path()).unwrap().0.printed(1);
        let words = WordFile::create(&place, vec![0; 512]).unwrap();
        File::options().write(true).open(place.path()).unwrap().set_len(0).unwrap();
        let stored = words.store(510..511, |words| words[0] = 1);
        let says = stored.and_then(|()| words.check()).unwrap_err().to_string();
        assert!(says.contains("was changed by somebody else"), "{says}");
        place.remove().unwrap();
        assert!(words.check().unwrap_err().to_string().contains("was taken away"));
    }
}
