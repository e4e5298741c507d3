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

use std::io;
use std::os::fd::BorrowedFd;

use rustix::buffer::spare_capacity;

#[cfg(target_os = "linux")]
use crate::sys::linux as native;
#[cfg(not(target_os = "linux"))]
use crate::sys::unix as native;

pub(crate) use crate::sys::descriptors::{
    Readiness, above_standard, allowed_descriptors, out_of_the_way, wait_any, wait_readable,
};
pub(crate) use crate::sys::exec_spec::{EnvironmentStrings, ExecProgress, ExecSpec, OnParentDeath, Program};
pub(crate) use crate::sys::failure::{Failure, is_descriptor_shortage, is_shortage};
#[cfg(test)]
pub(crate) use crate::sys::linux::fallback::only_posix;
pub(crate) use crate::sys::native::files::{WakeEvent, grow_pipe, memory_file, pipe, punch_hole, splice};
pub(crate) use crate::sys::native::pending_exec::PendingExec;
pub(crate) use crate::sys::native::proc;
pub(crate) use crate::sys::native::process::ProcessHandle;
pub(crate) use crate::sys::native::start::{StartedProcess, can_end_with_parent, start};
pub(crate) use crate::sys::status::StatusTaken;
pub(crate) use crate::sys::threads::{most_threads, thread_has_room};
pub(crate) use crate::sys::unix::process::own_peak_memory;

/// The pid of a child.
pub(crate) type Pid = rustix::process::Pid;

/// Reads once into the spare capacity of `buffer`, which must not be empty. 0 is the end.
pub(crate) fn read(fd: BorrowedFd<'_>, buffer: &mut Vec<u8>) -> io::Result<usize> {
    Ok(rustix::io::retry_on_intr(|| rustix::io::read(fd, spare_capacity(buffer)))?)
}

/// How many unread bytes a pipe holds.
pub(crate) fn readable_bytes(pipe: BorrowedFd<'_>) -> u64 {
    // Can't fail for a pipe.
    rustix::io::ioctl_fionread(pipe).unwrap_or(0)
}

/// Whether this process may execute the file.
pub(crate) fn may_execute(path: &std::path::Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}
