//! Turns a job of the command line into a command, at the moment when its slot is known, and runs it.
//! Knows nothing of where jobs come from or what becomes of their outcomes.

use std::ffi::OsString;
use std::sync::Arc;

use procpool_core::{Command, Context, Job, LocalProcess, Outcome, Runner};

use crate::template::{Template, Values};

/// What a job of the command line runs.
#[derive(Debug)]
pub(crate) enum Work {
    /// The command that was typed, for this value.
    Value { template: Arc<Template>, value: OsString },
    /// A command as it stands in a job file.
    Command(Command),
}

/// execve(2) takes no string of 128 KiB, here `PROCPOOL_KEY=…`. A value that is just short enough for an
/// argument must not fail because of its key; such a job goes without.
const LONGEST_KEY: usize = 100 * 1024;

/// Runs such jobs as local processes.
///
/// A placeholder may stand for the slot, and the environment names it too, so no command can be made before
/// the job has one; and made here, on the worker, it is made by as many threads as there are slots.
pub(crate) struct Launcher {
    local: LocalProcess,
}

impl Launcher {
    pub(crate) fn new(local: LocalProcess) -> Launcher {
        Launcher { local }
    }
}

impl Runner for Launcher {
    type Work = Work;

    fn run(&self, job: &Job<Work>, context: &Context) -> Outcome {
        let key = job.key.as_os_str();
        let (seq, slot) = (context.seq().get(), context.slot().get());
        let command = match &job.work {
            Work::Value { template, value } => template.render(&Values { value, key, seq, slot }),
            Work::Command(command) => command.clone(),
        };
        let command = match key.len() {
            0..=LONGEST_KEY => command.env("PROCPOOL_KEY", key),
            _ => command.env_remove("PROCPOOL_KEY"),
        };
        let command = command
            .env("PROCPOOL_SEQ", seq.to_string())
            .env("PROCPOOL_SLOT", slot.to_string())
            .env("PROCPOOL_ATTEMPT", context.attempt().to_string());
        self.local.execute(&command, job.timeout, context)
    }
}
