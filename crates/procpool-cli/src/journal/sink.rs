//! The journal's sink. It comes before all others, so that nothing is shown that is not recorded.

use std::sync::Arc;

use procpool_core::{Completion, Retried};

use crate::exit::ExitStatus;
use crate::guard::signals::ShutdownFlag;
use crate::job::work::Work;
use crate::journal::record_check::RecordCheck;
use crate::journal::session::Session;
use crate::run::sink::{Sink, Totals, Trouble};
use crate::terminal::screen;

/// Checks that everything was recorded.
pub(crate) struct JournalSink {
    session: Arc<Session>,
    recorded: RecordCheck,
}

/// Takes the printer's place if nothing is printed: marks each job as delivered, after all records have it.
pub(crate) struct MarkDelivered(pub(crate) Arc<Session>);

impl JournalSink {
    pub(crate) fn new(session: Arc<Session>) -> JournalSink {
        let name = format!("the journal in {:?}", session.folder.path());
        let recorded = RecordCheck::new(Arc::clone(&session.recorder), name);
        JournalSink { session, recorded }
    }
}

impl Sink for JournalSink {
    fn retried(&mut self, retried: &Retried) -> Result<(), Trouble> {
        self.recorded.check(retried.seq.get(), retried.attempt)
    }

    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        self.recorded.check(completion.seq.get(), completion.attempt)
    }

    fn finish(&mut self, _: &Totals) -> Result<(), Trouble> {
        self.session.settle().map_err(Trouble::Failed)?;
        self.recorded.check_all()
    }

    fn ended(&mut self, totals: &Totals, status: ExitStatus) -> Result<(), Trouble> {
        // The other sinks have printed everything by now.
        self.session.printed.check().map_err(Trouble::noting)?;
        let taken_back =
            self.session.recorder.take_back(&ShutdownFlag::of_this_process()).map_err(Trouble::noting)?;
        if taken_back > 0 {
            screen::say(&format!(
                "procpool: {taken_back} of the jobs had ended within a second before all its processes were told to end, maybe by \
                 that: a resume runs them again\n"
            ));
        }
        self.recorded.end(status.number(), totals)
    }
}

impl Sink for MarkDelivered {
    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        let noted = self.0.printed.done(completion.seq.get());
        noted.map_err(Trouble::noting)
    }

    fn recorded(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        self.completed(completion)
    }

    fn finish(&mut self, _: &Totals) -> Result<(), Trouble> {
        Ok(())
    }
}
