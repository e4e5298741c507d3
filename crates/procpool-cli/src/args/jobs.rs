//! Options about jobs' processes and how they end.

use std::time::Duration;

use crate::units::duration;

/// How jobs end.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Jobs")]
pub(crate) struct JobArgs {
    /// What becomes of processes that a job has left behind when it has ended itself
    ///
    /// One that holds the job's output open gets 200 ms, and the job counts as leaked. Then it is killed with
    /// its process group (kill), the job goes on until it lets go (wait), or it may live on, also when
    /// procpool has ended (keep). One that holds no output may live as long as procpool does. Then it is
    /// killed and named (kill), procpool waits for its end (wait), or it lives on (keep).
    #[arg(long, value_name = "WHAT", default_value = "kill", hide_possible_values = true)]
    pub(crate) on_leak: LeakPolicy,

    /// Give a job that was asked to end this long, then kill it
    ///
    /// After its timeout, or when the run is stopped. Its process group is sent TERM (or INT, where that is
    /// what stops the run), then KILL.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration::parse)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) grace: Duration,

    /// Run as one process, without those that end everything should it be killed
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
