//! Blocking writes to descriptors that may be in non-blocking mode. The mode belongs to the open file, so any
//! process that shares it with procpool may have set it.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, retry_on_intr};

use crate::terminal::heartbeat::Heartbeat;

/// Waits until a small write would not block.
pub(crate) fn wait_for_room(file: impl AsFd) -> io::Result<()> {
    retry_on_intr(|| poll(&mut [PollFd::new(&file, PollFlags::OUT)], None))?;
    Ok(())
}

/// Writes as many bytes as fit, after waiting until at least one does.
pub(crate) fn write(file: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match retry_on_intr(|| rustix::io::write(&file, bytes)) {
            // The reader is slow, not gone.
            Err(Errno::AGAIN) => {
                retry_on_intr(|| poll(&mut [PollFd::new(&file, PollFlags::OUT)], None))?;
            }
            result => return Ok(result?),
        }
    }
}

/// Writes to a file, with a beat of the heartbeat for each write.
pub(crate) struct BlockingWriter<'a> {
    file: &'a File,
    heartbeat: &'a Heartbeat,
}

impl<'a> BlockingWriter<'a> {
    pub(crate) fn new(file: &'a File, heartbeat: &'a Heartbeat) -> BlockingWriter<'a> {
        BlockingWriter { file, heartbeat }
    }
}

impl Write for BlockingWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.heartbeat.beat();
        write(self.file, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
