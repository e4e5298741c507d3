//! Files without a name: in memory, where that is allowed, and their holes.
//! What is in them is not known here.
//! Pipes, and what only Linux does with one.
//! What flows through them is not known here.
//! An event that many wait for: an eventfd(2), else a pipe. Not readable until it is raised, readable ever after.
//! What it is raised for is not known here.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::{FallocateFlags, MemfdFlags, memfd_create};
use rustix::pipe::{SpliceFlags, fcntl_getpipe_size, fcntl_setpipe_size};

use crate::sys::failure::Failure;
use crate::sys::linux::fallback::{KernelFeature, only_posix};
use crate::sys::unix;
pub(crate) use crate::sys::unix::files::pipe;

static MEMFD: KernelFeature = KernelFeature::new();

/// A file in memory, nowhere in the file system, that holds these bytes and stands at its start; else a temporary one.
pub(crate) fn memory_file(bytes: &[u8]) -> Result<File, Failure> {
    match MEMFD.attempt(|| Ok(memfd_create(c"procpool-stdin", MemfdFlags::CLOEXEC)?)) {
        Some(file) => {
            let mut file = File::from(file.map_err(Failure::of("memfd_create"))?);
            unix::files::fill(&mut file, bytes)?;
            Ok(file)
        }
        None => unix::files::memory_file(bytes),
    }
}

/// Gives the disk space of a part of a file back; the part reads as zeros then.
pub(crate) fn punch_hole(file: &File, offset: u64, length: u64) {
    if !only_posix() {
        // Not every file system can; then the space is used again by the next who needs some.
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        let _ = rustix::fs::fallocate(file, flags, offset, length);
    }
}

/// Moves once from a pipe to a place in a file, past our memory. 0 is the end. Where it fails nothing has
/// moved; the error may be about either side.
pub(crate) fn splice(pipe: BorrowedFd<'_>, file: &File, offset: u64, at_most: usize) -> io::Result<usize> {
    if only_posix() {
        return unix::files::splice(pipe, file, offset, at_most);
    }
    let flags = SpliceFlags::empty();
    Ok(rustix::io::retry_on_intr(|| {
        let mut offset = offset;
        rustix::pipe::splice(pipe, None, file, Some(&mut offset), at_most, flags)
    })?)
}

/// Makes a pipe hold at least so much, where that is allowed.
pub(crate) fn grow_pipe(pipe: BorrowedFd<'_>, size: usize) {
    // A process that wants its own pipe larger can have made it so.
    if !only_posix() && fcntl_getpipe_size(pipe).is_ok_and(|now| now < size) {
        // Refused where the user has too much in pipes already, or pipes may not be as large: it works as it is.
        let _ = fcntl_setpipe_size(pipe, size);
    }
}

static EVENTFD: KernelFeature = KernelFeature::new();

#[derive(Debug)]
pub(crate) enum WakeEvent {
    Counter(OwnedFd),
    Pipe(unix::files::WakeEvent),
}

impl WakeEvent {
    pub(crate) fn new() -> io::Result<WakeEvent> {
        let counter = || Ok(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        match EVENTFD.attempt(counter) {
            Some(counter) => counter.map(WakeEvent::Counter),
            None => unix::files::WakeEvent::new().map(WakeEvent::Pipe),
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
