//! Options that apply to all jobs of a run: their timeout, directory and variables.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use procpool_core::{Command, EnvironmentBase, Job};

use procpool_journal::format::codec::Defaults;

/// Settings for jobs that have none of their own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    pub(crate) timeout: Option<Duration>,
    /// Retries for jobs of a job file; for all others the pool has the number.
    pub(crate) retries: Option<u32>,
    pub(crate) directory: Option<PathBuf>,
    pub(crate) base: EnvironmentBase,
    pub(crate) variables: Vec<(OsString, OsString)>,
}

impl Terms {
    /// Applies the settings to a command. Later changes of the command override them.
    pub(crate) fn apply(&self, command: Command) -> Command {
        let command = self.add_variables(self.begin(command));
        match &self.directory {
            Some(directory) => command.directory(directory),
            None => command,
        }
    }

    /// Sets the environment that a job starts from. If that is empty, earlier changes of the command's
    /// environment are lost.
    pub(crate) fn begin(&self, command: Command) -> Command {
        match self.base {
            EnvironmentBase::Inherited => command,
            EnvironmentBase::Empty => command.env_clear(),
        }
    }

    pub(crate) fn add_variables(&self, command: Command) -> Command {
        self.variables.iter().fold(command, |command, (name, value)| command.env(name, value))
    }

    /// Sets the job's timeout.
    pub(crate) fn with_timeout<W>(&self, job: Job<W>) -> Job<W> {
        Job { timeout: self.timeout, ..job }
    }

    /// The values that a list omits from the lines of its jobs.
    pub(crate) fn defaults(&self) -> Defaults {
        Defaults { timeout: self.timeout, retries: self.retries }
    }
}
