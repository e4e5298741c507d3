//! Numbers of descriptors: how many there may be, and which of them a descriptor gets.
//! What they are descriptors of is not known here.
//! Waiting for descriptors: poll(2), the same on every system.
//! What they are descriptors of is not known here.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};
use std::{io, thread};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

/// How many descriptors this process may have.
pub(crate) fn allowed_descriptors() -> u64 {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// The descriptor with a number above 2, where a caller has closed one of the first three: what becomes a
/// child's standard descriptors one after the other must be none of them itself.
pub(crate) fn above_standard(fd: OwnedFd) -> io::Result<OwnedFd> {
    match fd.as_raw_fd() {
        0..=2 => Ok(rustix::io::fcntl_dupfd_cloexec(&fd, 3)?),
        _ => Ok(fd),
    }
}

/// Below this are the descriptors that a child copies until it has its own three.
const HIGH: i32 = 64;

/// The descriptor with a high number below `ceiling`, where one may be had: it is kept for long, and the low ones are for starts.
pub(crate) fn out_of_the_way(fd: OwnedFd, ceiling: RawFd) -> OwnedFd {
    match fd.as_raw_fd() {
        // Refused where so high a number isn't allowed, or none is left.
        0..HIGH => match rustix::io::fcntl_dupfd_cloexec(&fd, HIGH) {
            Ok(high) if high.as_raw_fd() < ceiling => high,
            _ => fd,
        },
        _ => fd,
    }
}

/// What a limit of millions would cost is more than what is left open is worth.
pub(crate) const MOST_CLOSED: i32 = 65_536;

/// One more than the highest descriptor that is looked at, where all that are open are to be found by trying.
pub(crate) fn end_of_descriptors() -> i32 {
    i32::try_from(allowed_descriptors()).unwrap_or(MOST_CLOSED).min(MOST_CLOSED)
}

/// What poll(2) says of a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Readiness {
    Quiet,
    /// Reading won't block, and may bring something.
    Readable,
    /// Nothing is left to read and nobody can write any more.
    HungUp,
}

/// Waits until one of `sources` has news or `deadline` has passed, and says which have. May come back early
/// with nothing. The places in the array stay the same; `None` is not waited for and always quiet.
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
            // Out of memory, see poll(2). Trying again is right; trying again at once would spin.
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

/// Waits until the descriptor is readable, or `at_most` this long.
pub(crate) fn wait_readable(fd: BorrowedFd<'_>, at_most: Option<Duration>) {
    // A time too far away for the clock is as good as for ever.
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
