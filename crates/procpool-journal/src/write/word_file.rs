//! An array of 64-bit numbers in a file of its own, which survives any end of this process: each store is one
//! write(2), which a kill can't split.
//!
//! The file is not mapped into memory: a store to a page that somebody has cut off, or for which the disk has
//! no space, would kill the process (SIGBUS).

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::files::file::JournalFile;
use crate::files::written_file::WrittenFile;

/// The file, with a copy of its contents.
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

/// How often a store checks that the file is unchanged.
const LOOK: Duration = Duration::from_millis(200);

impl WordFile {
    /// Creates the file. The last word must never be stored: if somebody had cut the file short, that would
    /// make it long again, and nobody would notice.
    ///
    /// # Errors
    /// If it can't be created, or the disk has no space for it.
    pub(super) fn create(place: &JournalFile, words: Vec<u64>) -> io::Result<WordFile> {
        let file = place.make_anew()?;
        file.write_all_at(&bytes(&words), 0)?;
        let watched = WrittenFile::new(place.clone(), &file)?;
        let cached = Mutex::new(Cached { words, looked: Instant::now() });
        Ok(WordFile { place: place.clone(), file, watched, cached })
    }

    /// The current value of a word, stored or not.
    pub(super) fn get(&self, word: usize) -> u64 {
        self.cached().words[word]
    }

    /// Changes words and writes them to the file.
    ///
    /// # Errors
    /// If they can't be written, or somebody else has changed the file.
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
        self.check_length(&cached.words)
    }

    /// Changes words without writing them; they are written when they are stored with others.
    pub(super) fn change(&self, range: Range<usize>, change: impl FnOnce(&mut [u64])) {
        change(&mut self.cached().words[range]);
    }

    /// Makes the file longer than `count` words, to a multiple of `step`.
    ///
    /// # Errors
    /// If the disk has no space.
    pub(super) fn reach(&self, count: usize, step: usize) -> io::Result<()> {
        let mut cached = self.cached();
        let there = cached.words.len();
        // The last word is never stored.
        if count < there {
            return Ok(());
        }
        cached.words.resize((count + 1).next_multiple_of(step), 0);
        let room = self.write(&cached.words[there..], (there * size_of::<u64>()) as u64);
        room.inspect_err(|_| cached.words.truncate(there))
    }

    /// Checks that the file is still at its place and has its full length.
    ///
    /// # Errors
    /// If it isn't.
    pub(super) fn check(&self) -> io::Result<()> {
        self.check_length(&self.cached().words)
    }

    fn check_length(&self, words: &[u64]) -> io::Result<()> {
        self.watched.check_length(size_of_val(words) as u64)
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

/// The bytes of these words in a file.
pub(super) fn bytes(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// Reads the file of an earlier run; `None` if there is none. `made` says whether a length is one that a run
/// gives its file.
///
/// # Errors
/// If it can't be read, or has another length.
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

/// The words of such a file. An incomplete one at the end is left out.
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
