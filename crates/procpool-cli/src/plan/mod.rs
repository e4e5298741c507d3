//! What was typed becomes a plan: every decision and every user's error, before the first process.
//! A plan for this machine, one for a cluster and one for a slice of somebody else's list have each a file.

pub(crate) mod choose;
mod claimed_files;
mod cluster;
mod commands;
mod draft;
mod engines;
mod here;
mod inputs;
mod journal;
mod machine;
mod outputs;
mod pipe;
mod preparation;
mod recorded_by;
mod records;
mod schedule;
pub(crate) mod slice;
mod spooling;
mod telling;
mod terms;
pub(crate) mod typed;
mod values;

use std::time::Duration;

use procpool_core::Processes;
use procpool_journal::files::run_lock::Leaks;

use crate::args::{JobArgs, LeakPolicy, RunArgs};
use crate::exit::ExitStatus;
use crate::guard::GuardianLink;
use crate::guard::leave_running::LeaveRunning;
use crate::input::Input;
use crate::run::{Begin, Telling};
use crate::terminal::heartbeat::Heartbeat;

/// All that a run needs.
pub(crate) struct Plan {
    pub(crate) input: Input,
    /// Begins the run: opens its journal, if it has one, and says who hears of it and how its jobs are set going.
    pub(crate) begin: Begin,
    pub(crate) telling: Telling,
    /// Beats as the sinks deliver.
    pub(crate) heartbeat: Heartbeat,
    /// What runs.
    pub(crate) processes: Processes,
    pub(crate) link: Option<GuardianLink>,
    /// How long a job that was asked to end has.
    pub(crate) grace: Duration,
    /// Whether what runs elsewhere is left where procpool is told to end.
    pub(crate) leave: LeaveRunning,
    /// Cleanup after the run.
    pub(crate) afterwards: Afterwards,
}

/// Cleanup after the run, given its exit status.
pub(crate) type Afterwards = Box<dyn FnOnce(ExitStatus)>;

/// Builds the input without running it, for --dry-run.
///
/// # Errors
/// Whatever is wrong with what was typed, or with a file that it names.
pub(crate) fn input(args: RunArgs) -> anyhow::Result<Input> {
    let terms = terms::terms(&args.environment, &args.schedule)?;
    inputs::input(args.inputs, terms)
}

/// Whether leaked processes may outlive their job.
fn leaks(jobs: &JobArgs) -> Leaks {
    if jobs.on_leak == LeakPolicy::Keep { Leaks::Kept } else { Leaks::Nothing }
}
