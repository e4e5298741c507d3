//! Tries each system call that procpool can't do without, before anything begins, in a way that has no
//! effect.
//!
//! If a seccomp(2) filter refuses one, the C library may abort in the middle of a run (futex), the pool may
//! spin or hang (ppoll), or the guardian may lose its child (wait4). Here it becomes an error that names the
//! call. All of them together take a few microseconds.

use std::fmt;
use std::io;
use std::ptr;

use nix::libc::{self, c_long};

/// A system call that is refused.
#[derive(Debug)]
pub(crate) struct BlockedCall {
    call: &'static str,
    error: io::Error,
}

impl fmt::Display for BlockedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}(2): {}; a filter of system calls (seccomp) that allows it is needed",
            self.call, self.error
        )
    }
}

impl std::error::Error for BlockedCall {}

/// A call without effect.
struct Probe {
    call: &'static str,
    number: c_long,
    arguments: [c_long; 6],
    answer: Expected,
}

/// The result if nothing refuses the call.
enum Expected {
    Success,
    Error(i32),
    /// Rust's runtime does without if it is missing or forbidden, and panics at any other error.
    Dispensable,
}

/// # Errors
/// The first call that is refused.
pub(crate) fn try_all() -> Result<(), BlockedCall> {
    let word = 0_u32;
    let no_time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let nowhere = -1;
    let null = 0;
    // No process has this number (PID_MAX_LIMIT, proc(5)).
    let nobody = c_long::from(i32::MAX);
    let word = address(&raw const word);
    let no_time = address(&raw const no_time);
    let bad = || Expected::Error(libc::EBADF);
    let probes = [
        // First, because no message can be written without it.
        probe("write", libc::SYS_write, &[nowhere, null, 0], bad()),
        probe("read", libc::SYS_read, &[nowhere, null, 0], bad()),
        probe("close", libc::SYS_close, &[nowhere], bad()),
        probe("brk", libc::SYS_brk, &[null], Expected::Success),
        probe("mprotect", libc::SYS_mprotect, &[null, 0, 0], Expected::Success),
        probe(
            "futex",
            libc::SYS_futex,
            &[word, (libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG).into(), 0],
            Expected::Success,
        ),
        probe(
            "rt_sigaction",
            libc::SYS_rt_sigaction,
            &[libc::SIGCHLD.into(), null, null, 8],
            Expected::Success,
        ),
        probe(
            "rt_sigprocmask",
            libc::SYS_rt_sigprocmask,
            &[libc::SIG_BLOCK.into(), null, null, 8],
            Expected::Success,
        ),
        probe("ppoll", libc::SYS_ppoll, &[null, 0, no_time, null, 8], Expected::Success),
        probe("fcntl", libc::SYS_fcntl, &[nowhere, libc::F_GETFD.into()], bad()),
        probe("sendto", libc::SYS_sendto, &[nowhere, null, 0, 0, null, 0], bad()),
        probe("recvfrom", libc::SYS_recvfrom, &[nowhere, null, 0, 0, null, null], bad()),
        probe(
            "wait4",
            libc::SYS_wait4,
            &[nobody, null, libc::WNOHANG.into(), null],
            Expected::Error(libc::ECHILD),
        ),
        probe(
            "clock_nanosleep",
            libc::SYS_clock_nanosleep,
            &[libc::CLOCK_MONOTONIC.into(), 0, no_time, null],
            Expected::Success,
        ),
        probe(
            "getrandom",
            libc::SYS_getrandom,
            &[null, 0, libc::GRND_NONBLOCK.into()],
            Expected::Dispensable,
        ),
        probe("uname", libc::SYS_uname, &[null], Expected::Error(libc::EFAULT)),
        probe("getppid", libc::SYS_getppid, &[], Expected::Success),
        probe(
            "prlimit64",
            libc::SYS_prlimit64,
            &[0, c_long::from(libc::RLIMIT_NOFILE), null, null],
            Expected::Success,
        ),
    ];
    probes.iter().try_for_each(Probe::make).and_then(|()| map_a_page())
}

fn probe(call: &'static str, number: c_long, given: &[c_long], answer: Expected) -> Probe {
    let mut arguments = [0; 6];
    arguments[..given.len()].copy_from_slice(given);
    Probe { call, number, arguments, answer }
}

fn address<T>(value: *const T) -> c_long {
    value as c_long
}

impl Probe {
    fn make(&self) -> Result<(), BlockedCall> {
        let given = self.arguments;
        #[expect(unsafe_code, reason = "a call by its number")]
        // SAFETY: none of these calls has an effect: descriptors are invalid, sizes are zero, no result is
        // written to memory, and the memory that is read are two live locals of the caller.
        let answer =
            unsafe { libc::syscall(self.number, given[0], given[1], given[2], given[3], given[4], given[5]) };
        let error = io::Error::last_os_error();
        match self.answer {
            Expected::Success if answer < 0 => Err(BlockedCall { call: self.call, error }),
            Expected::Error(expected) if answer < 0 && error.raw_os_error() != Some(expected) => {
                Err(BlockedCall { call: self.call, error })
            }
            Expected::Dispensable if answer < 0 && !is_absence(&error) => {
                Err(BlockedCall { call: self.call, error })
            }
            _ => Ok(()),
        }
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM))
}

/// mmap and munmap, as for a thread's stack.
fn map_a_page() -> Result<(), BlockedCall> {
    const PAGE: usize = 4096;
    let refused = |call| move |()| BlockedCall { call, error: io::Error::last_os_error() };
    #[expect(unsafe_code, reason = "mmap(2) gives a pointer")]
    // SAFETY: the kernel chooses the address, so no mapping is replaced; what is unmapped was just mapped and
    // is not shared.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let page = libc::mmap(ptr::null_mut(), PAGE, libc::PROT_NONE, flags, -1, 0);
        if page == libc::MAP_FAILED { Err(()) } else { Ok(()) }.map_err(refused("mmap"))?;
        if libc::munmap(page, PAGE) == 0 { Ok(()) } else { Err(()) }.map_err(refused("munmap"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_is_refused_nothing_is_missing() {
        try_all().unwrap();
    }

    #[test]
    fn another_answer_than_the_kernels_is_a_refusal() {
        let refused = probe("close", libc::SYS_close, &[-1], Expected::Error(libc::EIO)).make().unwrap_err();
        let told = refused.to_string();
        assert!(told.starts_with("close(2): Bad file descriptor"), "{told}");
    }
}
