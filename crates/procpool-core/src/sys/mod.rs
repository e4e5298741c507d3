//! Everything specific to the operating system, and all of the crate's `unsafe`.
//!
//! Two folders define the same names. `unix` needs only POSIX: it is the last fallback on Linux, and the only
//! implementation elsewhere. `linux` is faster and promises more, and falls back to `unix` call by call if a kernel or a
//! container refuses something; that is found out once for the process, by trying (`linux/fallback.rs`).
//! `PROCPOOL_SYS=unix` in the environment selects `unix` everywhere, for tests.

pub(crate) mod cgroup;
mod descriptors;
mod exec_spec;
mod failure;
#[cfg(target_os = "linux")]
mod linux;
pub(crate) mod status;
mod threads;
mod unix;

#[cfg(target_os = "linux")]
use crate::sys::linux as native;
#[cfg(not(target_os = "linux"))]
use crate::sys::unix as native;

pub(crate) use crate::sys::descriptors::{
    Readiness, above_standard, allowed_descriptors, out_of_the_way, pipe, read, readable_bytes, wait_any,
    wait_readable,
};
pub(crate) use crate::sys::exec_spec::{EnvironmentStrings, ExecProgress, ExecSpec, OnParentDeath, Program};
pub(crate) use crate::sys::failure::{Failure, is_descriptor_shortage, is_shortage};
#[cfg(test)]
pub(crate) use crate::sys::linux::fallback::only_posix;
pub(crate) use crate::sys::native::files::{WakeEvent, grow_pipe, memory_file, punch_hole, splice};
pub(crate) use crate::sys::native::proc;
pub(crate) use crate::sys::native::process::ProcessHandle;
pub(crate) use crate::sys::native::start::{PendingExec, StartedProcess, can_end_with_parent, start};
pub(crate) use crate::sys::status::{StatusTaken, own_peak_memory};
pub(crate) use crate::sys::threads::{most_threads, thread_has_room};

/// The pid of a child.
pub(crate) type Pid = rustix::process::Pid;

/// Whether this process may execute the file.
pub(crate) fn may_execute(path: &std::path::Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}
