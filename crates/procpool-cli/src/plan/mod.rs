//! Turns what was typed into a plan: all decisions are made, and all user errors found, before the first
//! process starts. Local runs, cluster runs and single slices of a cluster run are planned in a file each.

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

/// Everything that a run needs.
pub(crate) struct Plan {
    pub(crate) input: Input,
    /// Begins the run: opens its journal, if it has one, and returns its sinks and the function that starts
    /// its jobs.
    pub(crate) begin: Begin,
    pub(crate) telling: Telling,
    /// Beats whenever a sink delivers.
    pub(crate) heartbeat: Heartbeat,
    /// The processes of running jobs.
    pub(crate) processes: Processes,
    pub(crate) link: Option<GuardianLink>,
    /// How long a job has to end after it was asked to.
    pub(crate) grace: Duration,
    /// Whether jobs on a cluster are left running when procpool is told to end.
    pub(crate) leave: LeaveRunning,
    pub(crate) afterwards: Afterwards,
}

/// Cleanup after the run, given its exit status.
pub(crate) type Afterwards = Box<dyn FnOnce(ExitStatus)>;

/// Builds the input without running it, for --dry-run.
///
/// # Errors
/// If the options are invalid, or a file that they name.
pub(crate) fn input(args: RunArgs) -> anyhow::Result<Input> {
    let terms = terms::terms(&args.environment, &args.schedule)?;
    inputs::input(args.inputs, terms)
}

/// Whether leaked processes may outlive their job.
fn leaks(jobs: &JobArgs) -> Leaks {
    if jobs.on_leak == LeakPolicy::Keep { Leaks::Kept } else { Leaks::Nothing }
}
