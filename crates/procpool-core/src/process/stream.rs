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

    /// Reads what is there, once. Call it when the pipe is readable, else it blocks.
    ///
    /// Where the spool can't take it, the pipe is read on and what comes is dropped: the job must not
    /// notice (a closed pipe would kill it), and its completion says that output is missing.
    pub(crate) fn pump(&mut self) {
        let Some(pipe) = &self.pipe else { return };
        let mut discarded = Vec::new();
        let buffer = match self.lost {
            None => self.spool.room(),
            Some(_) => {
                discarded.reserve(DISCARD);
                &mut discarded
            }
        };
        let result = match sys::read(pipe.as_fd(), buffer) {
            Ok(0) => {
                self.close();
                Ok(())
            }
            Ok(_) => self.spool.settle(),
            Err(error) => {
                self.close();
                Err(error)
            }
        };
        if let Err(error) = result {
            self.lost.get_or_insert(error);
        }
    }

    /// What was read, and what went wrong on the way.
    pub(crate) fn finish(mut self) -> (Spool, Option<io::Error>) {
        self.spool.close();
        (self.spool, self.lost)
    }
}
