//! Appends records to a journal's file, and outputs to the one beside it. Whole, or not at all.
//! Knows nothing of what they say.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use procpool_core::{CopyError, Spool};

use crate::files::file::JournalFile;
use crate::files::folder::WriterFiles;
use crate::files::lock::try_flock;
use crate::files::written_file::WrittenFile;
use crate::read::history::Length;
use crate::write::group_commit::GroupCommit;

/// What it takes for a record to count as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The system has it: it survives the end of any process.
    Process,
    /// The disk has it: it survives a power cut.
    PowerCut,
}

/// The two files, for any number of threads.
pub struct JournalWriter {
    journal: Mutex<RecordsFile>,
    outputs: File,
    watched_outputs: WrittenFile,
    /// Where the next output goes.
    outputs_end: AtomicU64,
    /// How many outputs have been kept.
    kept: AtomicU64,
    /// `None` where nobody waits for the disk.
    commits: Option<Commits>,
    is_broken: AtomicBool,
}

/// Each file's own. A record must not be on its way to the disk before the disk has the output that it refers to: the system
/// writes when it likes, and so does who waits for another record.
struct Commits {
    outputs: GroupCommit,
    journal: GroupCommit,
}

struct RecordsFile {
    file: File,
    watched: WrittenFile,
    /// Of all records that are whole.
    length: u64,
}

impl JournalWriter {
    /// Makes the files of a new journal, which begins with `lines`: with all of them, or it is not there.
    pub fn create(files: WriterFiles, lines: &[u8], durability: Durability) -> io::Result<JournalWriter> {
        let new = files.journal.with_suffix(".new");
        let file = make(&new, &files.journal, lines, durability).inspect_err(|_| {
            // What is half made would only take room.
            let _ = new.remove();
        })?;
        let journal = files.journal.clone();
        let writer = JournalWriter::over(files, file, lines.len() as u64, durability)?;
        if durability == Durability::PowerCut {
            // By now both files are in it.
            journal.sync_folder()?;
        }
        Ok(writer)
    }

    /// Goes on with a journal that was read to this length; what was torn goes.
    pub fn resume(files: WriterFiles, length: Length, durability: Durability) -> io::Result<JournalWriter> {
        let file = files.journal.open_to_append()?;
        WrittenFile::new(files.journal.clone(), &file)?.has(length.whole + length.torn)?;
        if length.torn > 0 {
            file.set_len(length.whole)?;
        }
        JournalWriter::over(files, file, length.whole, durability)
    }

    fn over(
        files: WriterFiles,
        file: File,
        length: u64,
        durability: Durability,
    ) -> io::Result<JournalWriter> {
        let outputs = files.outputs.open_or_make()?;
        let watched = WrittenFile::new(files.journal, &file)?;
        let watched_outputs = WrittenFile::new(files.outputs, &outputs)?;
        let outputs_end = AtomicU64::new(outputs.metadata()?.len());
        let commits = match durability {
            Durability::Process => None,
            Durability::PowerCut => Some(Commits {
                outputs: GroupCommit::new(outputs.try_clone()?),
                journal: GroupCommit::new(file.try_clone()?),
            }),
        };
        Ok(JournalWriter {
            journal: Mutex::new(RecordsFile { file, watched, length }),
            outputs,
            watched_outputs,
            outputs_end,
            kept: AtomicU64::new(0),
            commits,
            is_broken: AtomicBool::new(false),
        })
    }

    /// Appends lines, one or some. When this returns they count as written.
    ///
    /// # Errors
    /// Where they are not, or somebody else has written there. Then nothing is written any more.
    pub fn append(&self, lines: &[u8]) -> io::Result<()> {
        if self.is_broken.load(Ordering::Acquire) {
            return Err(io::Error::other("an earlier record could not be written"));
        }
        let result = self.append_now(lines).and_then(|length| match &self.commits {
            None => Ok(()),
            Some(commits) => commits.journal.wait_for(length, || self.journal().length),
        });
        result.inspect_err(|_| self.is_broken.store(true, Ordering::Release))
    }

    fn append_now(&self, lines: &[u8]) -> io::Result<u64> {
        let mut journal = self.journal();
        // At its end, wherever that is: in a file that was cut short there would be a hole else, and its length would be right.
        let mut tries = 0;
        let written = journal.watched.wait_out(|| {
            tries += 1;
            if tries > 1 {
                // Part of it may be there.
                journal.file.set_len(journal.length)?;
            }
            (&journal.file).write_all(lines)
        });
        if let Err(error) = written {
            // Else the next run would find a torn record here, which does no harm either.
            let _ = journal.file.set_len(journal.length);
            return Err(error);
        }
        let length = journal.length + lines.len() as u64;
        journal.watched.has(length)?;
        journal.length = length;
        Ok(length)
    }

    /// Keeps a whole output, and says from which byte on, and what its sum is. When this returns it counts as written.
    pub fn keep(&self, output: &Spool) -> io::Result<(u64, u32)> {
        let offset = self.outputs_end.fetch_add(output.len(), Ordering::Relaxed);
        let place = self.watched_outputs.wait_out(|| {
            let mut place = OutputCursor { file: &self.outputs, offset, sum: crc32fast::Hasher::new() };
            let copied = output.copy_to(&mut place);
            copied.map(|_| place).map_err(|error| match error {
                CopyError::Reading(error) | CopyError::Writing(error) => error,
            })
        })?;
        // Others may have written theirs behind it.
        self.watched_outputs.has_at_least(place.offset)?;
        let sum = place.sum.finalize();
        if let Some(commits) = &self.commits {
            let number = self.kept.fetch_add(1, Ordering::AcqRel) + 1;
            commits.outputs.wait_for(number, || self.kept.load(Ordering::Acquire))?;
        }
        Ok((offset, sum))
    }

    /// The end of the records, from some line on of which this says that it is old enough.
    ///
    /// # Errors
    /// Where they can't be read.
    pub fn tail(&self, is_old: impl Fn(&[u8]) -> bool) -> io::Result<Vec<u8>> {
        let journal = self.journal();
        let mut wanted = PIECE;
        loop {
            let begin = journal.length.saturating_sub(wanted);
            let mut bytes = vec![0; usize::try_from(journal.length - begin).map_err(io::Error::other)?];
            journal.file.read_exact_at(&mut bytes, begin)?;
            // What it begins with is part of a line, as a rule.
            let first = if begin == 0 {
                0
            } else {
                bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1)
            };
            let lines = bytes.split_off(first);
            if begin == 0 || lines.split_inclusive(|byte| *byte == b'\n').next().is_some_and(&is_old) {
                return Ok(lines);
            }
            wanted *= 2;
        }
    }

    /// Whether both files are still where they were made, with what was written, so that somebody will find it.
    pub fn check_place(&self) -> io::Result<()> {
        let journal = self.journal();
        journal.watched.is_found()?;
        journal.watched.has(journal.length)?;
        self.watched_outputs.is_found()
    }

    fn journal(&self) -> MutexGuard<'_, RecordsFile> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So much of the end is read first.
const PIECE: u64 = 64 * 1024;

/// Makes a file that has all of the lines, and is locked, by the time it has its name.
fn make(new: &JournalFile, name: &JournalFile, lines: &[u8], durability: Durability) -> io::Result<File> {
    let mut file = new.make_anew_to_append()?;
    // Where the file system has no locks nobody gets one.
    let _ = try_flock(&file);
    file.write_all(lines)?;
    if durability == Durability::PowerCut {
        file.sync_data()?;
    }
    new.rename_to(name)?;
    Ok(file)
}

/// Where an output goes.
struct OutputCursor<'a> {
    file: &'a File,
    offset: u64,
    sum: crc32fast::Hasher,
}

impl Write for OutputCursor<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write_at(bytes, self.offset)?;
        self.offset += count as u64;
        self.sum.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
