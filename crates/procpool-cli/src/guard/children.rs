//! Which processes are children of ours.
//! By their numbers: a child that was not reaped is nobody else.

use std::io;

use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use procpool_journal::os::proc;

pub(super) fn number(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().unsigned_abs()
}

/// The children of all threads of this process but those with these numbers: jobs that are just being started.
/// Nobody reaps those, so that their numbers can't be anybody else's.
pub(super) fn children_of_all_threads(known: &[u32]) -> Vec<Pid> {
    let unknown = proc::children(std::process::id()).into_iter().filter(|pid| !known.contains(pid));
    unknown.filter_map(pid_of).collect()
}

/// Whether this process has a child. The kernel knows that also while it has no descriptor left by which `/proc` could be read, and
/// while other threads reap, when a list that is being read may skip one (`fs/proc/array.c`).
pub(super) fn has_children() -> bool {
    let ended_or_not = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::All, ended_or_not), Err(Errno::CHILD))
}

/// The children of a process's first thread, ended ones included.
///
/// # Errors
/// Where that can't be known.
pub(super) fn children_of(process: Pid) -> io::Result<Vec<Pid>> {
    let children = proc::children_of_first_thread(number(process))?;
    Ok(children.into_iter().filter_map(pid_of).collect())
}

fn pid_of(number: u32) -> Option<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw)
}
