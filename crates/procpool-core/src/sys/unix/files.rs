//! Files without a name.
//! What is in them is not known here.
//! Pipes, and what can be done with one.
//! What flows through them is not known here.
//! An event that many wait for, as a pipe: not readable until it is raised, at its end ever after.
//! What it is raised for is not known here.

use std::fs::File;
use std::io;
use std::io::{Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::OFlags;

use crate::sys::failure::Failure;

/// A file that holds these bytes and stands at its start: a temporary one that was unlinked.
pub(crate) fn memory_file(bytes: &[u8]) -> Result<File, Failure> {
    let mut file = tempfile::tempfile().map_err(Failure::of("a temporary file for the standard input"))?;
    fill(&mut file, bytes)?;
    Ok(file)
}

/// Writes what a new file is to hold, and goes back to its start.
pub(crate) fn fill(file: &mut File, bytes: &[u8]) -> Result<(), Failure> {
    file.write_all(bytes).map_err(Failure::of("write"))?;
    file.rewind().map_err(Failure::of("lseek"))
}

/// Nothing gives a part of a file back by POSIX: it is used again by the next who needs some.
#[cfg_attr(target_os = "linux", expect(dead_code, reason = "Linux has its own, which may fail"))]
pub(crate) fn punch_hole(_: &File, _: u64, _: u64) {}

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

#[derive(Debug)]
pub(crate) struct WakeEvent {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl WakeEvent {
    pub(crate) fn new() -> io::Result<WakeEvent> {
        let (reader, writer) = close_on_exec_pair()?;
        // Whoever raises it must not wait, however often.
        rustix::fs::fcntl_setfl(&writer, OFlags::NONBLOCK)?;
        Ok(WakeEvent { reader, writer })
    }

    pub(crate) fn raise(&self) {
        // It can only fail with EAGAIN, once the pipe is full: then it has been raised already.
        let _ = rustix::io::write(&self.writer, b"!");
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}
