//! The jobs of a list as they are wanted, read back from its file.
//! Knows nothing of how they came there.

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
    /// Those to take; `None` is all.
    wanted: Option<Arc<Positions>>,
    expected: Option<usize>,
    position: u64,
    /// Up to where the list was read, and what of that is to be given out.
    offset: u64,
    buffer: Vec<u8>,
    start: usize,
    /// Where some lines begin, the first one last: what lies between a job and the next is passed over.
    marks: Vec<LineOffset>,
    /// Why it could not be read on.
    pub trouble: ListFailure,
}

/// Where a line of a list begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineOffset {
    pub position: u64,
    pub offset: u64,
}

/// Why a list could not be read on. Clones know together.
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

    /// Reads from these places on, in order, and not what lies before them.
    #[must_use]
    pub fn with_marks(mut self, marks: impl DoubleEndedIterator<Item = LineOffset>) -> StoredJobs {
        self.marks = marks.rev().collect();
        self
    }

    /// Goes to the last mark that is not behind this position.
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
