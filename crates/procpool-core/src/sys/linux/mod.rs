//! What Linux can do beyond POSIX, and the way down where a kernel or a fence refuses it: see `sys.rs`.
//! What jobs are is not known here.

mod child;
pub(crate) mod fallback;
pub(crate) mod files;
pub(crate) mod pending_exec;
pub(crate) mod proc;
pub(crate) mod process;
pub(crate) mod start;
