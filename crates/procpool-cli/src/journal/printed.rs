//! Which outputs of a list have been printed, and how far the one that is being printed: stored without a system call,
//! in a file that is mapped, so that it is known after any end of this process.
//! Knows nothing of what an output is, or of how it is printed.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use procpool_core::Source;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::{Errno, retry_on_intr};

pub(crate) use crate::journal::before::Before;
use crate::journal::file::JournalFile;
use crate::journal::folder::{rows_of, shape_of};
use crate::journal::partial::{BITS, POSITION, STEP, WITHIN_LINE, bit_of, first_word, own_word, word_of};
pub(crate) use crate::journal::partial::{FilePlace, LastByte, Part, Partial};
use crate::journal::rows::{Own, Row, RowFile};
use crate::journal::shaped::{ShapeFile, Shaped};
use crate::journal::watched::Watched;
use crate::sys;

/// The file, mapped.
pub(crate) struct Printed {
    file: File,
    watched: Watched,
    words: &'static [AtomicU64],
    /// How many words the file has: no others may be touched.
    there: Mutex<usize>,
    shape: ShapeFile,
    /// Where lines are printed side by side, or were.
    rows: OnceLock<RowFile>,
    place: JournalFile,
}

/// A thousand million jobs: 128 MiB of addresses, of which no more is used than there are jobs.
const MOST: usize = BITS + (1 << 24);

impl Printed {
    /// Makes the file of a new run over a list: which outputs have been printed before it, and how far one was.
    pub(crate) fn create(place: &JournalFile, before: &Before) -> io::Result<Printed> {
        let shape = ShapeFile::create(&shape_of(place), before.shape.as_ref())?;
        let mut file = place.make_anew()?;
        let bytes: Vec<u8> = before.words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        file.write_all(&bytes)?;
        let words = sys::map_shared(&file, MOST)?;
        let watched = Watched::new(place.clone(), &file)?;
        let printed = Printed {
            file,
            watched,
            words,
            there: Mutex::new(before.words.len()),
            shape,
            rows: OnceLock::new(),
            place: place.clone(),
        };
        if !before.rows.is_empty() {
            printed.make_rows(&before.rows)?;
        }
        printed.make_room(BITS)?;
        Ok(printed)
    }

    /// From now on what is counted is of this job, and has this shape.
    ///
    /// # Errors
    /// Where the disk has no room for the note.
    pub(crate) fn begin(&self, position: u64, shape: &Shaped) -> io::Result<()> {
        self.begin_from(position, shape, Own::default())
    }

    /// The same, where all before these of the job's own bytes is there.
    ///
    /// # Errors
    /// Where the disk has no room for the note.
    pub(crate) fn begin_from(&self, position: u64, shape: &Shaped, own: Own) -> io::Result<()> {
        self.make_room(word_of(position) + 1)?;
        self.shape.check()?;
        self.forget();
        self.shape.set(shape);
        for source in [Source::Stdout, Source::Stderr] {
            self.set(own_word(source), own.of(source));
        }
        self.set(POSITION, position);
        Ok(())
    }

    /// Takes account of lines that are printed side by side.
    ///
    /// # Errors
    /// Where the disk has no room for that.
    pub(crate) fn keep_rows(&self) -> io::Result<()> {
        if self.rows.get().is_none() { self.make_rows(&[]) } else { Ok(()) }
    }

    fn make_rows(&self, before: &[Row]) -> io::Result<()> {
        let rows = RowFile::create(&rows_of(&self.place), before)?;
        let _ = self.rows.set(rows);
        Ok(())
    }

    /// Where lines are printed side by side.
    pub(crate) fn rows(&self) -> Option<&RowFile> {
        self.rows.get()
    }

    /// Nothing is being printed now.
    pub(crate) fn pause(&self) {
        self.set(POSITION, 0);
    }

    /// What was begun before this run is finished, and is not done all the same: its job runs again.
    pub(crate) fn forget(&self) {
        for word in POSITION..BITS {
            self.set(word, 0);
        }
    }

    /// What was begun before this run goes on in this shape, so much of each output being there.
    pub(crate) fn go_on(&self, shape: &Shaped, counts: [u64; 2]) {
        let position = self.words[POSITION].load(Ordering::Acquire);
        self.set(POSITION, 0);
        self.shape.set(shape);
        for (source, bytes) in [Source::Stdout, Source::Stderr].into_iter().zip(counts) {
            self.set_count(source, bytes);
        }
        self.set(POSITION, position);
    }

    /// An output of it begins at this place of a file.
    pub(crate) fn begin_at(&self, source: Source, place: FilePlace) {
        let first = first_word(source);
        self.set(first + 1, place.device);
        self.set(first + 2, place.inode);
        self.set(first + 3, place.offset);
        self.set(first + 4, 1);
    }

    /// Of an output so much has been written.
    pub(crate) fn set_count(&self, source: Source, bytes: u64) {
        self.set(first_word(source), bytes);
        self.set(first_word(source) + 5, 0);
    }

    /// So many more bytes of it are going to be written at once.
    pub(crate) fn announce(&self, source: Source, bytes: u64) {
        self.set(first_word(source) + 5, bytes);
    }

    /// So many of those have been written.
    pub(crate) fn count(&self, source: Source, bytes: u64) {
        self.words[first_word(source)].fetch_add(bytes, Ordering::AcqRel);
        // In between, they count twice: no file has so many.
        self.set(first_word(source) + 5, 0);
    }

    /// What has been written last ends like this.
    pub(crate) fn note_last(&self, source: Source, last: LastByte) {
        let bit = 1 << first_word(source);
        match last {
            LastByte::EndsLine => self.words[WITHIN_LINE].fetch_and(!bit, Ordering::AcqRel),
            LastByte::IsWithinLine => self.words[WITHIN_LINE].fetch_or(bit, Ordering::AcqRel),
        };
    }

    /// All of this job has been printed, or there was nothing to print.
    ///
    /// # Errors
    /// Where the disk has no room for the note.
    pub(crate) fn done(&self, position: u64) -> io::Result<()> {
        self.make_room(word_of(position) + 1)?;
        self.words[word_of(position)].fetch_or(bit_of(position), Ordering::AcqRel);
        Ok(())
    }

    fn set(&self, word: usize, value: u64) {
        self.words[word].store(value, Ordering::Release);
    }

    fn make_room(&self, words: usize) -> io::Result<()> {
        let mut there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = |words: usize| (words * size_of::<u64>()) as u64;
        // Who stores in a page that the file has no more is killed.
        self.watched.has_at_least(bytes(*there))?;
        if words <= *there {
            return Ok(());
        }
        if words > MOST {
            return Err(io::Error::other("more than a thousand million jobs"));
        }
        let wanted = words.next_multiple_of(STEP).min(MOST);
        // Not only longer: a page that the disk has no room for kills who stores there.
        match retry_on_intr(|| fallocate(&self.file, FallocateFlags::empty(), 0, bytes(wanted))) {
            Ok(()) => {}
            Err(error @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG | Errno::IO)) => return Err(error.into()),
            // Not every file system has it, nor every fence lets it through.
            Err(_) => write_zeros(&self.file, bytes(*there)..bytes(wanted))?,
        }
        *there = wanted;
        Ok(())
    }
}

/// Has the disk find room for this part of the file, where no call does it: by zeros that are written there. Some learn only
/// as those go to the disk that there is no room (nfs(5)).
fn write_zeros(file: &File, part: Range<u64>) -> io::Result<()> {
    const ZEROS: [u8; STEP * size_of::<u64>()] = [0; STEP * size_of::<u64>()];
    let mut offset = part.start;
    while offset < part.end {
        let length = usize::try_from(part.end - offset).map_or(ZEROS.len(), |left| left.min(ZEROS.len()));
        file.write_all_at(&ZEROS[..length], offset)?;
        offset += length as u64;
    }
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::folder::Folder;
    use crate::journal::shaped::Passes;

    fn plain() -> Shaped {
        Shaped {
            label: None,
            stdout: Passes::Everything,
            stderr: Passes::Everything,
        }
    }

    #[test]
    fn what_was_printed_is_known_to_who_reads_the_file_at_any_moment() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let path = Folder::make(temporary.path()).unwrap().0.printed(1);
        assert!(!Before::read(&path).unwrap().has(1));
        let printed = Printed::create(&path, &Before::read(&path).unwrap()).unwrap();
        for position in [1, 63, 64, 100_000] {
            printed.begin(position, &plain()).unwrap();
            printed.done(position).unwrap();
        }
        printed.begin(7, &plain()).unwrap();
        let place = FilePlace { device: 1, inode: 2, offset: 3 };
        printed.begin_at(Source::Stderr, place);
        printed.announce(Source::Stdout, 100);
        printed.count(Source::Stdout, 5);
        printed.count(Source::Stdout, 6);
        printed.set_count(Source::Stderr, 20);
        printed.announce(Source::Stderr, 7);
        let before = Before::read(&path).unwrap();
        let done: Vec<u64> = (0..200_000).filter(|position| before.has(*position)).collect();
        assert_eq!(done, [1, 63, 64, 100_000]);
        let stdout = Part { bytes: 11, ..Part::default() };
        let stderr = Part {
            bytes: 20,
            under_way: 7,
            place: Some(place),
            ..Part::default()
        };
        assert_eq!(before.partial(), Partial { position: 7, stdout, stderr, own: Own::default() });
        let mut next = Before::default();
        next.set_partial(before.partial(), None);
        assert_eq!(next.partial(), before.partial());
        drop(printed);
        Printed::create(&path, &Before::read(&path).unwrap()).unwrap().begin(8, &plain()).unwrap();
        let before = Before::read(&path).unwrap();
        assert!(before.has(100_000));
        assert_eq!(before.partial(), Partial { position: 8, ..Partial::default() });
    }

    #[test]
    fn more_jobs_than_there_is_room_for_are_refused() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let printed =
            Printed::create(&Folder::make(temporary.path()).unwrap().0.printed(1), &Before::default())
                .unwrap();
        assert!(printed.done(u64::MAX).is_err());
        assert!(!Before::default().has(u64::MAX));
    }
}
