//! Signals by number and name, and how a process ended and what it used, as the kernel reports it.
//! What an exit status means for a job is decided in `outcome`.

use std::fmt;
use std::time::Duration;

/// A signal by its number on this system.
///
/// ```
/// use procpool_core::Signal;
///
/// assert_eq!(Signal::KILL.to_string(), "SIGKILL");
/// assert_eq!(Signal::TERM.number(), 15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(i32);

/// The standard signals of signal(7), whose names mean the same on every Linux architecture.
const NAMES: &[(i32, &str)] = &[
    (libc::SIGHUP, "SIGHUP"),
    (libc::SIGINT, "SIGINT"),
    (libc::SIGQUIT, "SIGQUIT"),
    (libc::SIGILL, "SIGILL"),
    (libc::SIGTRAP, "SIGTRAP"),
    (libc::SIGABRT, "SIGABRT"),
    (libc::SIGBUS, "SIGBUS"),
    (libc::SIGFPE, "SIGFPE"),
    (libc::SIGKILL, "SIGKILL"),
    (libc::SIGUSR1, "SIGUSR1"),
    (libc::SIGSEGV, "SIGSEGV"),
    (libc::SIGUSR2, "SIGUSR2"),
    (libc::SIGPIPE, "SIGPIPE"),
    (libc::SIGALRM, "SIGALRM"),
    (libc::SIGTERM, "SIGTERM"),
    #[cfg(target_os = "linux")]
    (libc::SIGSTKFLT, "SIGSTKFLT"),
    (libc::SIGCHLD, "SIGCHLD"),
    (libc::SIGCONT, "SIGCONT"),
    (libc::SIGSTOP, "SIGSTOP"),
    (libc::SIGTSTP, "SIGTSTP"),
    (libc::SIGTTIN, "SIGTTIN"),
    (libc::SIGTTOU, "SIGTTOU"),
    (libc::SIGURG, "SIGURG"),
    (libc::SIGXCPU, "SIGXCPU"),
    (libc::SIGXFSZ, "SIGXFSZ"),
    (libc::SIGVTALRM, "SIGVTALRM"),
    (libc::SIGPROF, "SIGPROF"),
    (libc::SIGWINCH, "SIGWINCH"),
    (libc::SIGIO, "SIGIO"),
    #[cfg(target_os = "linux")]
    (libc::SIGPWR, "SIGPWR"),
    (libc::SIGSYS, "SIGSYS"),
];

impl Signal {
    /// What Ctrl-C sends.
    pub const INT: Signal = Signal(libc::SIGINT);
    /// The polite request to end, which a process may handle.
    pub const TERM: Signal = Signal(libc::SIGTERM);
    /// The terminal went away.
    pub const HUP: Signal = Signal(libc::SIGHUP);
    /// Ends the process; it can't be caught or ignored.
    pub const KILL: Signal = Signal(libc::SIGKILL);
    /// What Ctrl-\\ sends.
    pub const QUIT: Signal = Signal(libc::SIGQUIT);
    /// What Ctrl-Z sends.
    pub const TSTP: Signal = Signal(libc::SIGTSTP);
    /// Stops the process; it can't be caught or ignored.
    pub const STOP: Signal = Signal(libc::SIGSTOP);
    /// Continues a stopped process.
    pub const CONT: Signal = Signal(libc::SIGCONT);

    /// The signal with this number, or `None` if the number is not from 1 to 64.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Signal> {
        (1..=64).contains(&number).then_some(Signal(number))
    }

    /// The signal's number.
    #[must_use]
    pub fn number(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(number, _)| *number == self.0) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "signal {}", self.0),
        }
    }
}

/// How a process ended, as the kernel reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// With an exit code, 0 to 255.
    Exited(u8),
    /// Killed by a signal.
    Signalled(Signal),
}

/// What a process used, as wait4(2) reports it: for the process and those descendants that it waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time in user mode.
    pub user: Duration,
    /// CPU time in the kernel.
    pub system: Duration,
    /// Most memory held at once (peak resident set size).
    pub peak_memory: PeakMemory,
}

/// The peak resident set size of a process, as far as the figure is its own: until it has called execve(2), a process
/// shares the memory of the program that started it, and the kernel counts that memory for the child too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PeakMemory {
    /// The peak is not known.
    #[default]
    Unknown,
    /// The peak in bytes.
    Known(u64),
    /// At most this many bytes, which is about what the program that started the process used itself.
    Below(u64),
}

impl PeakMemory {
    /// Corrects the kernel's figure, given the peak of the program that started the process. The two counters may
    /// differ by some pages that threads haven't accounted for yet.
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
    /// The status as one number, as a shell gives it: the exit code, or 128 + the signal's number.
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
