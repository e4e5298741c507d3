//! What a job of the command line runs.

use std::ffi::{OsStr, OsString};
use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use procpool_core::{Command, Completion, Job, Slot, Stdin};

use crate::job::terms::Terms;
use crate::shell::quote::{QuoteStyle, command_line};
use crate::template::{self, SLOT_NOT_KNOWN, Template};
use procpool_journal::format::codec::{self, InputFrom, Listable};
use procpool_journal::format::list;

pub(crate) use crate::template::JobContext;

#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// The typed command, with these values.
    Values { template: Arc<Template>, terms: Arc<Terms>, values: Values },
    /// The typed command, with this block on its standard input.
    Block { template: Arc<Template>, terms: Arc<Terms>, block: Arc<[u8]> },
    /// A command as it was written in the input.
    Command(Command),
    /// A job that was read back from a journal's list.
    Stored(Box<Stored>),
}

/// A job as it is stored in a journal.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) job: codec::Stored,
    pub(crate) ended: EndTime,
}

/// When the last attempt of a job ended, as its journal record says. It is set on a worker, when the attempt
/// is recorded. A job that was not started has no other time, so all other records must use this one to agree
/// with the journal.
#[derive(Debug, Default)]
pub(crate) struct EndTime(Mutex<Option<SystemTime>>);

impl EndTime {
    pub(crate) fn set(&self, time: SystemTime) {
        *self.lock() = Some(time);
    }

    fn lock(&self) -> MutexGuard<'_, Option<SystemTime>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clone for EndTime {
    fn clone(&self) -> EndTime {
        EndTime(Mutex::new(*self.lock()))
    }
}

/// The values of one job. Nearly all jobs have one value, and then only that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    One(OsString),
    Several(Vec<OsString>),
}

impl Values {
    pub(crate) fn as_slice(&self) -> &[OsString] {
        match self {
            Values::One(value) => slice::from_ref(value),
            Values::Several(values) => values,
        }
    }
}

impl Work {
    /// Its values; empty for a complete command.
    pub(crate) fn values(&self) -> &[OsString] {
        match self {
            Work::Values { values, .. } => values.as_slice(),
            Work::Stored(stored) => &stored.job.values,
            Work::Block { .. } | Work::Command(_) => &[],
        }
    }

    /// Its command, without what procpool adds to the environment.
    pub(crate) fn command(&self, job: JobContext<'_>) -> Command {
        match self {
            Work::Values { template, terms, values } => terms.apply(template.render(values.as_slice(), job)),
            Work::Block { template, terms, block } => {
                terms.apply(template.render(&[], job)).stdin(Stdin::Bytes(Arc::clone(block)))
            }
            Work::Command(command) => command.clone(),
            Work::Stored(stored) if job.slot == SLOT_NOT_KNOWN => stored.job.command.clone(),
            Work::Stored(stored) => stored.job.command_in(job.slot),
        }
    }

    /// Sets the end time that its record states.
    pub(crate) fn note_end(&self, ended: Option<SystemTime>) {
        if let (Work::Stored(stored), Some(ended)) = (self, ended) {
            stored.ended.set(ended);
        }
    }

    /// When its last attempt ended, if that was recorded.
    pub(crate) fn ended(&self) -> Option<SystemTime> {
        match self {
            Work::Stored(stored) => *stored.ended.lock(),
            Work::Values { .. } | Work::Block { .. } | Work::Command(_) => None,
        }
    }

    /// Whether the command alone is enough to run the job again. Blocks of procpool's standard input are
    /// gone.
    pub(crate) fn is_in_command(&self) -> bool {
        match self {
            Work::Values { .. } | Work::Command(_) => true,
            Work::Stored(stored) => stored.job.input == InputFrom::Command,
            Work::Block { .. } => false,
        }
    }
}

/// Wraps a job that was read back from a journal's list.
pub(crate) fn stored(job: Job<codec::Stored>) -> Job<Work> {
    let Job { key, work, timeout, retries, position, .. } = job;
    let work = Work::Stored(Box::new(Stored { job: work, ended: EndTime::default() }));
    let mut job = Job::new(key, work);
    (job.timeout, job.retries, job.position) = (timeout, retries, position);
    job
}

// A template and a list must mark an unknown slot in the same way.
const _: () = assert!(template::SLOT_MARK == list::SLOT_MARK);

impl Listable for Work {
    fn command(&self, key: &OsStr, position: u64) -> Command {
        self.command(JobContext { key, seq: position, slot: SLOT_NOT_KNOWN })
    }

    fn values(&self) -> &[OsString] {
        self.values()
    }

    fn input_from(&self) -> InputFrom {
        if self.is_in_command() { InputFrom::Command } else { InputFrom::Block }
    }
}

/// The command of a job as it would be with this number, in the first slot.
pub(crate) fn command_of(job: &Job<Work>, seq: u64) -> Command {
    job.work.command(JobContext { key: job.key.as_os_str(), seq, slot: 1 })
}

/// The command that a job ran; if the job was never reached, the same as [`command_of`].
pub(crate) fn command_run(completion: &Completion<Work>) -> Command {
    let slot = completion.slot.map_or(1, Slot::get);
    let key = completion.job.key.as_os_str();
    completion.job.work.command(JobContext { key, seq: completion.seq.get(), slot })
}

/// The command that a job ran, on one line, as bash(1) would read it.
pub(crate) fn command_text(completion: &Completion<Work>) -> String {
    command_line(&command_run(completion), QuoteStyle::Line).to_string_lossy().into_owned()
}
