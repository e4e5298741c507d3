//! The counterpart of `linux/proc.rs`: POSIX says nothing about other processes. So a job's descendants are reached by
//! their process group only.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::process::Signal;

use crate::sys::status::Stat;

pub(crate) fn is_ours() -> bool {
    false
}

pub(crate) fn stat(_: i32) -> io::Result<Option<Stat>> {
    Ok(None)
}

pub(crate) fn children(_: i32) -> Vec<i32> {
    Vec::new()
}

pub(crate) fn own_children() -> Vec<i32> {
    Vec::new()
}

pub(crate) fn all_pids() -> Vec<i32> {
    Vec::new()
}

pub(crate) fn is_at_rest(_: i32) -> bool {
    true
}

pub(crate) fn own_session() -> i32 {
    0
}

pub(crate) fn pipe_number(_: BorrowedFd<'_>) -> Option<u64> {
    None
}

pub(crate) fn holds(_: i32, _: &[u64]) -> io::Result<bool> {
    Ok(false)
}

pub(crate) fn program(_: i32) -> String {
    String::new()
}

pub(crate) fn signal(_: i32, _: u64, _: Signal) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}
