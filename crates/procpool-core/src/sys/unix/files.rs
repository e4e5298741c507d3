//! Temporary files, pipes, and events made of a pipe, by POSIX alone.

use std::fs::File;
use std::io;
use std::io::{Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::OFlags;

use crate::sys::failure::Failure;

/// An unlinked temporary file with these bytes, positioned at its start.
pub(crate) fn memory_file(bytes: &[u8]) -> Result<File, Failure> {
    let mut file = tempfile::tempfile().map_err(Failure::of("a temporary file for the standard input"))?;
    fill(&mut file, bytes)?;
    Ok(file)
}

/// Writes the bytes of a new file, and returns to its start.
pub(crate) fn fill(file: &mut File, bytes: &[u8]) -> Result<(), Failure> {
    file.write_all(bytes).map_err(Failure::of("write"))?;
    file.rewind().map_err(Failure::of("lseek"))
}

/// POSIX can't free a part of a file: the space is used again by other extents.
#[cfg_attr(target_os = "linux", expect(dead_code, reason = "Linux has its own, which may fail"))]
pub(crate) fn punch_hole(_: &File, _: u64, _: u64) {}

/// A pipe: the end to read from and the end to write to. Reading doesn't block: a job that opens its own output through
/// `/proc` may have read what poll(2) has announced. Writing blocks, as every program expects.
pub(crate) fn pipe() -> Result<(OwnedFd, OwnedFd), Failure> {
    let (reader, writer) = close_on_exec_pair().map_err(Failure::of("pipe"))?;
    rustix::fs::fcntl_setfl(&reader, OFlags::NONBLOCK).map_err(|error| Failure::of("fcntl")(error.into()))?;
    Ok((reader, writer))
}

#[cfg(not(target_vendor = "apple"))]
pub(crate) fn close_on_exec_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?)
}

/// In two calls: a process that another part of the program starts in between inherits the pipe.
#[cfg(target_vendor = "apple")]
pub(crate) fn close_on_exec_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = rustix::pipe::pipe()?;
    for end in [&reader, &writer] {
        rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
    }
    Ok((reader, writer))
}

/// POSIX can't move bytes without copying them to our memory.
pub(crate) fn splice(_: BorrowedFd<'_>, _: &File, _: u64, _: usize) -> io::Result<usize> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// POSIX can't change the size of a pipe.
#[cfg_attr(target_os = "linux", expect(dead_code, reason = "Linux has its own, which may fail"))]
pub(crate) fn grow_pipe(_: BorrowedFd<'_>, _: usize) {}

// Same name as `linux::files::WakeEvent`: `sys` uses the one of its system.
#[derive(Debug)]
pub(crate) struct WakeEvent {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl WakeEvent {
    pub(crate) fn new() -> io::Result<WakeEvent> {
        let (reader, writer) = close_on_exec_pair()?;
        // Raising it must never block.
        rustix::fs::fcntl_setfl(&writer, OFlags::NONBLOCK)?;
        Ok(WakeEvent { reader, writer })
    }

    pub(crate) fn raise(&self) {
        // Can only fail with EAGAIN, if the pipe is full: then it is raised already.
        let _ = rustix::io::write(&self.writer, b"!");
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}
