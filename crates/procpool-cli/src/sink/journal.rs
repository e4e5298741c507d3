//! The journal's place among the sinks: before all others, so that nothing is shown that it doesn't have.
//! Knows nothing of how it is written: workers have done that by now.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use procpool_core::{Completion, Retried};

use crate::exit::ExitStatus;
use crate::journal::session::Session;
use crate::sink::{Sink, Totals, Trouble};
use crate::work::Work;

/// Looks whether all was recorded.
pub(crate) struct Journal {
    session: Arc<Session>,
    checked: Instant,
}

/// After all others, where nobody prints: takes note that a job has been told to all who want to know.
pub(crate) struct Told(pub(crate) Arc<Session>);

/// How often it is looked whether the files are still there.
const LOOK: Duration = Duration::from_secs(1);

impl Journal {
    pub(crate) fn new(session: Arc<Session>) -> Journal {
        Journal { session, checked: Instant::now() }
    }

    fn check(&mut self, seq: u64, attempt: u32) -> Result<(), Trouble> {
        if self.session.recorder.lacks(seq, attempt) {
            return Err(self.failed());
        }
        if self.checked.elapsed() < LOOK {
            return Ok(());
        }
        self.checked = Instant::now();
        self.check_place()
    }

    fn check_place(&self) -> Result<(), Trouble> {
        let folder = self.session.folder.path();
        let checked = self.session.recorder.check_place();
        let gone = checked
            .with_context(|| format!("the journal in {folder:?} was taken away while the run went on"));
        gone.map_err(Trouble::Failed)
    }

    fn failed(&self) -> Trouble {
        let error = self.session.recorder.take_error();
        let error = error.unwrap_or_else(|| std::io::Error::other("a record is missing"));
        Trouble::Failed(anyhow::Error::from(error).context(format!(
            "can't write to the journal in {:?}; nothing more is started",
            self.session.folder.path()
        )))
    }
}

impl Sink for Journal {
    fn begin(&mut self) -> Result<(), Trouble> {
        self.session.begin().map_err(Trouble::Failed)
    }

    fn retried(&mut self, retried: &Retried) -> Result<(), Trouble> {
        self.check(retried.seq.get(), retried.attempt)
    }

    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        self.check(completion.seq.get(), completion.attempt)
    }

    fn finish(&mut self, _: &Totals) -> Result<(), Trouble> {
        self.session.settle().map_err(Trouble::Failed)?;
        if !self.session.recorder.may_start() {
            return Err(self.failed());
        }
        self.check_place()
    }

    fn ended(&mut self, _: &Totals, status: ExitStatus) -> Result<(), Trouble> {
        let ended = self.session.recorder.end(status.number());
        ended.map_err(|error| Trouble::recording("the journal", error))
    }
}

impl Sink for Told {
    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        let noted = self.0.printed.done(completion.seq.get());
        noted.map_err(|error| Trouble::recording("the journal", error))
    }

    fn recorded(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        self.completed(completion)
    }

    fn finish(&mut self, _: &Totals) -> Result<(), Trouble> {
        Ok(())
    }
}
