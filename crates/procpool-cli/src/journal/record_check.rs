//! Checks that each attempt was recorded, and that the files of the records are still in place. The sinks of
//! journals use it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::journal::recorder::Recorder;
use crate::run::sink::{Totals, Trouble};

pub(super) struct RecordCheck {
    recorder: Arc<Recorder>,
    /// The name of the records in errors.
    name: String,
    looked: Instant,
}

/// How often the files are checked.
const LOOK: Duration = Duration::from_secs(1);

impl RecordCheck {
    pub(super) fn new(recorder: Arc<Recorder>, name: String) -> RecordCheck {
        RecordCheck { recorder, name, looked: Instant::now() }
    }

    /// # Errors
    /// If this attempt has no record, or the files are gone.
    pub(super) fn check(&mut self, seq: u64, attempt: u32) -> Result<(), Trouble> {
        if self.recorder.lacks(seq, attempt) {
            return Err(self.failed());
        }
        if self.looked.elapsed() < LOOK {
            return Ok(());
        }
        self.looked = Instant::now();
        self.check_place()
    }

    /// # Errors
    /// If anything could not be recorded, or the files are gone.
    pub(super) fn check_all(&self) -> Result<(), Trouble> {
        if self.recorder.has_failed() {
            return Err(self.failed());
        }
        self.check_place()
    }

    /// Records how the run ended.
    ///
    /// # Errors
    /// If the record can't be written.
    pub(super) fn end(&self, status: i32, totals: &Totals) -> Result<(), Trouble> {
        self.recorder.end(status, &totals.left).map_err(|error| Trouble::recording(&self.name, error))
    }

    fn check_place(&self) -> Result<(), Trouble> {
        let gone = || format!("{} was taken away while the run went on", self.name);
        self.recorder.check_place().with_context(gone).map_err(Trouble::Failed)
    }

    fn failed(&self) -> Trouble {
        let error = self.recorder.take_error();
        let error = error.unwrap_or_else(|| std::io::Error::other("a record is missing"));
        Trouble::Failed(
            anyhow::Error::from(error)
                .context(format!("can't write to {}; nothing more is started", self.name)),
        )
    }
}
