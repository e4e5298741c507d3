//! Finds the records of outcomes again when a run needs their contents. A resume doesn't keep the places of
//! all records, because it needs those of few jobs.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::io;
use std::os::unix::fs::FileExt;

use crate::files::file::JournalFile;
use crate::files::folder::WriterFiles;
use crate::format::brief::Brief;
use crate::format::entry::Entry;
use crate::format::identity::Hash;
use crate::format::line::{self, CHECK};
use crate::read::scan::{Found, Scanner};
use crate::read::standing::{FileAttempts, Standing, TrackedJob};

/// Where a record is.
#[derive(Clone, Copy, Debug)]
pub struct RecordPlace {
    /// The index of its file among those of all writers.
    writer: usize,
    offset: u64,
    length: usize,
}

/// A job whose record was asked for.
struct FoundJob {
    state: Standing,
    place: RecordPlace,
}

impl TrackedJob<RecordPlace> for FoundJob {
    fn state(&mut self) -> &mut Standing {
        &mut self.state
    }

    fn counts_at(&mut self, place: RecordPlace) {
        self.place = place;
    }
}

impl RecordPlace {
    /// Reads the record; also returns the file of its long outputs.
    ///
    /// # Errors
    /// If it can't be read any more.
    pub fn read(&self, writers: &[WriterFiles]) -> io::Result<(Entry, JournalFile)> {
        let gone = || io::Error::new(io::ErrorKind::InvalidData, "a record in the journal is gone");
        let files = writers.get(self.writer).ok_or_else(gone)?;
        let mut line = vec![0; self.length];
        files.journal.open()?.read_exact_at(&mut line, self.offset)?;
        let entry = line::open(&line).and_then(Entry::parse).ok_or_else(gone)?;
        Ok((entry, files.outputs.clone()))
    }
}

/// Finds, for each of these jobs, the record of the attempt that counts.
///
/// # Errors
/// If a file can't be read.
pub fn find_outcomes(
    writers: &[WriterFiles],
    wanted: &HashMap<Hash, u64, impl BuildHasher>,
) -> io::Result<HashMap<Hash, RecordPlace>> {
    let mut found: HashMap<Hash, FoundJob> = HashMap::new();
    // A run that prints nothing again doesn't need to read the files.
    let files = if wanted.is_empty() { &[] } else { writers };
    for (writer, files) in files.iter().enumerate() {
        let mut attempts = FileAttempts::of(writer);
        let mut scanner = Scanner::new(files.journal.open()?);
        while let Found::Line { offset, body } = scanner.next_line()? {
            let Some(brief) = Brief::of(body) else { continue };
            let job = brief.identity.job;
            if wanted.contains_key(&job) {
                let place = RecordPlace { writer, offset, length: body.len() + CHECK };
                let known = found.entry(job).or_insert(FoundJob { state: Standing::unlisted(), place });
                attempts.note(&brief, place, known);
            }
        }
        attempts.finish(&mut found);
    }
    Ok(found.into_iter().map(|(job, found)| (job, found.place)).collect())
}
