//! What needs POSIX alone: the last fallback on Linux, and the only implementation elsewhere. A back end for another system
//! starts from here.
//!
//! What it can't promise: a job gets the caller's limit of descriptors, and does not end with its caller. A descriptor that
//! another thread opens without close-on-exec during a start is inherited by that job. And a start that hangs, because a
//! file server doesn't answer, blocks the thread that has called it.

pub(crate) mod files;
#[cfg(not(target_os = "linux"))]
pub(crate) mod proc;
pub(crate) mod process;
pub(crate) mod start;
