//! Writes that wait where the file would not: whoever shares the descriptor may have made it so.
//! Knows nothing of what is written.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, retry_on_intr};

use crate::terminal::heartbeat::Heartbeat;

/// Waits until there is room for a small write.
pub(crate) fn wait_for_room(file: impl AsFd) -> io::Result<()> {
    retry_on_intr(|| poll(&mut [PollFd::new(&file, PollFlags::OUT)], None))?;
    Ok(())
}

/// Writes as many of these bytes as there is room for, once there is any.
pub(crate) fn write(file: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match retry_on_intr(|| rustix::io::write(&file, bytes)) {
            // That says nothing about who reads.
            Err(Errno::AGAIN) => {
                retry_on_intr(|| poll(&mut [PollFd::new(&file, PollFlags::OUT)], None))?;
            }
            result => return Ok(result?),
        }
    }
}

/// Writes to a file, with a beat for each piece.
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
