//! Numbers of descriptors: how many there may be, and which of them a descriptor gets.
//! What they are descriptors of is not known here.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

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
