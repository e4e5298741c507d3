//! Temporary files, pipes, and events made of a pipe, by POSIX alone.

use std::fs::File;
use std::io;
use std::io::{Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::OFlags;

use crate::sys::descriptors::close_on_exec_pair;
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
