//! What a job of the command line runs.
//! Knows nothing of where jobs come from, or of how a command is run.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use procpool_core::{Command, Completion, Job, Slot};

use crate::template::{Template, Values};

/// What a job of the command line runs.
#[derive(Debug)]
pub(crate) enum Work {
    /// The command that was typed, for this value.
    Value { template: Arc<Template>, value: OsString },
    /// A command as it stands in a job file.
    Command(Command),
}

/// Where a job stands, as far as its command may name it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) key: &'a OsStr,
    pub(crate) seq: u64,
    pub(crate) slot: usize,
}

impl Work {
    /// The command, without what procpool adds to its environment.
    pub(crate) fn command(&self, place: Place<'_>) -> Command {
        let Place { key, seq, slot } = place;
        match self {
            Work::Value { template, value } => template.render(&Values { value, key, seq, slot }),
            Work::Command(command) => command.clone(),
        }
    }
}

/// The command of a job as it would be with this number, in the first slot.
pub(crate) fn command_of(job: &Job<Work>, seq: u64) -> Command {
    job.work.command(Place { key: job.key.as_os_str(), seq, slot: 1 })
}

/// The command that a job ran; where its turn never came, as [`command_of`].
pub(crate) fn command_run(completion: &Completion<Work>) -> Command {
    let slot = completion.slot.map_or(1, Slot::get);
    let key = completion.job.key.as_os_str();
    completion.job.work.command(Place { key, seq: completion.seq.get(), slot })
}
