//! How a process ended and what it used, as the kernel tells it.
//! Knows nothing of who ended it or what that means for a job.

use std::fmt;
use std::time::Duration;

use crate::data::signal::Signal;

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
    /// Most memory held at once (resident set).
    pub peak_memory: PeakMemory,
}

/// The most memory that a process held at once (resident set), as far as that is its own figure: until a process
/// has become its program it lives in the memory of the one that starts it, and the kernel counts that too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PeakMemory {
    /// Nobody knows.
    #[default]
    Unknown,
    /// So many bytes.
    Known(u64),
    /// No more than so many bytes, which are about what the program that started it held itself.
    Below(u64),
}

impl PeakMemory {
    /// The same, once it is known how much the program that started the process had held at most by then. What the kernel
    /// counts for the one and for the other may differ by some pages that threads haven't accounted for yet.
    pub(crate) fn of_one_started_by(self, own: PeakMemory) -> PeakMemory {
        const IMPRECISION: u64 = 1024 * 1024;
        match (self, own) {
            (PeakMemory::Known(bytes), PeakMemory::Known(own)) if bytes > own + IMPRECISION => self,
            (PeakMemory::Known(bytes), _) => PeakMemory::Below(bytes),
            (other, _) => other,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_is_its_own_only_where_it_is_well_above_that_of_who_started_it() {
        const MEGABYTE: u64 = 1024 * 1024;
        let reported = PeakMemory::Known(6 * MEGABYTE);
        assert_eq!(reported.of_one_started_by(PeakMemory::Known(4 * MEGABYTE)), reported);
        assert_eq!(
            reported.of_one_started_by(PeakMemory::Known(5 * MEGABYTE)),
            PeakMemory::Below(6 * MEGABYTE)
        );
        assert_eq!(
            reported.of_one_started_by(PeakMemory::Known(106 * MEGABYTE)),
            PeakMemory::Below(6 * MEGABYTE)
        );
        assert_eq!(PeakMemory::Unknown.of_one_started_by(PeakMemory::Known(0)), PeakMemory::Unknown);
    }
}
