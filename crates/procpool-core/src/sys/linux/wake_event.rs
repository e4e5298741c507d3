//! An event that many wait for: an eventfd(2), else a pipe. Not readable until it is raised, readable ever after.
//! What it is raised for is not known here.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{EventfdFlags, eventfd};

use crate::sys::kernel_feature::KernelFeature;
use crate::sys::unix;

static EVENTFD: KernelFeature = KernelFeature::new();

#[derive(Debug)]
pub(crate) enum WakeEvent {
    Counter(OwnedFd),
    Pipe(unix::wake_event::WakeEvent),
}

impl WakeEvent {
    pub(crate) fn new() -> io::Result<WakeEvent> {
        let counter = || Ok(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        match EVENTFD.attempt(counter) {
            Some(counter) => counter.map(WakeEvent::Counter),
            None => unix::wake_event::WakeEvent::new().map(WakeEvent::Pipe),
        }
    }

    pub(crate) fn raise(&self) {
        match self {
            // It can only fail with EAGAIN, once the counter is at its top: then it has been raised already.
            WakeEvent::Counter(counter) => drop(rustix::io::write(counter, &1_u64.to_ne_bytes())),
            WakeEvent::Pipe(pipe) => pipe.raise(),
        }
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            WakeEvent::Counter(counter) => counter.as_fd(),
            WakeEvent::Pipe(pipe) => pipe.as_fd(),
        }
    }
}
