//! The options that hold for all jobs of a run: their timeout, directory and variables.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use procpool_core::{Command, EnvironmentBase, Job};

use procpool_journal::format::codec::Defaults;

/// The terms on which jobs run that say nothing else themselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    pub(crate) timeout: Option<Duration>,
    /// Further attempts of a job of a file; elsewhere the pool has them.
    pub(crate) retries: Option<u32>,
    pub(crate) directory: Option<PathBuf>,
    pub(crate) base: EnvironmentBase,
    pub(crate) variables: Vec<(OsString, OsString)>,
}

impl Terms {
    /// A command on these terms. What is changed of it afterwards goes before them.
    pub(crate) fn apply(&self, command: Command) -> Command {
        let command = self.add_variables(self.begin(command));
        match &self.directory {
            Some(directory) => command.directory(directory),
            None => command,
        }
    }

    /// The command with the environment that all others start from; forgets what was changed of it.
    pub(crate) fn begin(&self, command: Command) -> Command {
        match self.base {
            EnvironmentBase::Inherited => command,
            EnvironmentBase::Empty => command.env_clear(),
        }
    }

    pub(crate) fn add_variables(&self, command: Command) -> Command {
        self.variables.iter().fold(command, |command, (name, value)| command.env(name, value))
    }

    /// The job with the timeout that all have.
    pub(crate) fn limit<W>(&self, job: Job<W>) -> Job<W> {
        Job { timeout: self.timeout, ..job }
    }

    /// What a list leaves out of the lines of jobs.
    pub(crate) fn defaults(&self) -> Defaults {
        Defaults { timeout: self.timeout, retries: self.retries }
    }
}
