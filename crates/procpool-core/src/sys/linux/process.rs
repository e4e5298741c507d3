//! A process that was started and not yet reaped, known by a pidfd; by its number where there is none.
//! What it runs is not known here.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

use rustix::process::Pid;

use crate::data::signal::Signal;
use crate::data::status::{Status, Usage};
use crate::sys::descriptors::out_of_the_way;
use crate::sys::linux::group::{signal_group, signal_one};
use crate::sys::linux::reap::reap;
use crate::sys::status::Taken;
use crate::sys::unix;

pub(crate) enum Process {
    /// A pidfd never means another process, whoever has reaped this one.
    Held {
        pid: Pid,
        pidfd: OwnedFd,
    },
    Waited(unix::process::Process),
}

impl Process {
    pub(crate) fn number(&self) -> Pid {
        match self {
            Process::Held { pid, .. } => *pid,
            Process::Waited(process) => process.number(),
        }
    }

    /// Readable, or at its end, once the process has ended.
    pub(crate) fn end_event(&self) -> BorrowedFd<'_> {
        match self {
            Process::Held { pidfd, .. } => pidfd.as_fd(),
            Process::Waited(process) => process.end_event(),
        }
    }

    /// The same, with its descriptor where the low numbers aren't used up by it.
    pub(crate) fn out_of_the_way(self, ceiling: RawFd) -> Process {
        match self {
            Process::Held { pid, pidfd } => Process::Held { pid, pidfd: out_of_the_way(pidfd, ceiling) },
            Process::Waited(process) => Process::Waited(process.out_of_the_way(ceiling)),
        }
    }

    /// Sends a signal to the process group that it leads; never to another one that has got its number.
    pub(crate) fn signal_group(&self, signal: Signal) {
        match self {
            Process::Held { pid, pidfd } => signal_group(*pid, pidfd.as_fd(), signal),
            Process::Waited(process) => process.signal_group(signal),
        }
    }

    /// Sends a signal to it alone, whichever group it is in.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        match self {
            Process::Held { pid, pidfd } => signal_one(*pid, pidfd.as_fd(), signal),
            Process::Waited(process) => process.signal(signal),
        }
    }

    /// Waits for it to end, reaps it and says how it ended and what it used.
    pub(crate) fn reap(&self) -> Result<(Status, Usage), Taken> {
        match self {
            Process::Held { pid, pidfd } => reap(*pid, pidfd.as_fd()),
            Process::Waited(process) => process.reap(),
        }
    }
}

#[cfg(test)]
impl Process {
    /// A child that was started otherwise.
    pub(crate) fn of(number: u32) -> Process {
        let pid = Pid::from_raw(number.try_into().unwrap()).unwrap();
        let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap();
        Process::Held { pid, pidfd }
    }
}
