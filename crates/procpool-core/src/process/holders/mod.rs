//! Determines who holds an output open after its job's process has ended: a process of the job, or another one.
//!
//! If this program forks while jobs are being started, its child gets copies of their pipes; and a job can pass its pipe
//! to a process that existed before. Neither is a leak of the job.

#[cfg(test)]
mod tests;

use std::io;

use crate::sys::proc;
use crate::sys::status::{ProcState, Stat};

/// The source of facts about processes; a table in tests.
pub(crate) trait HolderQuery {
    fn all_pids(&self) -> Vec<i32>;
    /// `None` if there is no such process; an error if that can't be determined now.
    fn stat(&self, pid: i32) -> io::Result<Option<Stat>>;
    /// Whether it holds one of the outputs; an error if that can't be determined.
    fn holds(&self, pid: i32) -> io::Result<bool>;
}

/// Asks `/proc`, for outputs with these pipe numbers.
pub(crate) struct ProcPipes {
    pub(crate) pipes: Vec<u64>,
}

/// Who holds an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A process that belongs to the job, or may.
    Job,
    /// Only processes that can't belong to the job, or none any more.
    Foreign,
}

/// Determines whether a process of the job holds an output. `session` is our own session: the job started in another one, and
/// a process can enter an existing session only by being forked in it. No process of the job is older than the
/// job's own process, which started at `began`.
pub(crate) fn holder(job: i32, began: u64, session: i32, kernel: &impl HolderQuery) -> Holder {
    // Twice: an output that is passed from process to process could be missed once.
    for _ in 0..2 {
        for pid in kernel.all_pids() {
            let stat = match kernel.stat(pid) {
                Ok(Some(stat)) => stat,
                Ok(None) => continue,
                Err(_) => return Holder::Job,
            };
            // Session 0 means a session of an outer PID namespace, or a kernel thread.
            let is_foreign = stat.session == session || stat.session == 0 || stat.started < began;
            if pid == job || is_foreign || stat.state == ProcState::Ended {
                continue;
            }
            if kernel.holds(pid).unwrap_or(true) {
                return Holder::Job;
            }
        }
    }
    Holder::Foreign
}

impl HolderQuery for ProcPipes {
    fn all_pids(&self) -> Vec<i32> {
        proc::all_pids()
    }

    fn stat(&self, pid: i32) -> io::Result<Option<Stat>> {
        proc::stat(pid)
    }

    fn holds(&self, pid: i32) -> io::Result<bool> {
        proc::holds(pid, &self.pipes)
    }
}
