//! A slice's records among its sinks, of which they are the only one.
//! Knows nothing of how they are written: workers have done that by now.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use procpool_core::{Completion, Retried};

use crate::exit::ExitStatus;
use crate::journal::folder::WriterFiles;
use crate::journal::listing;
use crate::journal::record::{Record, SliceBegin};
use crate::journal::recorder::Recorder;
use crate::journal::running::Leaks;
use crate::journal::writer::{Durability, Writer};
use crate::sink::{Sink, Totals, Trouble};
use crate::work::Work;

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
    pub(crate) trouble: listing::Trouble,
}

/// Looks whether all was recorded.
pub(crate) struct SliceRecords {
    records: Records,
    checked: Instant,
}

/// How often it is looked whether the files are still there.
const LOOK: Duration = Duration::from_secs(1);

impl SliceRecords {
    pub(crate) fn new(records: Records) -> SliceRecords {
        SliceRecords { records, checked: Instant::now() }
    }

    fn check(&mut self, seq: u64, attempt: u32) -> Result<(), Trouble> {
        if self.records.recorder.lacks(seq, attempt) {
            return Err(self.failed());
        }
        if self.checked.elapsed() >= LOOK {
            self.checked = Instant::now();
            self.check_place()?;
        }
        Ok(())
    }

    fn check_place(&self) -> Result<(), Trouble> {
        let path = &self.records.files.journal;
        let checked = self.records.recorder.check_place();
        checked
            .with_context(|| format!("{path:?} was taken away while the run went on"))
            .map_err(Trouble::Failed)
    }

    fn failed(&self) -> Trouble {
        let error = self.records.recorder.take_error();
        let error = error.unwrap_or_else(|| std::io::Error::other("a record is missing"));
        Trouble::recording(&format!("{:?}", self.records.files.journal), error)
    }

    fn start(&self) -> anyhow::Result<()> {
        let Records { recorder, files, begin, durability, .. } = &self.records;
        let lines = [Record::header().line(), Record::Slice(begin.clone()).line()].concat();
        recorder.running().begin(&self.records.holder())?;
        recorder.begin(Writer::create(files.clone(), &lines, *durability)?);
        Ok(())
    }

    fn end(&self) -> anyhow::Result<()> {
        if let Some(error) = self.records.trouble.get() {
            bail!("{error:#}");
        }
        Ok(())
    }
}

impl Sink for SliceRecords {
    fn begin(&mut self) -> Result<(), Trouble> {
        let started = self.start();
        started
            .with_context(|| format!("can't write {:?}", self.records.files.journal))
            .map_err(Trouble::Failed)
    }

    fn retried(&mut self, retried: &Retried) -> Result<(), Trouble> {
        self.check(retried.seq.get(), retried.attempt)
    }

    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        self.check(completion.seq.get(), completion.attempt)
    }

    fn finish(&mut self, _: &Totals) -> Result<(), Trouble> {
        self.end().map_err(Trouble::Failed)?;
        if !self.records.recorder.may_start() {
            return Err(self.failed());
        }
        self.check_place()
    }

    fn ended(&mut self, _: &Totals, status: ExitStatus) -> Result<(), Trouble> {
        let ended = self.records.recorder.end(status.number());
        ended.map_err(|error| Trouble::recording("the slice's journal", error))
    }
}
