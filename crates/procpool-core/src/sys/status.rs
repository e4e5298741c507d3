//! What the kernel tells about a process, in the terms that `linux/proc.rs` and `unix/proc.rs` share.
//! What the kernel tells of a process that has ended, in our own types.
//! How it is asked is not known here.

use std::time::Duration;

use crate::data::status::{PeakMemory, Signal, Status, Usage};

/// A process as `/proc/PID/stat` describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) state: ProcState,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    pub(crate) session: i32,
    /// Start time in clock ticks since boot. Together with the pid it identifies the process.
    pub(crate) started: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux tells a process's state"))]
pub(crate) enum ProcState {
    Runs,
    Stopped,
    /// A zombie: it only waits to be reaped.
    Ended,
}

/// Somebody else has reaped the process: nobody will ever know how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatusTaken;

/// A status as wait4(2) writes it.
pub(crate) fn decode_status(status: i32) -> Status {
    if libc::WIFSIGNALED(status) {
        killed_by(libc::WTERMSIG(status))
    } else {
        exited(libc::WEXITSTATUS(status))
    }
}

pub(crate) fn killed_by(signal: i32) -> Status {
    Status::Signalled(Signal::from_number(signal).unwrap_or(Signal::KILL))
}

pub(crate) fn exited(code: i32) -> Status {
    // The kernel has masked it to eight bits.
    Status::Exited(u8::try_from(code & 0xff).unwrap_or(u8::MAX))
}

/// What was used, as getrusage(2) has it: seconds and microseconds.
pub(crate) fn usage(user: (i64, i64), system: (i64, i64), peak_memory: u64) -> Usage {
    let duration = |(seconds, microseconds): (i64, i64)| {
        let seconds = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        seconds + Duration::from_micros(u64::try_from(microseconds).unwrap_or(0))
    };
    Usage {
        user: duration(user),
        system: duration(system),
        peak_memory: PeakMemory::Known(peak_memory),
    }
}
