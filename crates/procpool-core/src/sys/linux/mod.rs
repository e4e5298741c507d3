//! What Linux can do beyond POSIX, and the way down where a kernel or a fence refuses it: see `sys.rs`.
//! What jobs are is not known here.

mod child;
mod child_setup;
pub(crate) mod files;
mod group;
pub(crate) mod pending_exec;
pub(crate) mod pipe;
pub(crate) mod proc;
pub(crate) mod process;
mod reap;
pub(crate) mod start;
mod start_method;
pub(crate) mod threads;
pub(crate) mod wake_event;
