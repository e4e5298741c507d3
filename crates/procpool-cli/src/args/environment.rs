//! Options about a job's environment, directory and priority.

use std::ffi::OsString;
use std::path::PathBuf;

/// What jobs start with.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Jobs")]
pub(crate) struct EnvironmentArgs {
    /// Set a variable of every job's environment; may be given several times
    ///
    /// A variable that a job file sets for a job takes precedence.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<OsString>,

    /// Start every job's environment empty instead of with procpool's
    ///
    /// Jobs get only the variables of --env, those of a job file, and PROCPOOL_*. Programs are still found by
    /// procpool's PATH, or by one that is set for the job.
    #[arg(long)]
    pub(crate) env_clear: bool,

    /// Run every job in this directory
    ///
    /// A directory that a job file sets for a job takes precedence. Other paths are still relative to
    /// procpool's working directory.
    #[arg(long, value_name = "DIR")]
    pub(crate) cwd: Option<PathBuf>,

    /// Run jobs at another priority, as nice(1) does: 1 to 19 is lower; below 0 is higher, if permitted
    ///
    /// procpool's own priority changes with theirs, but not that of its guardian. If the kernel divides time
    /// between sessions first ("autogroup" in sched(7)) this has no effect, because each job has a session of
    /// its own.
    #[arg(long, value_name = "N")]
    #[arg(allow_hyphen_values = true, value_parser = clap::value_parser!(i32).range(-20..=19))]
    pub(crate) nice: Option<i32>,
}
