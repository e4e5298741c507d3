//! A slice's records among its sinks, of which they are the only one.
//! Knows nothing of how they are written: workers make them, and a thread of the recorder's writes them a second later.

use std::sync::Arc;

use anyhow::Context;
use procpool_core::{Completion, Retried};

use crate::exit::ExitStatus;
use crate::job::work::Work;
use crate::journal::check::Recorded;
use crate::journal::recorder::Recorder;
use crate::os::errors::copy_of_chain;
use crate::run::sink::{self, Sink, Totals};
use procpool_journal::files::folder::WriterFiles;
use procpool_journal::files::run_lock::Leaks;
use procpool_journal::format::record::{Record, SliceBegin};
use procpool_journal::os::threads;
use procpool_journal::write::journal_writer::{Durability, JournalWriter};
use procpool_journal::write::stored_jobs::ListFailure;

/// What a slice has to record, and where.
pub(crate) struct Records {
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) files: WriterFiles,
    pub(crate) begin: SliceBegin,
    /// What its processes are marked with.
    pub(crate) pool: String,
    pub(crate) leaks: Leaks,
    pub(crate) durability: Durability,
    /// Why the list could not be read on.
    pub(crate) trouble: ListFailure,
}

/// Looks whether all was recorded.
pub(crate) struct SliceRecords {
    records: Records,
    recorded: Recorded,
}

impl SliceRecords {
    pub(crate) fn new(records: Records) -> SliceRecords {
        let name = format!("the slice's journal {:?}", records.files.journal);
        let recorded = Recorded::new(Arc::clone(&records.recorder), name);
        SliceRecords { records, recorded }
    }

    fn start(&self) -> anyhow::Result<()> {
        let Records { recorder, files, begin, durability, .. } = &self.records;
        let lines = [Record::header().line(), Record::Slice(begin.clone()).line()].concat();
        recorder.running().begin(&self.records.holder())?;
        recorder.begin(JournalWriter::create(files.clone(), &lines, *durability)?);
        let writes = Arc::clone(recorder);
        // It ends with the process.
        threads::start("procpool-record", move || writes.write_what_waits())?;
        Ok(())
    }

    fn end(&self) -> anyhow::Result<()> {
        if let Some(error) = self.records.trouble.get() {
            return Err(copy_of_chain(error));
        }
        Ok(())
    }
}

impl Sink for SliceRecords {
    fn begin(&mut self) -> Result<(), sink::Trouble> {
        let started = self.start();
        started
            .with_context(|| format!("can't write {:?}", self.records.files.journal))
            .map_err(sink::Trouble::Failed)
    }

    fn retried(&mut self, retried: &Retried) -> Result<(), sink::Trouble> {
        self.recorded.check(retried.seq.get(), retried.attempt)
    }

    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), sink::Trouble> {
        self.recorded.check(completion.seq.get(), completion.attempt)
    }

    fn finish(&mut self, _: &Totals) -> Result<(), sink::Trouble> {
        self.records.recorder.settle();
        self.end().map_err(sink::Trouble::Failed)?;
        self.recorded.check_all()
    }

    fn ended(&mut self, totals: &Totals, status: ExitStatus) -> Result<(), sink::Trouble> {
        self.recorded.end(status.number(), totals)
    }
}
