//! Appends records to the file of a journal, and long outputs to the file beside it, whole or not at all: a
//! record that was cut would look like a torn one in the middle of the file.

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
use crate::format::record::Output;
use crate::read::history::Length;
use crate::write::group_commit::GroupCommit;

/// When a record counts as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// When the kernel has it: it survives the end of any process.
    Process,
    /// When the disk has it: it survives a power cut.
    PowerCut,
}

/// The two files of a writer, shared by all threads.
pub struct JournalWriter {
    journal: Mutex<RecordsFile>,
    outputs: File,
    watched_outputs: WrittenFile,
    /// The offset of the next output.
    outputs_end: AtomicU64,
    /// How many outputs have been written.
    kept: AtomicU64,
    /// `None` if records needn't be on disk.
    commits: Option<Commits>,
    is_broken: AtomicBool,
}

/// One for each file. An output must be on disk before the record that refers to it, and the kernel, or a
/// thread that waits for another record, may write records to disk at any moment.
struct Commits {
    outputs: GroupCommit,
    journal: GroupCommit,
}

struct RecordsFile {
    file: File,
    watched: WrittenFile,
    /// The length of all whole records.
    length: u64,
}

impl JournalWriter {
    /// Creates the files of a new journal. The file of records has its first `lines`, and its lock, from the
    /// moment it appears.
    ///
    /// # Errors
    /// If they can't be created.
    pub fn create(files: WriterFiles, lines: &[u8], durability: Durability) -> io::Result<JournalWriter> {
        let new = files.journal.with_suffix(".new");
        let file = make(&new, &files.journal, lines, durability).inspect_err(|_| {
            // A half-made file only takes space.
            let _ = new.remove();
        })?;
        let journal = files.journal.clone();
        let writer = JournalWriter::over(files, file, lines.len() as u64, durability)?;
        if durability == Durability::PowerCut {
            // Both files have their names by now.
            journal.sync_folder()?;
        }
        Ok(writer)
    }

    /// Continues a journal that was read to this length, and cuts off a torn record at its end.
    ///
    /// # Errors
    /// If it can't be opened, or has another length by now.
    pub fn resume(files: WriterFiles, length: Length, durability: Durability) -> io::Result<JournalWriter> {
        let file = files.journal.open_to_append()?;
        WrittenFile::new(files.journal.clone(), &file)?.check_length(length.whole + length.torn)?;
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

    /// Appends one or more lines. When this returns they count as written.
    ///
    /// # Errors
    /// If they can't be written, or somebody else has changed the file. All later calls fail then.
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
        // Appended, not written at an offset: in a file that somebody has cut short, that would leave a hole,
        // and the length would look right.
        let mut tries = 0;
        let written = journal.watched.wait_out(|| {
            tries += 1;
            if tries > 1 {
                // A part may have been written.
                journal.file.set_len(journal.length)?;
            }
            (&journal.file).write_all(lines)
        });
        if let Err(error) = written {
            // If this fails the next run finds a torn record, which does no harm.
            let _ = journal.file.set_len(journal.length);
            return Err(error);
        }
        let length = journal.length + lines.len() as u64;
        journal.watched.check_length(length)?;
        journal.length = length;
        Ok(length)
    }

    /// Writes an output to the file of outputs; returns its offset and its CRC-32. When this returns it
    /// counts as written.
    ///
    /// # Errors
    /// If it can't be written, or somebody else has changed the file.
    pub fn keep(&self, output: &Spool) -> io::Result<(u64, u32)> {
        let offset = self.outputs_end.fetch_add(output.len(), Ordering::Relaxed);
        let place = self.watched_outputs.wait_out(|| {
            let mut place = OutputCursor { file: &self.outputs, offset, sum: crc32fast::Hasher::new() };
            let copied = output.copy_to(&mut place);
            copied.map(|_| place).map_err(|error| match error {
                CopyError::Reading(error) | CopyError::Writing(error) => error,
            })
        })?;
        // Other threads may have written theirs behind it.
        self.watched_outputs.check_least_length(place.offset)?;
        let sum = place.sum.finalize();
        if let Some(commits) = &self.commits {
            let number = self.kept.fetch_add(1, Ordering::AcqRel) + 1;
            commits.outputs.wait_for(number, || self.kept.load(Ordering::Acquire))?;
        }
        Ok((offset, sum))
    }

    /// Keeps an output for its record: a short one goes into the record, a long one is written now.
    ///
    /// # Errors
    /// As [`keep`](JournalWriter::keep).
    pub fn keep_output(&self, output: &Spool) -> io::Result<Output> {
        Ok(match output.len() {
            0 => Output::Empty,
            1..=LONGEST => Output::Here(output.to_vec()?),
            _ => {
                let (offset, sum) = self.keep(output)?;
                Output::At { offset, sum }
            }
        })
    }

    /// The last records, as whole lines, back to at least one for which `is_old` returns true.
    ///
    /// # Errors
    /// If they can't be read.
    pub fn tail(&self, is_old: impl Fn(&[u8]) -> bool) -> io::Result<Vec<u8>> {
        let journal = self.journal();
        let mut wanted = PIECE;
        loop {
            let begin = journal.length.saturating_sub(wanted);
            let mut bytes = vec![0; usize::try_from(journal.length - begin).map_err(io::Error::other)?];
            journal.file.read_exact_at(&mut bytes, begin)?;
            // It usually begins within a line.
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

    /// Checks that both files are still at their paths, with what was written.
    ///
    /// # Errors
    /// If they aren't.
    pub fn check_place(&self) -> io::Result<()> {
        let journal = self.journal();
        journal.watched.check_path()?;
        journal.watched.check_length(journal.length)?;
        self.watched_outputs.check_path()
    }

    fn journal(&self) -> MutexGuard<'_, RecordsFile> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A longer output goes to the file beside the records.
const LONGEST: u64 = 4096;

/// How much of the end is read first.
const PIECE: u64 = 64 * 1024;

/// Creates a file that has all of the lines, and is locked, by the time it has its name.
fn make(new: &JournalFile, name: &JournalFile, lines: &[u8], durability: Durability) -> io::Result<File> {
    let mut file = new.make_anew_to_append()?;
    // Fails only if the file system has no locks.
    let _ = try_flock(&file);
    file.write_all(lines)?;
    if durability == Durability::PowerCut {
        file.sync_data()?;
    }
    new.rename_to(name)?;
    Ok(file)
}

/// Writes one output at its offset, and computes its sum.
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
