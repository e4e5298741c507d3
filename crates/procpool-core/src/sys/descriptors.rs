//! Descriptors: how many there may be, which numbers they get, pipes, and how to wait for them (poll(2)).

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};
use std::{io, thread};

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use crate::sys::failure::Failure;

/// The soft limit of descriptors of this process.
pub(crate) fn allowed_descriptors() -> u64 {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Moves a descriptor to a number above 2, in case the caller has closed one of the first three: a descriptor that is to
/// become a child's standard descriptor must not be one of them itself.
pub(crate) fn above_standard(fd: OwnedFd) -> io::Result<OwnedFd> {
    match fd.as_raw_fd() {
        0..=2 => Ok(rustix::io::fcntl_dupfd_cloexec(&fd, 3)?),
        _ => Ok(fd),
    }
}

/// Descriptors below this are copied to a child until it has its own three.
const HIGH: i32 = 64;

/// Moves a descriptor to a high number below `ceiling`, if there is one: it is kept for long, and starts need the low numbers.
pub(crate) fn out_of_the_way(fd: OwnedFd, ceiling: RawFd) -> OwnedFd {
    match fd.as_raw_fd() {
        // Fails if such a high number isn't allowed, or none is left.
        0..HIGH => match rustix::io::fcntl_dupfd_cloexec(&fd, HIGH) {
            Ok(high) if high.as_raw_fd() < ceiling => high,
            _ => fd,
        },
        _ => fd,
    }
}

/// At most this many descriptors are closed one by one: with a limit of millions it would cost more than it is worth.
pub(crate) const MOST_CLOSED: i32 = 65_536;

/// One more than the highest descriptor to check, if open descriptors must be found by trying.
pub(crate) fn end_of_descriptors() -> i32 {
    i32::try_from(allowed_descriptors()).unwrap_or(MOST_CLOSED).min(MOST_CLOSED)
}

/// A pipe: the end to read from and the end to write to. Reading doesn't block: a job that opens its own output through
/// `/proc` may have read what poll(2) has announced. Writing blocks, as every program expects.
pub(crate) fn pipe() -> Result<(OwnedFd, OwnedFd), Failure> {
    let (reader, writer) = close_on_exec_pair().map_err(Failure::of("pipe"))?;
    rustix::fs::fcntl_setfl(&reader, rustix::fs::OFlags::NONBLOCK)
        .map_err(|error| Failure::of("fcntl")(error.into()))?;
    Ok((reader, writer))
}

#[cfg(not(target_vendor = "apple"))]
pub(crate) fn close_on_exec_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?)
}

/// In two calls: a process that another part of the program starts in between inherits the pipe.
#[cfg(target_vendor = "apple")]
pub(crate) fn close_on_exec_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = rustix::pipe::pipe()?;
    for end in [&reader, &writer] {
        rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
    }
    Ok((reader, writer))
}

/// Reads once into the spare capacity of `buffer`, which must not be empty. 0 is the end.
pub(crate) fn read(fd: BorrowedFd<'_>, buffer: &mut Vec<u8>) -> io::Result<usize> {
    Ok(rustix::io::retry_on_intr(|| rustix::io::read(fd, spare_capacity(buffer)))?)
}

/// How many unread bytes a pipe holds.
pub(crate) fn readable_bytes(pipe: BorrowedFd<'_>) -> u64 {
    // Can't fail for a pipe.
    rustix::io::ioctl_fionread(pipe).unwrap_or(0)
}

/// What poll(2) reports for a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Readiness {
    Quiet,
    /// Reading won't block.
    Readable,
    /// Everything was read and all writers are gone.
    HungUp,
}

/// Waits until one of `sources` is ready or `deadline` has passed, and returns the readiness of each. May return early
/// without any. A source that is `None` is not waited for and stays quiet.
pub(crate) fn wait_any<const N: usize>(
    sources: [Option<BorrowedFd<'_>>; N],
    deadline: Option<Instant>,
) -> [Readiness; N] {
    let mut polled: Vec<PollFd<'_>> = Vec::with_capacity(N);
    polled.extend(sources.iter().flatten().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)));
    let timeout = deadline.map(|deadline| timespec(deadline.saturating_duration_since(Instant::now())));
    match rustix::event::poll(&mut polled, timeout.as_ref()) {
        Ok(_) => {}
        Err(Errno::INTR) => return [Readiness::Quiet; N],
        Err(_) => {
            // Out of memory, see poll(2). Try again, but not at once, which would spin.
            thread::sleep(Duration::from_millis(1));
            return [Readiness::Quiet; N];
        }
    }
    let mut answers = polled.iter().map(|fd| {
        if fd.revents().contains(PollFlags::IN) {
            Readiness::Readable
        } else if fd.revents().is_empty() {
            Readiness::Quiet
        } else {
            Readiness::HungUp
        }
    });
    sources.map(|source| source.and_then(|_| answers.next()).unwrap_or(Readiness::Quiet))
}

/// Waits until the descriptor is readable, for at most `at_most`.
pub(crate) fn wait_readable(fd: BorrowedFd<'_>, at_most: Option<Duration>) {
    // A time beyond the range of the clock means forever.
    let deadline = at_most.and_then(|at_most| Instant::now().checked_add(at_most));
    while wait_any([Some(fd)], deadline) == [Readiness::Quiet] {
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return;
        }
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}
