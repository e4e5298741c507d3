//! What formats have an entry of: a job and what came of it, or one of its attempts.
//! Knows no format.

use crate::shell::quote::{QuoteStyle, command_line};
use procpool_journal::format::entry::Entry;
use procpool_journal::read::reading::{Listed, Stands};

/// An entry.
#[derive(Clone, Copy)]
pub(super) enum ExportRow<'a> {
    /// An attempt that was recorded.
    Ended(RowOwner<'a>, &'a Entry),
    /// A job of which there is nothing that counts.
    Open(&'a Listed),
}

/// Of which job an attempt is.
#[derive(Clone, Copy)]
pub(super) enum RowOwner<'a> {
    Job(&'a Listed),
    /// One that is not on the list any more.
    Nobody,
}

impl ExportRow<'_> {
    /// The job's number in the list; of one that is not there, what it was.
    pub(super) fn seq(&self) -> u64 {
        match self {
            ExportRow::Ended(RowOwner::Job(job), _) | ExportRow::Open(job) => job.position,
            ExportRow::Ended(RowOwner::Nobody, entry) => entry.seq,
        }
    }

    /// The command, on one line, as bash(1) would read it.
    pub(super) fn command(&self) -> Option<String> {
        let (job, slot) = match self {
            ExportRow::Ended(RowOwner::Job(job), entry) => (job, entry.slot),
            ExportRow::Open(job) => (job, None),
            ExportRow::Ended(RowOwner::Nobody, _) => return None,
        };
        let line = command_line(&job.line.command(slot), QuoteStyle::Line);
        Some(line.to_string_lossy().into_owned())
    }
}

/// The outcome of a job without one that counts, in a word as those that records have.
pub(super) fn open_word(stands: Stands) -> &'static str {
    match stands {
        Stands::Running => "running",
        Stands::Interrupted => "interrupted",
        Stands::NotRun | Stands::Ended => "never_reached",
    }
}
