//! How far the outputs of jobs have been printed whose lines are printed side by side: stored without a system call, in a file
//! that is mapped, in the jobs' own bytes. Knows nothing of how a line is shaped.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use procpool_core::Source;

use crate::journal::file::JournalFile;
use crate::journal::watched::Watched;
use crate::sys;

/// One job's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its position in the list.
    pub(crate) position: u64,
    pub(crate) attempt: u32,
    /// How many bytes of its outputs have been printed, up to the end of a line.
    pub(crate) own: Own,
}

/// So many of the bytes that a job has written itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Own {
    pub(crate) stdout: u64,
    pub(crate) stderr: u64,
}

/// The file, mapped.
pub(crate) struct RowFile {
    watched: Watched,
    words: &'static [AtomicU64],
    free: Mutex<Vec<usize>>,
}

/// A row in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(usize);

/// So many jobs have one at the same time. Of others all is printed again.
const MOST: usize = 4096;

/// The position, the attempt, and two counts.
const ROW: usize = 4;

impl Own {
    pub(crate) fn of(self, source: Source) -> u64 {
        match source {
            Source::Stdout => self.stdout,
            Source::Stderr => self.stderr,
        }
    }
}

impl RowFile {
    /// Makes the file, with what is known of earlier runs.
    pub(crate) fn create(place: &JournalFile, before: &[Row]) -> io::Result<RowFile> {
        let mut file = place.make_anew()?;
        let before = &before[..before.len().min(MOST)];
        let mut words = vec![0; MOST * ROW];
        for (row, words) in before.iter().zip(words.chunks_exact_mut(ROW)) {
            words.copy_from_slice(&[row.position, row.attempt.into(), row.own.stdout, row.own.stderr]);
        }
        // Not only longer: a page that the disk has no room for kills who stores there.
        file.write_all(&words.into_iter().flat_map(u64::to_ne_bytes).collect::<Vec<u8>>())?;
        Ok(RowFile {
            watched: Watched::new(place.clone(), &file)?,
            words: sys::map_shared(&file, MOST * ROW)?,
            free: Mutex::new((before.len()..MOST).rev().collect()),
        })
    }

    /// Comes back where the file is as long as it was made: who stores in a page that it has no more is killed.
    ///
    /// # Errors
    /// Where somebody else has changed it.
    pub(crate) fn check(&self) -> io::Result<()> {
        self.watched.has_at_least((MOST * ROW * size_of::<u64>()) as u64)
    }

    /// A row for an attempt of which nothing has been printed; `None` where there is no more.
    pub(crate) fn take(&self, position: u64, attempt: u32) -> Option<Place> {
        // In a file that was cut short there are no more, either; who prints on is told.
        self.check().ok()?;
        let place = Place(self.free.lock().unwrap_or_else(PoisonError::into_inner).pop()?);
        for (word, value) in [(1, attempt.into()), (2, 0), (3, 0), (0, position)] {
            self.word(place, word).store(value, Ordering::Release);
        }
        Some(place)
    }

    /// So much of an output has been printed.
    pub(crate) fn set(&self, place: Place, source: Source, own: u64) {
        self.word(place, word_of(source)).store(own, Ordering::Release);
    }

    /// How much of the outputs has been printed.
    pub(crate) fn own(&self, place: Place) -> Own {
        let of = |source| self.word(place, word_of(source)).load(Ordering::Acquire);
        Own { stdout: of(Source::Stdout), stderr: of(Source::Stderr) }
    }

    /// Nobody needs it any more.
    pub(crate) fn free(&self, place: Place) {
        if self.check().is_ok() {
            self.word(place, 0).store(0, Ordering::Release);
        }
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(place.0);
    }

    fn word(&self, place: Place, number: usize) -> &AtomicU64 {
        &self.words[place.0 * ROW + number]
    }

    /// All rows that are in use; none where there is no such file.
    pub(crate) fn read(place: &JournalFile) -> io::Result<Vec<Row>> {
        let mut bytes = Vec::new();
        match place.open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            file => File::take(file?, (MOST * ROW * size_of::<u64>()) as u64).read_to_end(&mut bytes)?,
        };
        let words: Vec<u64> = bytes
            .chunks_exact(size_of::<u64>())
            .map(|word| word.try_into().map(u64::from_ne_bytes).unwrap_or_default())
            .collect();
        let row = |words: &[u64]| match *words {
            [position, attempt, stdout, stderr] if position > 0 => {
                let own = Own { stdout, stderr };
                Some(Row { position, attempt: u32::try_from(attempt).ok()?, own })
            }
            _ => None,
        };
        Ok(words.chunks_exact(ROW).filter_map(row).collect())
    }
}

fn word_of(source: Source) -> usize {
    match source {
        Source::Stdout => 2,
        Source::Stderr => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::folder::Folder;

    #[test]
    fn rows_in_use_are_read_back_and_those_of_earlier_runs_stay() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let path = Folder::make(temporary.path()).unwrap().0.rows(1);
        assert_eq!(RowFile::read(&path).unwrap(), []);
        let row = |position, stdout, stderr| Row { position, attempt: 2, own: Own { stdout, stderr } };
        let rows = RowFile::create(&path, &[row(7, 70, 0)]).unwrap();
        let places = [1, 2, 3].map(|position| rows.take(position, 2).unwrap());
        rows.set(places[0], Source::Stdout, 10);
        rows.set(places[2], Source::Stderr, 30);
        rows.free(places[1]);
        assert_eq!(rows.own(places[2]), Own { stdout: 0, stderr: 30 });
        assert_eq!(RowFile::read(&path).unwrap(), [row(7, 70, 0), row(1, 10, 0), row(3, 0, 30)]);
    }

    #[test]
    fn where_there_are_too_many_the_last_have_none() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let rows = RowFile::create(&Folder::make(temporary.path()).unwrap().0.rows(1), &[]).unwrap();
        let places: Vec<Option<Place>> = (1..=4097).map(|position| rows.take(position, 1)).collect();
        assert_eq!(places.iter().filter(|place| place.is_none()).count(), 1);
        rows.free(places[0].unwrap());
        assert_eq!(rows.take(5000, 1), places[0]);
    }
}
