//! The sink for the records of a slice. A slice has no other sink.

use std::sync::Arc;

use anyhow::Context;
use procpool_core::{Completion, Retried};

use crate::exit::ExitStatus;
use crate::guard::signals::ShutdownFlag;
use crate::job::work::Work;
use crate::journal::held_records::HeldRecords;
use crate::journal::record_check::RecordCheck;
use crate::journal::recorder::Recorder;
use crate::os::errors::copy_of_chain;
use crate::run::sink::{self, Sink, Totals};
use procpool_journal::files::folder::{Folder, WriterFiles};
use procpool_journal::files::run_lock::{Holder, Leaks, RunLock, StartedProcess};
use procpool_journal::files::whereabouts::Whereabouts;
use procpool_journal::format::record::{Record, SliceBegin};
use procpool_journal::os::threads;
use procpool_journal::write::journal_writer::{Durability, JournalWriter};
use procpool_journal::write::stored_jobs::ListFailure;

/// What a slice will record, and where. Nothing is written yet.
pub(crate) struct PreparedRecords {
    pub(crate) folder: Folder,
    pub(crate) files: WriterFiles,
    pub(crate) running: RunLock,
    pub(crate) begin: SliceBegin,
    /// The mark of the slice's processes.
    pub(crate) pool: String,
    pub(crate) leaks: Leaks,
    pub(crate) durability: Durability,
    /// Why reading the list failed, if it did.
    pub(crate) trouble: ListFailure,
}

/// Checks that everything was recorded.
pub(crate) struct SliceRecords {
    recorder: Arc<Recorder>,
    recorded: RecordCheck,
    trouble: ListFailure,
}

impl PreparedRecords {
    /// Begins the slice's journal.
    ///
    /// # Errors
    /// If its files can't be written.
    pub(crate) fn begin(self) -> anyhow::Result<(Arc<Recorder>, SliceRecords)> {
        let path = self.files.journal.clone();
        let trouble = self.trouble.clone();
        let recorder = self.start().with_context(|| format!("can't write {path:?}"))?;
        let name = format!("the slice's journal {path:?}");
        let sink = SliceRecords {
            recorder: Arc::clone(&recorder),
            recorded: RecordCheck::new(Arc::clone(&recorder), name),
            trouble,
        };
        Ok((recorder, sink))
    }

    fn start(self) -> anyhow::Result<Arc<Recorder>> {
        let lines = [Record::header().line(), Record::Slice(self.begin.clone()).line()].concat();
        self.running.begin(&self.holder())?;
        let writer = JournalWriter::create(self.files, &lines, self.durability)?;
        let recorder = Recorder::new(self.begin.generation, self.running, writer)
            .on(self.begin.node.as_deref())
            .of_slice(HeldRecords::new(ShutdownFlag::of_this_process()), self.folder);
        let recorder = Arc::new(recorder);
        let own = Arc::clone(&recorder);
        // The thread ends with the process.
        threads::start("procpool-record", move || own.write_what_waits())?;
        Ok(recorder)
    }

    /// The holder of the slice's files.
    fn holder(&self) -> Holder {
        let SliceBegin { pid, generation, .. } = self.begin;
        Holder {
            pid,
            whereabouts: Whereabouts::own(),
            run: self.pool.clone(),
            generation,
            record_at: 0,
            ticks: StartedProcess::now(pid, 0, 0).ticks,
            leaks: self.leaks,
            node: self.begin.node.clone(),
        }
    }
}

impl Sink for SliceRecords {
    fn retried(&mut self, retried: &Retried) -> Result<(), sink::Trouble> {
        self.recorded.check(retried.seq.get(), retried.attempt)
    }

    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), sink::Trouble> {
        self.recorded.check(completion.seq.get(), completion.attempt)
    }

    fn finish(&mut self, _: &Totals) -> Result<(), sink::Trouble> {
        self.recorder.settle();
        if let Some(error) = self.trouble.get() {
            return Err(sink::Trouble::Failed(copy_of_chain(error)));
        }
        self.recorded.check_all()
    }

    fn ended(&mut self, totals: &Totals, status: ExitStatus) -> Result<(), sink::Trouble> {
        self.recorded.end(status.number(), totals)
    }
}
