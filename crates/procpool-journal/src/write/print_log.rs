//! The log of what has been printed: one bit per job, and how far the output is that is being printed. A
//! resume continues there after any end of this process.

use std::io;
use std::sync::OnceLock;

use procpool_core::Source;

use crate::files::file::JournalFile;
use crate::files::folder::{rows_of, shape_of};
use crate::write::output_shape::{OutputShape, ShapeFile};
use crate::write::partial_output::{
    BITS, FLAGS, HAS_ROWS, HAS_SHAPE, POSITION, STEP, bit_of, first_word, own_word, word_of,
};
pub use crate::write::partial_output::{FilePlace, LastByte, PartialOutput, PartialStream};
pub use crate::write::print_history::PrintHistory;
use crate::write::row_file::{OwnBytes, PrintRow, RowFile};
use crate::write::word_file::WordFile;

/// The file `printed-G`, and those beside it.
pub struct PrintLog {
    /// The words before the bits are always stored together.
    words: WordFile,
    shape: ShapeFile,
    /// Set if lines of several jobs are printed side by side, or were.
    rows: OnceLock<RowFile>,
    place: JournalFile,
}

/// Room for a billion jobs.
const MOST: usize = BITS + (1 << 24);

impl PrintLog {
    /// Creates the files of a new run, with what earlier ones have printed.
    ///
    /// # Errors
    /// If they can't be created.
    pub fn create(place: &JournalFile, before: &PrintHistory) -> io::Result<PrintLog> {
        let shape = ShapeFile::create(&shape_of(place), before.shape.as_ref(), before.gone)?;
        let mut words = before.words.clone();
        words.resize(words.len().max(STEP), 0);
        words[FLAGS] |= HAS_SHAPE;
        let printed = PrintLog {
            words: WordFile::create(place, words)?,
            shape,
            rows: OnceLock::new(),
            place: place.clone(),
        };
        if !before.rows.is_empty() {
            printed.make_rows(&before.rows)?;
        }
        Ok(printed)
    }

    /// Notes that the output of this job is printed from now on, in this shape.
    ///
    /// # Errors
    /// If the disk has no space.
    pub fn begin(&self, position: u64, shape: &OutputShape) -> io::Result<()> {
        self.begin_from(position, shape, OwnBytes::default())
    }

    /// The same, starting at these offsets in the job's own bytes: everything before them was printed
    /// earlier.
    ///
    /// # Errors
    /// If the disk has no space.
    pub fn begin_from(&self, position: u64, shape: &OutputShape, own: OwnBytes) -> io::Result<()> {
        self.make_room(position)?;
        self.set_shape(shape)?;
        // Not written yet: it needn't be in the file before bytes are announced.
        self.words.change(0..BITS, |words| {
            clear(words);
            words[POSITION] = position;
            for source in [Source::Stdout, Source::Stderr] {
                words[own_word(source)] = own.of(source);
            }
        });
        Ok(())
    }

    /// Changes the shape. The position that is in the file must not be combined with the new shape, unless
    /// its job is done.
    fn set_shape(&self, shape: &OutputShape) -> io::Result<()> {
        if self.shape.is(shape) {
            return Ok(());
        }
        let last = self.words.get(POSITION);
        // A job that is on no list has no bit.
        let is_done = word_of(last) < MOST && self.words.get(word_of(last)) & bit_of(last) != 0;
        if last > 0 && !is_done {
            self.pause()?;
        }
        self.shape.set(shape)
    }

    /// Keeps a row for each job whose lines are printed side by side with others'.
    ///
    /// # Errors
    /// If the disk has no space.
    pub fn keep_rows(&self) -> io::Result<()> {
        if self.rows.get().is_none() { self.make_rows(&[]) } else { Ok(()) }
    }

    fn make_rows(&self, before: &[PrintRow]) -> io::Result<()> {
        let rows = RowFile::create(&rows_of(&self.place), before)?;
        let _ = self.rows.set(rows);
        self.words.store(0..BITS, |words| words[FLAGS] |= HAS_ROWS)
    }

    /// The rows, if [`keep_rows`](PrintLog::keep_rows) was called.
    pub fn rows(&self) -> Option<&RowFile> {
        self.rows.get()
    }

    /// Notes that nothing is being printed now.
    ///
    /// # Errors
    /// If that can't be written.
    pub fn pause(&self) -> io::Result<()> {
        self.words.store(0..BITS, |words| words[POSITION] = 0)
    }

    /// Notes that the output which an earlier run began is finished, but its job isn't done: the job runs
    /// again.
    ///
    /// # Errors
    /// If that can't be written.
    pub fn forget(&self) -> io::Result<()> {
        self.words.store(0..BITS, clear)
    }

    /// Notes that the output which an earlier run began is continued in this shape; `counts`: how many bytes
    /// of standard output and standard error are there.
    ///
    /// # Errors
    /// If that can't be written.
    pub fn go_on(&self, shape: &OutputShape, counts: [u64; 2]) -> io::Result<()> {
        let position = self.words.get(POSITION);
        self.set_shape(shape)?;
        self.words.change(0..BITS, |words| {
            words[POSITION] = position;
            for (source, bytes) in [Source::Stdout, Source::Stderr].into_iter().zip(counts) {
                words[first_word(source)] = bytes;
                words[first_word(source) + 5] = 0;
            }
        });
        Ok(())
    }

    /// Notes that the output begins at this place of a file.
    pub fn begin_at(&self, source: Source, place: FilePlace) {
        let first = first_word(source);
        let known = [place.file.device, place.file.inode, place.offset, 1];
        self.words.change(first + 1..first + 5, |words| words.copy_from_slice(&known));
    }

    /// Notes that this many more bytes of it are about to be written.
    ///
    /// # Errors
    /// If that can't be written.
    pub fn announce(&self, source: Source, bytes: u64) -> io::Result<()> {
        self.words.store(0..BITS, |words| words[first_word(source) + 5] = bytes)
    }

    /// Notes that this many of those were written, and how they end.
    ///
    /// # Errors
    /// If that can't be written.
    pub fn count(&self, source: Source, bytes: u64, last: LastByte) -> io::Result<()> {
        self.words.store(0..BITS, |words| count(words, source, bytes, last))
    }

    /// The same, without a write to the log: the bytes went to a file, whose length shows how many there are
    /// until more are announced.
    pub fn count_later(&self, source: Source, bytes: u64, last: LastByte) {
        self.words.change(0..BITS, |words| count(words, source, bytes, last));
    }

    /// Notes that all outputs of this job have been printed, or that it has none.
    ///
    /// # Errors
    /// If the disk has no space.
    pub fn done(&self, position: u64) -> io::Result<()> {
        self.make_room(position)?;
        let word = word_of(position);
        self.words.store(word..word + 1, |words| words[0] |= bit_of(position))
    }

    /// Notes that what was printed of this job belongs to an earlier outcome.
    ///
    /// # Errors
    /// If that can't be written.
    pub fn undo(&self, position: u64) -> io::Result<()> {
        self.make_room(position)?;
        if let Some(rows) = self.rows.get() {
            rows.free_carried(position)?;
        }
        let word = word_of(position);
        self.words.store(word..word + 1, |words| words[0] &= !bit_of(position))
    }

    /// Checks that the files are still at their place, with what was written.
    ///
    /// # Errors
    /// If they aren't.
    pub fn check(&self) -> io::Result<()> {
        self.words.check()?;
        self.shape.check()?;
        self.rows.get().map_or(Ok(()), RowFile::check)
    }

    fn make_room(&self, position: u64) -> io::Result<()> {
        let words = word_of(position) + 1;
        if words > MOST {
            return Err(io::Error::other("more than a thousand million jobs"));
        }
        self.words.reach(words, STEP)
    }
}

/// Nothing is being printed. The flags of the other files stay.
fn clear(words: &mut [u64]) {
    let beside = words[FLAGS] & (HAS_SHAPE | HAS_ROWS);
    words.fill(0);
    words[FLAGS] = beside;
}

fn count(words: &mut [u64], source: Source, bytes: u64, last: LastByte) {
    let first = first_word(source);
    words[first] += bytes;
    words[first + 5] = 0;
    match last {
        LastByte::EndsLine => words[FLAGS] &= !(1 << first),
        LastByte::IsWithinLine => words[FLAGS] |= 1 << first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::folder::Folder;
    use crate::os::file_id::FileId;
    use crate::write::output_shape::StreamFilter;

    fn plain() -> OutputShape {
        OutputShape {
            label: None,
            stdout: StreamFilter::Everything,
            stderr: StreamFilter::Everything,
        }
    }

    #[test]
    fn what_was_printed_is_read_back_from_the_file_at_any_moment() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let path = Folder::make(temporary.path()).unwrap().0.printed(1);
        assert!(!PrintHistory::read(&path).unwrap().has(1));
        let printed = PrintLog::create(&path, &PrintHistory::read(&path).unwrap()).unwrap();
        for position in [1, 63, 64, 100_000] {
            printed.begin(position, &plain()).unwrap();
            printed.done(position).unwrap();
        }
        printed.begin(7, &plain()).unwrap();
        let place = FilePlace { file: FileId { device: 1, inode: 2 }, offset: 3 };
        printed.begin_at(Source::Stderr, place);
        printed.announce(Source::Stdout, 100).unwrap();
        printed.count(Source::Stdout, 5, LastByte::IsWithinLine).unwrap();
        printed.count(Source::Stdout, 6, LastByte::EndsLine).unwrap();
        printed.count_later(Source::Stderr, 20, LastByte::EndsLine);
        printed.announce(Source::Stderr, 7).unwrap();
        let before = PrintHistory::read(&path).unwrap();
        let done: Vec<u64> = (0..200_000).filter(|position| before.has(*position)).collect();
        assert_eq!(done, [1, 63, 64, 100_000]);
        let stdout = PartialStream { bytes: 11, ..PartialStream::default() };
        let stderr = PartialStream {
            bytes: 20,
            under_way: 7,
            place: Some(place),
            ..PartialStream::default()
        };
        assert_eq!(before.partial(), PartialOutput { position: 7, stdout, stderr, own: OwnBytes::default() });
        let mut next = PrintHistory::default();
        next.set_partial(before.partial(), None);
        assert_eq!(next.partial(), before.partial());
        drop(printed);
        let printed = PrintLog::create(&path, &PrintHistory::read(&path).unwrap()).unwrap();
        printed.begin(8, &plain()).unwrap();
        // Nothing of it can have been printed yet.
        let before = PrintHistory::read(&path).unwrap();
        assert!(before.has(100_000));
        assert_eq!(before.partial(), PartialOutput { position: 7, stdout, stderr, own: OwnBytes::default() });
        printed.announce(Source::Stdout, 0).unwrap();
        let before = PrintHistory::read(&path).unwrap();
        assert_eq!(before.partial(), PartialOutput { position: 8, ..PartialOutput::default() });
    }

    #[test]
    fn more_jobs_than_there_is_room_for_are_refused() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let printed =
            PrintLog::create(&Folder::make(temporary.path()).unwrap().0.printed(1), &PrintHistory::default())
                .unwrap();
        assert!(printed.done(u64::MAX).is_err());
        assert!(!PrintHistory::default().has(u64::MAX));
    }
    #[test]
    fn what_was_cut_off_is_never_taken_for_something_in_another_shape() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let path = Folder::make(temporary.path()).unwrap().0.printed(1);
        let printed = PrintLog::create(&path, &PrintHistory::default()).unwrap();
        printed.begin(1, &plain()).unwrap();
        printed.announce(Source::Stdout, 10).unwrap();
        let tagged = OutputShape { label: Some(b"tag".to_vec()), ..plain() };
        printed.begin(2, &tagged).unwrap();
        let before = PrintHistory::read(&path).unwrap();
        assert_eq!((before.partial().position, before.shape()), (0, Some(&tagged)));
        // A job that is done is not continued.
        printed.announce(Source::Stdout, 10).unwrap();
        printed.done(2).unwrap();
        printed.begin(3, &plain()).unwrap();
        let before = PrintHistory::read(&path).unwrap();
        assert_eq!((before.partial().position, before.has(2), before.shape()), (2, true, Some(&plain())));
    }
}
