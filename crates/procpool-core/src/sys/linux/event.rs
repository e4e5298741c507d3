//! An event that many wait for: an eventfd(2), else a pipe. Not readable until it is raised, readable ever after.
//! What it is raised for is not known here.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{EventfdFlags, eventfd};

use crate::sys::unix;
use crate::sys::way::Way;

static EVENTFD: Way = Way::new();

#[derive(Debug)]
pub(crate) enum Event {
    Counter(OwnedFd),
    Pipe(unix::event::Event),
}

impl Event {
    pub(crate) fn new() -> io::Result<Event> {
        let counter = || Ok(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        match EVENTFD.attempt(counter) {
            Some(counter) => counter.map(Event::Counter),
            None => unix::event::Event::new().map(Event::Pipe),
        }
    }

    pub(crate) fn raise(&self) {
        match self {
            // It can only fail with EAGAIN, once the counter is at its top: then it has been raised already.
            Event::Counter(counter) => drop(rustix::io::write(counter, &1_u64.to_ne_bytes())),
            Event::Pipe(pipe) => pipe.raise(),
        }
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Event::Counter(counter) => counter.as_fd(),
            Event::Pipe(pipe) => pipe.as_fd(),
        }
    }
}
