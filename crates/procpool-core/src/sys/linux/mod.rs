//! What Linux can do beyond POSIX, and the way down where a kernel or a fence refuses it: see `sys.rs`.
//! What jobs are is not known here.

mod birth;
mod child;
pub(crate) mod event;
pub(crate) mod files;
mod group;
mod ladder;
pub(crate) mod loading;
pub(crate) mod pipe;
pub(crate) mod proc;
pub(crate) mod process;
mod reap;
pub(crate) mod start;
pub(crate) mod threads;
