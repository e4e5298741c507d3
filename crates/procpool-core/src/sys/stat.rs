//! What the kernel tells about a process, in the terms that `linux/proc.rs` and `unix/proc.rs` share.

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
