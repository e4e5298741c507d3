//! The row that all formats print: a job with its outcome, or one of its attempts.

use crate::shell::quote::{QuoteStyle, command_line};
use procpool_journal::format::entry::Entry;
use procpool_journal::read::reading::{ListedJob, Stands};

/// A row.
#[derive(Clone, Copy)]
pub(super) enum ExportRow<'a> {
    /// A recorded attempt.
    Ended(RowOwner<'a>, &'a Entry),
    /// A job without an outcome.
    Open(&'a ListedJob),
}

/// The job of an attempt.
#[derive(Clone, Copy)]
pub(super) enum RowOwner<'a> {
    Job(&'a ListedJob),
    /// It is no longer on the list.
    Nobody,
}

impl ExportRow<'_> {
    /// The job's position in the list; of one that is not on it, the recorded position.
    pub(super) fn seq(&self) -> u64 {
        match self {
            ExportRow::Ended(RowOwner::Job(job), _) | ExportRow::Open(job) => job.position,
            ExportRow::Ended(RowOwner::Nobody, entry) => entry.seq,
        }
    }

    /// The command on one line, quoted for bash(1).
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

/// The word for a job without an outcome, in the style of recorded outcomes.
pub(super) fn open_word(stands: Stands) -> &'static str {
    match stands {
        Stands::Running => "running",
        Stands::Interrupted => "interrupted",
        Stands::NotRun | Stands::Ended => "never_reached",
    }
}
