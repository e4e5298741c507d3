//! Which processes are our children. They are known by number: the number of an unreaped child belongs to
//! nobody else.

use std::io;

use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use procpool_journal::os::proc;

pub(super) fn number(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().unsigned_abs()
}

/// The children of all threads of this process but the known ones. Those that no thread knows yet are jobs
/// whose start is not over; nobody reaps them, so their numbers can't be reused.
pub(super) fn children_of_all_threads(known: &[u32]) -> Vec<Pid> {
    let unknown = proc::children(std::process::id()).into_iter().filter(|pid| !known.contains(pid));
    unknown.filter_map(pid_of).collect()
}

/// Whether this process has a child. The kernel can tell even if there is no free descriptor to read `/proc`
/// by. And while other threads reap, a list that is being read may skip a child (`get_children_pid` in
/// Linux's `fs/proc/array.c`).
pub(super) fn has_children() -> bool {
    let ended_or_not = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::All, ended_or_not), Err(Errno::CHILD))
}

/// The children of a process's first thread, ended ones included.
///
/// # Errors
/// The list can't be read.
pub(super) fn children_of(process: Pid) -> io::Result<Vec<Pid>> {
    let children = proc::children_of_first_thread(number(process))?;
    Ok(children.into_iter().filter_map(pid_of).collect())
}

fn pid_of(number: u32) -> Option<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw)
}
