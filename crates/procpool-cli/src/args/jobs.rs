//! Options about jobs' processes and how they end.

use std::time::Duration;

use crate::units::duration;

/// How jobs end.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Jobs")]
pub(crate) struct JobArgs {
    /// What to do about processes that a job leaves behind when it has ended by itself: kill, wait or keep
    ///
    /// A process that holds the job's output open gets 200 ms, and the job counts as leaked. Then it is
    /// killed with its process group (kill), or the job continues until the output is closed (wait), or it
    /// may live on, even after procpool (keep). A process that holds no output may live as long as procpool.
    /// Then it is killed and named (kill), procpool waits for its end (wait), or it lives on (keep).
    #[arg(long, value_name = "WHAT", default_value = "kill", hide_possible_values = true)]
    pub(crate) on_leak: LeakPolicy,

    /// The time between asking a job to end and killing it
    ///
    /// A job is asked to end by TERM to its process group when its timeout is over, or when the run is
    /// stopped (by INT, if that is what stops the run). After this time it is sent KILL.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration::parse)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) grace: Duration,

    /// Run as a single process, without the two that end everything if it is killed
    #[arg(long)]
    pub(crate) no_guard: bool,
}

/// What becomes of leaked processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LeakPolicy {
    Kill,
    Wait,
    Keep,
}
