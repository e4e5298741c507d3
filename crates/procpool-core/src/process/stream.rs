//! One output of a process: our end of its pipe, and the spool that it goes to.
//! Knows nothing of when to read; `watch.rs` does.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::spool::Spool;
use crate::sys;

/// A pipe that is read into a spool until it is closed.
pub(crate) struct Stream {
    pipe: Option<OwnedFd>,
    spool: Spool,
    lost: Option<io::Error>,
}

/// How much of an output that can't be kept any more is read at a time.
const DISCARD: usize = 64 * 1024;

impl Stream {
    /// A stream without a pipe (it is not captured) is closed from the start.
    pub(crate) fn new(pipe: Option<OwnedFd>, spool: Spool) -> Stream {
        Stream { pipe, spool, lost: None }
    }

    /// What to wait for; `None` once it is closed.
    pub(crate) fn event(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.pipe.is_none()
    }

    pub(crate) fn close(&mut self) {
        self.pipe = None;
    }

    /// Reads what lies in the pipe now, and no more: whoever holds it may write for ever.
    pub(crate) fn catch_up(&mut self) {
        let mut left = self.event().map_or(0, sys::readable_bytes);
        while left > 0 && !self.is_closed() {
            left = left.saturating_sub(self.pump() as u64);
        }
    }

    /// Reads what is there, once, and says how much that was. Call it when the pipe is readable, else it blocks.
    ///
    /// Where the spool can't take it, the pipe is read on and what comes is dropped: the job must not
    /// notice (a closed pipe would kill it), and its completion says that output is missing.
    pub(crate) fn pump(&mut self) -> usize {
        let Some(pipe) = &self.pipe else { return 0 };
        let mut discarded = Vec::new();
        let buffer = match self.lost {
            None => self.spool.room(),
            Some(_) => {
                discarded.reserve(DISCARD);
                &mut discarded
            }
        };
        let result = sys::read(pipe.as_fd(), buffer);
        let count = *result.as_ref().unwrap_or(&0);
        if count == 0 {
            self.close();
        }
        if let Err(error) = result.and_then(|_| self.spool.settle()) {
            self.lost.get_or_insert(error);
        }
        count
    }

    /// What was read, and what went wrong on the way.
    pub(crate) fn finish(mut self) -> (Spool, Option<io::Error>) {
        self.spool.close();
        (self.spool, self.lost)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::spool::SpoolFile;

    #[test]
    fn catching_up_reads_all_that_is_there_and_does_not_wait_for_more() {
        let (pipe, writer) = rustix::pipe::pipe().unwrap();
        let file = Arc::new(SpoolFile::new(std::env::temp_dir(), 10_000));
        let mut stream = Stream::new(Some(pipe), Spool::in_file(file));
        let written = rustix::io::write(&writer, &vec![b'x'; 50_000]).unwrap();
        stream.catch_up();
        assert!(!stream.is_closed());
        drop(writer);
        stream.catch_up();
        let (spool, lost) = stream.finish();
        assert_eq!((spool.len(), lost.is_none()), (written as u64, true));
    }
}
