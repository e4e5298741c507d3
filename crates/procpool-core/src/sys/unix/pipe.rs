//! Pipes, and what can be done with one.
//! What flows through them is not known here.

use std::fs::File;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::OFlags;

use crate::sys::failure::Failure;

/// A pipe: the end to read from and the end to write to. Reading doesn't wait: what poll(2) has promised, a job
/// that opens its own output through `/proc` can have read away. Writing does, as every program expects.
pub(crate) fn pipe() -> Result<(OwnedFd, OwnedFd), Failure> {
    let (reader, writer) = close_on_exec_pair().map_err(Failure::of("pipe"))?;
    rustix::fs::fcntl_setfl(&reader, OFlags::NONBLOCK).map_err(|error| Failure::of("fcntl")(error.into()))?;
    Ok((reader, writer))
}

#[cfg(not(target_vendor = "apple"))]
pub(crate) fn close_on_exec_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?)
}

/// In two steps: what another part of the program starts in between gets the pipe too.
#[cfg(target_vendor = "apple")]
pub(crate) fn close_on_exec_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = rustix::pipe::pipe()?;
    for end in [&reader, &writer] {
        rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
    }
    Ok((reader, writer))
}

/// Nothing moves bytes past our memory by POSIX.
pub(crate) fn splice(_: BorrowedFd<'_>, _: &File, _: u64, _: usize) -> io::Result<usize> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// A pipe has the size that it has.
#[cfg_attr(target_os = "linux", expect(dead_code, reason = "Linux has its own, which may fail"))]
pub(crate) fn grow_pipe(_: BorrowedFd<'_>, _: usize) {}
