//! The jobs of a list, read back from its file one by one when the run wants them.

use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use anyhow::Context;
use procpool_core::Job;

use crate::format::codec::Stored;
use crate::format::line;
use crate::format::list::{Line, parse};
use crate::format::positions::Positions;
use crate::write::list_file::{ListFile, PIECE, UNREADABLE};

/// The jobs of a list, in order.
pub struct StoredJobs {
    listing: Arc<ListFile>,
    /// The positions to read; `None` means all.
    wanted: Option<Arc<Positions>>,
    expected: Option<usize>,
    position: u64,
    /// Up to where the file was read, and what of that is still to be parsed.
    offset: u64,
    buffer: Vec<u8>,
    start: usize,
    /// Where some lines begin, in descending order, to skip what isn't wanted.
    marks: Vec<LineOffset>,
    /// Set when reading fails; the jobs end then.
    pub trouble: ListFailure,
}

/// Where a line of a list begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineOffset {
    /// Its position in the list, from 1.
    pub position: u64,
    /// Its offset in the file, in bytes.
    pub offset: u64,
}

/// Why a list could not be read on. Clones share it.
pub type ListFailure = Arc<std::sync::OnceLock<anyhow::Error>>;

impl StoredJobs {
    pub fn new(
        listing: Arc<ListFile>,
        wanted: Option<Arc<Positions>>,
        expected: Option<usize>,
    ) -> StoredJobs {
        StoredJobs {
            listing,
            wanted,
            expected,
            position: 0,
            offset: 0,
            buffer: Vec::new(),
            start: 0,
            marks: Vec::new(),
            trouble: ListFailure::default(),
        }
    }

    /// Skips to these lines, given in order, instead of reading what is before them.
    #[must_use]
    pub fn with_marks(mut self, marks: impl DoubleEndedIterator<Item = LineOffset>) -> StoredJobs {
        self.marks = marks.rev().collect();
        self
    }

    /// Skips to the last known line that is not behind this position.
    fn jump(&mut self, position: u64) {
        while let Some(mark) = self.marks.last().copied().filter(|mark| mark.position <= position) {
            self.marks.pop();
            if mark.position > self.position + 1 {
                self.position = mark.position - 1;
                self.offset = mark.offset;
                self.buffer.clear();
                self.start = 0;
            }
        }
    }

    fn read_on(&mut self) -> anyhow::Result<Option<Job<Stored>>> {
        loop {
            if let Some(wanted) = &self.wanted {
                let Some(next) = wanted.from(self.position + 1) else { return Ok(None) };
                self.jump(next);
            }
            let Some(length) = memchr::memchr(b'\n', &self.buffer[self.start..]) else {
                if !self.fill()? {
                    return Ok(None);
                }
                continue;
            };
            let line = self.start..self.start + length;
            self.start += length + 1;
            self.position += 1;
            if self.wanted.as_ref().is_some_and(|wanted| !wanted.has(self.position)) {
                continue;
            }
            let parsed = line::open(&self.buffer[line]).and_then(parse);
            return match parsed
                .ok_or(io::ErrorKind::InvalidData)
                .map_err(io::Error::from)
                .context(UNREADABLE)?
            {
                Line::Job(job) => {
                    let job = self.listing.codec.job(*job).context(UNREADABLE)?;
                    Ok(Some(job.position(self.position)))
                }
                Line::End { .. } => Ok(None),
            };
        }
    }

    fn fill(&mut self) -> anyhow::Result<bool> {
        let next = self.listing.next_piece(self.offset);
        let Some(until) = next.context("can't write the list of jobs to the journal")? else {
            return Ok(false);
        };
        self.buffer.drain(..self.start);
        self.start = 0;
        let room = usize::try_from(until - self.offset).unwrap_or(usize::MAX).min(4 * PIECE);
        let filled = self.buffer.len();
        self.buffer.resize(filled + room, 0);
        let read = || self.listing.file.read_exact_at(&mut self.buffer[filled..], self.offset);
        self.listing.watched.wait_out(read).context(UNREADABLE)?;
        self.offset += room as u64;
        Ok(true)
    }
}

impl Iterator for StoredJobs {
    type Item = Job<Stored>;

    fn next(&mut self) -> Option<Job<Stored>> {
        self.read_on().unwrap_or_else(|error| {
            let _ = self.trouble.set(error);
            None
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.expected)
    }
}
