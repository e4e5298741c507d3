//! Finds the records of outcomes again, for whoever wants all that stands in them.
//! Knows nothing of what is done with them.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::io;
use std::os::unix::fs::FileExt;

use crate::files::file::JournalFile;
use crate::files::folder::WriterFiles;
use crate::format::brief::{Brief, CameOfIt};
use crate::format::entry::Entry;
use crate::format::identity::Hash;
use crate::format::line::{self, CHECK};
use crate::read::scan::{Found, Scanner};

/// Where a record is.
#[derive(Clone, Copy, Debug)]
pub struct RecordPlace {
    /// Of the writers, in their order.
    writer: usize,
    offset: u64,
    length: usize,
    generation: u32,
    attempt: u32,
    has_succeeded: bool,
    ended: u64,
}

impl RecordPlace {
    /// Of several writers: the last generation, in it who succeeded, of those the first.
    fn rank(&self) -> (u32, bool, Reverse<u64>) {
        (self.generation, self.has_succeeded, Reverse(self.ended))
    }

    /// Reads it, and says in which file its outputs are.
    ///
    /// # Errors
    /// Where it can't be read any more.
    pub fn read(&self, writers: &[WriterFiles]) -> io::Result<(Entry, JournalFile)> {
        let gone = || io::Error::new(io::ErrorKind::InvalidData, "a record in the journal is gone");
        let files = writers.get(self.writer).ok_or_else(gone)?;
        let mut line = vec![0; self.length];
        files.journal.open()?.read_exact_at(&mut line, self.offset)?;
        let entry = line::open(&line).and_then(Entry::parse).ok_or_else(gone)?;
        Ok((entry, files.outputs.clone()))
    }
}

/// Where the records are of the outcomes of these jobs, those that count.
///
/// # Errors
/// Where a file can't be read.
pub fn find_outcomes(
    writers: &[WriterFiles],
    wanted: &HashMap<Hash, u64, impl BuildHasher>,
) -> io::Result<HashMap<Hash, RecordPlace>> {
    let mut places: HashMap<Hash, RecordPlace> = HashMap::new();
    if wanted.is_empty() {
        return Ok(places);
    }
    for (writer, files) in writers.iter().enumerate() {
        for (job, place) in find_in(writer, files, wanted)? {
            if places.get(&job).is_none_or(|other| other.rank() < place.rank()) {
                places.insert(job, place);
            }
        }
    }
    Ok(places)
}

/// Of one writer the last attempt of the last generation counts.
fn find_in(
    writer: usize,
    files: &WriterFiles,
    wanted: &HashMap<Hash, u64, impl BuildHasher>,
) -> io::Result<HashMap<Hash, RecordPlace>> {
    let mut places: HashMap<Hash, RecordPlace> = HashMap::new();
    let mut scanner = Scanner::new(files.journal.open()?);
    while let Found::Line { offset, body } = scanner.next_line()? {
        let Some(brief) = Brief::of(body) else { continue };
        let Brief { generation, attempt, ended, .. } = brief;
        let job = brief.identity.job;
        let is_last = |other: &RecordPlace| (other.generation, other.attempt) <= (generation, attempt);
        if wanted.contains_key(&job) && places.get(&job).is_none_or(is_last) {
            let has_succeeded = brief.came_of_it == CameOfIt::Succeeded;
            let length = body.len() + CHECK;
            places.insert(
                job,
                RecordPlace {
                    writer,
                    offset,
                    length,
                    generation,
                    attempt,
                    has_succeeded,
                    ended,
                },
            );
        }
    }
    Ok(places)
}
