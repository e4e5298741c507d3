//! The state of a process, its exit status and its usage, converted from the kernel's formats.

use std::mem::MaybeUninit;
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

/// Other code has reaped the process, so nobody can know how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatusTaken;

/// Decodes a status of wait4(2).
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

/// Converts figures of getrusage(2): seconds and microseconds.
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

/// The peak memory of this process, if known.
pub(crate) fn own_peak_memory() -> PeakMemory {
    let mut used = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a live local of the type that getrusage(2) writes, and all-zero bytes are a valid one.
    #[expect(unsafe_code, reason = "rustix has no getrusage")]
    let used = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, used.as_mut_ptr());
        used.assume_init()
    };
    decode_usage(&used).peak_memory
}

/// The unit of `ru_maxrss` is 1024 bytes; on Apple's systems it is a byte.
const MEMORY_UNIT: u64 = if cfg!(target_vendor = "apple") { 1 } else { 1024 };

pub(crate) fn decode_usage(used: &libc::rusage) -> Usage {
    #[allow(clippy::useless_conversion, clippy::allow_attributes, reason = "each system has its own widths")]
    let pair = |time: libc::timeval| (i64::from(time.tv_sec), i64::from(time.tv_usec));
    let peak = u64::try_from(used.ru_maxrss).unwrap_or(0) * MEMORY_UNIT;
    usage(pair(used.ru_utime), pair(used.ru_stime), peak)
}
