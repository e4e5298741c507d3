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
use crate::read::scan::LineBuffer;
use crate::write::list_file::{ListFile, PIECE, UNREADABLE};

/// The jobs of a list, in order.
pub struct StoredJobs {
    listing: Arc<ListFile>,
    /// The positions to read; `None` means all.
    wanted: Option<Arc<Positions>>,
    expected: Option<usize>,
    position: u64,
    lines: LineBuffer,
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

/// Why reading a list failed. Clones share it.
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
            lines: LineBuffer::default(),
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
                self.lines.jump(mark.offset);
            }
        }
    }

    fn read_on(&mut self) -> anyhow::Result<Option<Job<Stored>>> {
        loop {
            if let Some(wanted) = &self.wanted {
                let Some(next) = wanted.from(self.position + 1) else { return Ok(None) };
                self.jump(next);
            }
            let Some(line) = self.lines.take(0) else {
                if !self.fill()? {
                    return Ok(None);
                }
                continue;
            };
            self.position += 1;
            if self.wanted.as_ref().is_some_and(|wanted| !wanted.has(self.position)) {
                continue;
            }
            let parsed = line::open(self.lines.get(line)).and_then(parse);
            let invalid = || io::Error::from(io::ErrorKind::InvalidData);
            return match parsed.ok_or_else(invalid).context(UNREADABLE)? {
                Line::Job(job) => {
                    let job = self.listing.codec.job(*job).context(UNREADABLE)?;
                    Ok(Some(job.position(self.position)))
                }
                Line::End { .. } => Ok(None),
            };
        }
    }

    /// Waits for more of the list. Returns `false` after its end.
    fn fill(&mut self) -> anyhow::Result<bool> {
        let from = self.lines.end();
        let next = self.listing.next_piece(from);
        let Some(until) = next.context("can't write the list of jobs to the journal")? else {
            return Ok(false);
        };
        let room = usize::try_from(until - from).unwrap_or(usize::MAX).min(4 * PIECE);
        let ListFile { file, watched, .. } = &*self.listing;
        let read = |buffer: &mut [u8]| {
            let buffer = &mut buffer[..room];
            watched.wait_out(|| file.read_exact_at(buffer, from)).map(|()| room)
        };
        self.lines.fill(room, read).context(UNREADABLE)?;
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
