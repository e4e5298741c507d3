//! Reaps a process by its pidfd, so that no other is met that has got its number.
//! How it is decided that it is time for that is not known here.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::c_long;
use rustix::process::Pid;

use crate::data::status::{Status, Usage};
use crate::sys::kernel_feature::KernelFeature;
use crate::sys::unix;
use crate::sys::wait_status::{StatusTaken, exited, killed_by, usage};

/// Linux 5.4.
static BY_PIDFD: KernelFeature = KernelFeature::new();

/// `struct rusage` of the kernel, whatever the C library makes of it: two times, the most memory in kilobytes of 1024
/// bytes, and what is not asked for.
#[repr(C)]
struct KernelRusage {
    user: [c_long; 2],
    system: [c_long; 2],
    most_memory: c_long,
    rest: [c_long; 13],
}

/// Waits for the process to end, reaps it and says how it ended and what it used.
pub(crate) fn reap(pid: Pid, pidfd: BorrowedFd<'_>) -> Result<(Status, Usage), StatusTaken> {
    match BY_PIDFD.attempt(|| reap_by_pidfd(pidfd)) {
        Some(result) => result.map_err(|_| StatusTaken),
        None => unix::process::reap(pid),
    }
}

/// An error can only be ECHILD, or that it can't be asked so.
fn reap_by_pidfd(pidfd: BorrowedFd<'_>) -> io::Result<(Status, Usage)> {
    let mut told = MaybeUninit::<libc::siginfo_t>::zeroed();
    let mut used = KernelRusage { user: [0; 2], system: [0; 2], most_memory: 0, rest: [0; 13] };
    loop {
        // SAFETY: both pointers are to live locals of the types that waitid(2) writes.
        #[expect(unsafe_code, reason = "only the bare call tells what one child used")]
        let result = unsafe {
            libc::syscall(
                libc::SYS_waitid,
                libc::P_PIDFD,
                pidfd.as_raw_fd(),
                told.as_mut_ptr(),
                libc::WEXITED,
                &raw mut used,
            )
        };
        if result == 0 {
            break;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    // SAFETY: all-zero bytes are a valid siginfo_t, waitid(2) succeeded, and of a child it always has a status.
    #[expect(unsafe_code, reason = "the other half of waitid")]
    let (how, status) = unsafe {
        let told = told.assume_init();
        (told.si_code, told.si_status())
    };
    let status = if how == libc::CLD_EXITED { exited(status) } else { killed_by(status) };
    #[allow(
        clippy::useless_conversion,
        clippy::allow_attributes,
        reason = "each processor has its own width"
    )]
    let pair = |[seconds, microseconds]: [c_long; 2]| (i64::from(seconds), i64::from(microseconds));
    let peak = u64::try_from(used.most_memory).unwrap_or(0) * 1024;
    debug_assert!(used.rest.len() == 13, "the kernel has written into this too");
    Ok((status, usage(pair(used.user), pair(used.system), peak)))
}
