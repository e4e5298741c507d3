//! Waiting for descriptors: poll(2), the same on every system.
//! What they are descriptors of is not known here.

use std::os::fd::BorrowedFd;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

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
