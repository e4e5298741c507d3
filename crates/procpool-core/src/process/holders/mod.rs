//! Who holds an output open after its job's process has ended: a process of the job, or somebody else.
//!
//! A program that forks while jobs are being started hands copies of their pipes to its child, and a job can hand its
//! own to a process that was there before. Neither is a leak of the job.

#[cfg(test)]
mod tests;

use std::io;

use crate::sys::proc;
use crate::sys::status::{ProcState, Stat};

/// What is asked about processes.
pub(crate) trait HolderQuery {
    fn all_pids(&self) -> Vec<i32>;
    /// `None` where there is no such process; an error where that is not known now.
    fn stat(&self, pid: i32) -> io::Result<Option<Stat>>;
    /// Whether it holds one of the outputs; an error where that is not known.
    fn holds(&self, pid: i32) -> io::Result<bool>;
}

/// What `/proc` tells, of outputs with these numbers.
pub(crate) struct ProcPipes {
    pub(crate) pipes: Vec<u64>,
}

/// Whose process holds an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// One that may be the job's, or one of which that is not known.
    Job,
    /// One of the machine's others, or none any more.
    Foreign,
}

/// Finds out whether a process of the job holds an output. `session` is our own: a job is born in another one, and nobody
/// gets into a session but by birth. And nobody of the job is older than its process, which started at `began`.
pub(crate) fn holder(job: i32, began: u64, session: i32, kernel: &impl HolderQuery) -> Holder {
    // Twice: one that hands on from process to process could slip through a single look.
    for _ in 0..2 {
        for pid in kernel.all_pids() {
            let stat = match kernel.stat(pid) {
                Ok(Some(stat)) => stat,
                Ok(None) => continue,
                Err(_) => return Holder::Job,
            };
            // Session 0 is that of processes whose session is in a namespace above ours, and of the kernel's own.
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
