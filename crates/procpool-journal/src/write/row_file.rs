//! How far each job's output has been printed when lines of several jobs are printed side by side
//! (`--output lines`), in a file of its own. It counts the jobs' own bytes, whatever the shape of the lines.

use std::io;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use procpool_core::Source;

use crate::files::file::JournalFile;
use crate::write::word_file::{self, WordFile};

/// The row of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PrintRow {
    /// Its position in the list.
    pub(crate) position: u64,
    pub(crate) attempt: u32,
    pub(crate) age: RowOrigin,
    /// How many bytes of its outputs have been printed, up to the end of a line.
    pub(crate) own: OwnBytes,
}

/// Which run the attempt is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowOrigin {
    /// The one that created the file.
    Own,
    /// An earlier one, whose outcome still counts.
    Carried,
}

/// For each output, a count of the job's own bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnBytes {
    pub(crate) stdout: u64,
    pub(crate) stderr: u64,
}

/// The file `printed-G.rows`.
pub struct RowFile {
    words: WordFile,
    free: Mutex<Vec<usize>>,
    /// How many rows, the first ones, were carried over.
    carried: usize,
}

/// The number of a row in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowIndex(usize);

/// How many rows there are. Lines of jobs without one are printed again after a kill.
const MOST: usize = 4096;

/// The position, the attempt, and two counts.
const ROW: usize = 4;

/// The flag beside an attempt that was carried over.
const IS_CARRIED: u64 = 1 << 32;

/// The length of the file in words, with one at the end that stays 0.
const LENGTH: usize = MOST * ROW + 1;

impl OwnBytes {
    /// The number for one of the two outputs.
    #[must_use]
    pub fn of(self, source: Source) -> u64 {
        match source {
            Source::Stdout => self.stdout,
            Source::Stderr => self.stderr,
        }
    }
}

impl RowFile {
    /// Creates the file, with the rows of earlier runs.
    pub(crate) fn create(place: &JournalFile, before: &[PrintRow]) -> io::Result<RowFile> {
        let before = &before[..before.len().min(MOST)];
        let mut words = vec![0; LENGTH];
        for (row, words) in before.iter().zip(words.chunks_exact_mut(ROW)) {
            let attempt = IS_CARRIED | u64::from(row.attempt);
            words.copy_from_slice(&[row.position, attempt, row.own.stdout, row.own.stderr]);
        }
        Ok(RowFile {
            words: WordFile::create(place, words)?,
            free: Mutex::new((before.len()..MOST).rev().collect()),
            carried: before.len(),
        })
    }

    /// Checks that the file is unchanged.
    ///
    /// # Errors
    /// If somebody else has changed it.
    pub(crate) fn check(&self) -> io::Result<()> {
        self.words.check()
    }

    /// Takes a row for an attempt of which nothing has been printed; `None` if all are taken.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn take(&self, position: u64, attempt: u32) -> io::Result<Option<RowIndex>> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(place) = free.map(RowIndex) else { return Ok(None) };
        let row = [position, attempt.into(), 0, 0];
        self.words.store(place.words(), |words| words.copy_from_slice(&row))?;
        Ok(Some(place))
    }

    /// Stores how many bytes of an output have been printed.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn set(&self, place: RowIndex, source: Source, own: u64) -> io::Result<()> {
        self.words.store(place.words(), |words| words[word_of(source)] = own)
    }

    /// How many bytes of each output have been printed.
    pub fn own(&self, place: RowIndex) -> OwnBytes {
        let of = |source| self.words.get(place.words().start + word_of(source));
        OwnBytes { stdout: of(Source::Stdout), stderr: of(Source::Stderr) }
    }

    /// Gives a row back.
    ///
    /// # Errors
    /// If that can't be written.
    pub fn free(&self, place: RowIndex) -> io::Result<()> {
        self.words.store(place.words(), |words| words[0] = 0)?;
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(place.0);
        Ok(())
    }

    /// Clears the rows of this position that were carried over: the job has another outcome now.
    ///
    /// # Errors
    /// If that can't be written.
    pub(crate) fn free_carried(&self, position: u64) -> io::Result<()> {
        let is_of_it = |place: &RowIndex| self.words.get(place.words().start) == position;
        (0..self.carried)
            .map(RowIndex)
            .filter(is_of_it)
            .try_for_each(|place| self.words.store(place.words(), |words| words[0] = 0))
    }

    /// Reads all rows that are in use; none if there is no such file.
    pub(crate) fn read(place: &JournalFile) -> io::Result<Vec<PrintRow>> {
        let words = word_file::read(place, |length| length == LENGTH * size_of::<u64>())?.unwrap_or_default();
        let row = |words: &[u64]| match *words {
            [position, attempt, stdout, stderr] if position > 0 => {
                let own = OwnBytes { stdout, stderr };
                let age = if attempt & IS_CARRIED == 0 { RowOrigin::Own } else { RowOrigin::Carried };
                let attempt = u32::try_from(attempt & !IS_CARRIED).ok()?;
                Some(PrintRow { position, attempt, age, own })
            }
            _ => None,
        };
        Ok(words.chunks_exact(ROW).filter_map(row).collect())
    }
}

impl RowIndex {
    fn words(self) -> Range<usize> {
        self.0 * ROW..(self.0 + 1) * ROW
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
    use crate::files::folder::Folder;

    #[test]
    fn rows_in_use_are_read_back_and_those_of_earlier_runs_stay() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let path = Folder::make(temporary.path()).unwrap().0.rows(1);
        assert_eq!(RowFile::read(&path).unwrap(), []);
        let row = |position, stdout, stderr| PrintRow {
            position,
            attempt: 2,
            age: RowOrigin::Own,
            own: OwnBytes { stdout, stderr },
        };
        let rows = RowFile::create(&path, &[row(7, 70, 0), row(8, 80, 0)]).unwrap();
        let places = [1, 2, 3].map(|position| rows.take(position, 2).unwrap().unwrap());
        rows.set(places[0], Source::Stdout, 10).unwrap();
        rows.set(places[2], Source::Stderr, 30).unwrap();
        rows.free(places[1]).unwrap();
        assert_eq!(rows.own(places[2]), OwnBytes { stdout: 0, stderr: 30 });
        let carried = |position, stdout| PrintRow { age: RowOrigin::Carried, ..row(position, stdout, 0) };
        assert_eq!(
            RowFile::read(&path).unwrap(),
            [carried(7, 70), carried(8, 80), row(1, 10, 0), row(3, 0, 30)]
        );
        rows.free_carried(7).unwrap();
        rows.free_carried(3).unwrap();
        assert_eq!(RowFile::read(&path).unwrap(), [carried(8, 80), row(1, 10, 0), row(3, 0, 30)]);
    }

    #[test]
    fn where_there_are_too_many_the_last_have_none() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let rows = RowFile::create(&Folder::make(temporary.path()).unwrap().0.rows(1), &[]).unwrap();
        let places: Vec<Option<RowIndex>> =
            (1..=4097).map(|position| rows.take(position, 1).unwrap()).collect();
        assert_eq!(places.iter().filter(|place| place.is_none()).count(), 1);
        rows.free(places[0].unwrap()).unwrap();
        assert_eq!(rows.take(5000, 1).unwrap(), places[0]);
    }
}
