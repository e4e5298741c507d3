//! How a process ended and what it used, as the kernel tells it.
//! Knows nothing of who ended it or what that means for a job.

use std::fmt;
use std::time::Duration;

use crate::signal::Signal;

/// How a process ended, as the kernel tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// With an exit code, 0 to 255.
    Exited(u8),
    /// Killed by a signal.
    Signalled(Signal),
}

/// What a process used, as wait4(2) tells it: the process and those descendants that it waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time in user mode.
    pub user: Duration,
    /// CPU time in the kernel.
    pub system: Duration,
    /// Most memory held at once (resident set), bytes. Linux counts the parent's size at the moment of
    /// the start too, so a job smaller than procpool itself shows procpool's size.
    pub peak_memory: u64,
}

impl Status {
    /// The status as one number, in the shell's words: the exit code, or 128 + the signal's number.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Status::Exited(code) => code,
            Status::Signalled(signal) => u8::try_from(128 + signal.number()).unwrap_or(u8::MAX),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Status::Exited(code) => write!(f, "exit {code}"),
            Status::Signalled(signal) => write!(f, "killed by {signal}"),
        }
    }
}
