//! A recorded attempt: how it ended, what it used, and its outputs, which are checked against their checksums
//! while they are read.

use std::io::Read;
use std::time::{Duration, SystemTime};

use procpool_core::{Key, PeakMemory, Source};

use crate::format::attempt::Kind;
use crate::library::error::Error;
use crate::read::reading::Recorded;

/// An attempt of a job that has ended, with its outputs.
pub struct RecordedAttempt(Recorded);

impl RecordedAttempt {
    pub(super) fn new(recorded: Recorded) -> RecordedAttempt {
        RecordedAttempt(recorded)
    }

    /// The key of its job.
    #[must_use]
    pub fn key(&self) -> Key {
        self.0.entry.key()
    }

    /// The run in which it ran: 1 is the first one, and each resume counts one more.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.0.entry.generation
    }

    /// Its number in that run, from 1. Higher numbers are retries.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.0.entry.attempt
    }

    /// The slot in which it ran, from 1.
    #[must_use]
    pub fn slot(&self) -> Option<usize> {
        self.0.entry.slot
    }

    /// The node of a cluster on which it ran, if it ran on a cluster.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        self.0.entry.node.as_deref()
    }

    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> Kind {
        self.0.entry.outcome
    }

    /// Whether it exited by itself with 0 and its output is complete.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.0.entry.success
    }

    /// Its exit status as in a shell's `$?`: the exit code, 128+n if signal n killed it, 124 if it timed out.
    #[must_use]
    pub fn status(&self) -> Option<u8> {
        self.0.entry.status
    }

    /// The exit code of its process, if it exited.
    #[must_use]
    pub fn exit_code(&self) -> Option<u8> {
        self.0.entry.exit_code
    }

    /// The number of the signal that killed its process, if one did.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        self.0.entry.signal
    }

    /// Why it could not be started, or why its output is incomplete.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.0.entry.error.as_deref()
    }

    /// When its process was started, to the millisecond; `None` if it could not be.
    #[must_use]
    pub fn started(&self) -> Option<SystemTime> {
        humantime::parse_rfc3339(self.0.entry.started.as_ref()?).ok()
    }

    /// When it ended, to the millisecond.
    #[must_use]
    pub fn ended(&self) -> Option<SystemTime> {
        humantime::parse_rfc3339(&self.0.entry.ended).ok()
    }

    /// How long it ran, by the monotonic clock.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        duration(self.0.entry.seconds)
    }

    /// Processor time in user mode.
    #[must_use]
    pub fn user_time(&self) -> Duration {
        duration(self.0.entry.user_seconds)
    }

    /// Processor time in the kernel.
    #[must_use]
    pub fn system_time(&self) -> Duration {
        duration(self.0.entry.system_seconds)
    }

    /// The most memory that it held at once, in bytes.
    #[must_use]
    pub fn peak_memory(&self) -> PeakMemory {
        self.0.entry.peak_memory()
    }

    /// The length of an output in bytes.
    #[must_use]
    pub fn output_length(&self, source: Source) -> u64 {
        self.0.entry.length(source)
    }

    /// Reads an output from its start. If it isn't what was recorded, the read that reaches its end fails
    /// with [`InvalidData`](std::io::ErrorKind::InvalidData).
    ///
    /// # Errors
    /// If the file of outputs can't be opened.
    pub fn open_output(&self, source: Source) -> Result<Box<dyn Read>, Error> {
        self.0.open(source).map_err(Error::failed)
    }

    /// Reads all of an output.
    ///
    /// # Errors
    /// If it can't be read, or isn't what was recorded.
    pub fn output(&self, source: Source) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let read = self.open_output(source)?.read_to_end(&mut bytes);
        read.map_err(|error| Error::failed(anyhow::Error::from(error).context(self.0.place(source))))?;
        Ok(bytes)
    }
}

/// Converts seconds from a record. Invalid values become 0; no attempt has one.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
