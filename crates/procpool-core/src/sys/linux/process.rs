//! A process that was started and not yet reaped, known by a pidfd; by its number where there is none.
//! What it runs is not known here.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

use rustix::process::Pid;

use crate::data::signal::Signal;
use crate::data::status::{Status, Usage};
use crate::sys::descriptors::out_of_the_way;
use crate::sys::linux::group::{signal_group, signal_one};
use crate::sys::linux::reap::reap;
use crate::sys::unix;
use crate::sys::wait_status::StatusTaken;

pub(crate) enum ProcessHandle {
    /// A pidfd never means another process, whoever has reaped this one.
    Held {
        pid: Pid,
        pidfd: OwnedFd,
    },
    Waited(unix::process::ProcessHandle),
}

impl ProcessHandle {
    pub(crate) fn number(&self) -> Pid {
        match self {
            ProcessHandle::Held { pid, .. } => *pid,
            ProcessHandle::Waited(process) => process.number(),
        }
    }

    /// Readable, or at its end, once the process has ended.
    pub(crate) fn end_event(&self) -> BorrowedFd<'_> {
        match self {
            ProcessHandle::Held { pidfd, .. } => pidfd.as_fd(),
            ProcessHandle::Waited(process) => process.end_event(),
        }
    }

    /// The same, with its descriptor where the low numbers aren't used up by it.
    pub(crate) fn out_of_the_way(self, ceiling: RawFd) -> ProcessHandle {
        match self {
            ProcessHandle::Held { pid, pidfd } => {
                ProcessHandle::Held { pid, pidfd: out_of_the_way(pidfd, ceiling) }
            }
            ProcessHandle::Waited(process) => ProcessHandle::Waited(process.out_of_the_way(ceiling)),
        }
    }

    /// Sends a signal to the process group that it leads; never to another one that has got its number.
    pub(crate) fn signal_group(&self, signal: Signal) {
        match self {
            ProcessHandle::Held { pid, pidfd } => signal_group(*pid, pidfd.as_fd(), signal),
            ProcessHandle::Waited(process) => process.signal_group(signal),
        }
    }

    /// Sends a signal to it alone, whichever group it is in.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        match self {
            ProcessHandle::Held { pid, pidfd } => signal_one(*pid, pidfd.as_fd(), signal),
            ProcessHandle::Waited(process) => process.signal(signal),
        }
    }

    /// Waits for it to end, reaps it and says how it ended and what it used.
    pub(crate) fn reap(&self) -> Result<(Status, Usage), StatusTaken> {
        match self {
            ProcessHandle::Held { pid, pidfd } => reap(*pid, pidfd.as_fd()),
            ProcessHandle::Waited(process) => process.reap(),
        }
    }
}

#[cfg(test)]
impl ProcessHandle {
    /// A child that was started otherwise.
    pub(crate) fn of(number: u32) -> ProcessHandle {
        let pid = Pid::from_raw(number.try_into().unwrap()).unwrap();
        let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap();
        ProcessHandle::Held { pid, pidfd }
    }
}
