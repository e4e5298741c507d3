//! An event that many wait for, as a pipe: not readable until it is raised, at its end ever after.
//! What it is raised for is not known here.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::sys::unix::pipe::close_on_exec_pair;

#[derive(Debug)]
pub(crate) struct WakeEvent {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl WakeEvent {
    pub(crate) fn new() -> io::Result<WakeEvent> {
        let (reader, writer) = close_on_exec_pair()?;
        // Whoever raises it must not wait, however often.
        rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::NONBLOCK)?;
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
