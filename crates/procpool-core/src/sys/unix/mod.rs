//! What needs POSIX alone: the lowest step on Linux, and all there is elsewhere. The seam for other systems.
//!
//! What it can't promise: a job gets the caller's limit of descriptors, and does not end with its caller; a descriptor
//! that another thread opens without close-on-exec while a job is started goes to that job too; and a start that hangs, on a
//! file server that doesn't answer, holds up the thread that has asked for it.

pub(crate) mod files;
pub(crate) mod pending_exec;
#[cfg(not(target_os = "linux"))]
pub(crate) mod proc;
pub(crate) mod process;
pub(crate) mod start;
