//! Options about a job's environment, directory and priority.

use std::ffi::OsString;
use std::path::PathBuf;

/// What jobs start with.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Jobs")]
pub(crate) struct EnvironmentArgs {
    /// Set a variable of every job's environment; may be given several times
    ///
    /// A job of a job file that sets the same one keeps its own.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<OsString>,

    /// Start every job's environment from nothing instead of procpool's
    ///
    /// The variables of --env, of a job file, and PROCPOOL_* are then all that a job has. Programs are still
    /// found by procpool's PATH, or by one that is given to the job.
    #[arg(long)]
    pub(crate) env_clear: bool,

    /// Run every job in this directory
    ///
    /// A job of a job file that names its own keeps it. Other paths are still relative to where procpool
    /// runs.
    #[arg(long, value_name = "DIR")]
    pub(crate) cwd: Option<PathBuf>,

    /// Give jobs a lower priority, as nice(1) does: 1 to 19; below 0 a higher one, where that is allowed
    ///
    /// procpool's own is changed with theirs, that of those who guard it is not. Where the kernel shares time
    /// between sessions first ("autogroup" in sched(7)) it has no effect, since each job has a session of its
    /// own.
    #[arg(long, value_name = "N")]
    #[arg(allow_hyphen_values = true, value_parser = clap::value_parser!(i32).range(-20..=19))]
    pub(crate) nice: Option<i32>,
}
