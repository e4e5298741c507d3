//! Anonymous files in memory, holes in files, pipes, and events, with what Linux offers beyond POSIX.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::{FallocateFlags, MemfdFlags, memfd_create};
use rustix::pipe::{SpliceFlags, fcntl_getpipe_size, fcntl_setpipe_size};

use crate::sys::failure::Failure;
use crate::sys::linux::fallback::{KernelFeature, only_posix};
use crate::sys::unix;
static MEMFD: KernelFeature = KernelFeature::new();

/// An anonymous file in memory with these bytes, positioned at its start; a temporary file if memfds are refused.
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

/// Frees the blocks of a part of a file, which then reads as zeros.
pub(crate) fn punch_hole(file: &File, offset: u64, length: u64) {
    if !only_posix() {
        // Not every file system supports it; then the space is used again by other extents.
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        let _ = rustix::fs::fallocate(file, flags, offset, length);
    }
}

/// Moves bytes from a pipe to a place in a file once, without copying them to our memory. 0 is the end. After an error
/// nothing has moved; the error may be about the pipe or the file.
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

/// Enlarges a pipe to at least this size, if that is allowed.
pub(crate) fn grow_pipe(pipe: BorrowedFd<'_>, size: usize) {
    // The job may have enlarged it already.
    if !only_posix() && fcntl_getpipe_size(pipe).is_ok_and(|now| now < size) {
        // Refused if all pipes of the user have reached their limit, or this one its own: it works at its present size.
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
            // Can only fail with EAGAIN, if the counter is at its maximum: then it is raised already.
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
