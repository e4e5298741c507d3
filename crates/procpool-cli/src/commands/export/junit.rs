//! A JUnit report, as `--junit` writes it; `record/junit` makes the XML.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

use anyhow::Context;
use procpool_core::{NotStarted, Source};

use crate::commands::export::row::{ExportRow, RowOwner};
use crate::commands::export::writer::ExportWriter;
use crate::commands::stdout::PrintError;
use crate::record::junit::case::{Case, MOST_WORDS, Try, words};
use crate::record::junit::suite::Suite;
use crate::run::tally::UnreadInput;
use procpool_journal::format::attempt::Kind;
use procpool_journal::read::reading::{ListEnd, ListedJob, Reading, Recorded, Stands};

pub(super) struct JunitExport(Suite);

impl JunitExport {
    pub(super) fn new() -> Result<JunitExport, PrintError> {
        let file = tempfile::tempfile()
            .or_else(|error| tempfile::tempfile_in("/dev/shm").map_err(|_| error))
            .context("a temporary file can't be made; set TMPDIR to a directory for it");
        file.map(|file| JunitExport(Suite::new(file))).map_err(PrintError::Own)
    }

    fn add(&mut self, case: &Case) -> Result<(), PrintError> {
        let added = self.0.add(case).context("can't write to the temporary file");
        added.map_err(PrintError::Own)
    }
}

impl ExportWriter for JunitExport {
    fn row(
        &mut self,
        row: &ExportRow<'_>,
        reading: &mut Reading,
        _: &mut dyn Write,
    ) -> Result<(), PrintError> {
        match row {
            ExportRow::Ended(RowOwner::Job(job), _) => {
                let case = case(job, reading)?;
                self.add(&case)
            }
            ExportRow::Open(job) => self.add(&open_case(job)),
            ExportRow::Ended(RowOwner::Nobody, _) => Ok(()),
        }
    }

    fn end(&mut self, end: ListEnd, reading: &Reading, out: &mut dyn Write) -> Result<(), PrintError> {
        let rest = match end {
            ListEnd::Whole => UnreadInput::None,
            ListEnd::Open => UnreadInput::Unknown,
        };
        self.0.add_unread(0, rest).context("can't write to the temporary file").map_err(PrintError::Own)?;
        let (began, took) = reading.outcomes.time();
        Ok(self.0.write(out, began, took)?)
    }
}

/// A job that has ended, with its earlier failed attempts. An attempt that the run stopped did not fail.
fn case(job: &ListedJob, reading: &mut Reading) -> anyhow::Result<Case> {
    let noted = job.noted.as_ref().context("a job that ended has no record")?;
    let counts = reading.outcomes.counting(noted);
    let mut earlier = Vec::new();
    for place in reading.outcomes.attempts(noted) {
        let recorded = reading.records.read(place)?;
        if place != counts && !recorded.entry.success && recorded.entry.outcome != Kind::Stopped {
            earlier.push(tried(&recorded)?);
        }
    }
    let last = tried(&reading.records.read(counts)?)?;
    Ok(Case::of(&job.line.key(), last, earlier))
}

fn tried(recorded: &Recorded) -> anyhow::Result<Try> {
    let entry = &recorded.entry;
    let words = if entry.success { String::new() } else { last_words(recorded)? };
    Ok(Try::said(&entry.outcome(), &entry.words(), words).on(entry.node.as_deref()))
}

/// A job that has not ended.
fn open_case(job: &ListedJob) -> Case {
    let message = match job.stands {
        Stands::Running => "it runs now",
        Stands::Interrupted => "interrupted: it ended together with procpool",
        Stands::NotRun | Stands::Ended => "not started: its turn never came",
    };
    let skipped = Try::said(&NotStarted::NeverReached.into(), message, String::new());
    Case::of(&job.line.key(), skipped, Vec::new())
}

/// The end of its standard error, or of its standard output if that is empty. Reads all of it, because the
/// checksum covers all of it.
fn last_words(recorded: &Recorded) -> anyhow::Result<String> {
    let source = if recorded.entry.stderr_bytes > 0 { Source::Stderr } else { Source::Stdout };
    let mut output = recorded.open(source)?;
    let mut end = VecDeque::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        match output.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => {
                end.extend(&piece[..count]);
                end.drain(..end.len().saturating_sub(MOST_WORDS));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error).with_context(|| recorded.place(source)),
        }
    }
    Ok(words(end.into(), recorded.entry.length(source)))
}
