//! A process that was started and not yet reaped: held by a pidfd, so that signals and the reaping can't reach another
//! process with the same pid. If there are no pidfds, by its pid, with a thread that waits for it.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::{io, ptr};

use libc::c_long;
use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::data::status::{Signal, Status, Usage};
use crate::sys::descriptors::out_of_the_way;
use crate::sys::linux::fallback::KernelFeature;
use crate::sys::status::{StatusTaken, exited, killed_by, usage};
use crate::sys::unix;

pub(crate) enum ProcessHandle {
    /// A pidfd never means another process, even if other code has reaped this one.
    Held {
        pid: Pid,
        pidfd: OwnedFd,
    },
    Waited(unix::process::ProcessHandle),
}

impl ProcessHandle {
    pub(crate) fn number(&self) -> Pid {
        match self {
            ProcessHandle::Held { pid, .. } => *pid,
            ProcessHandle::Waited(process) => process.number(),
        }
    }

    /// Readable or hung up once the process has ended.
    pub(crate) fn end_event(&self) -> BorrowedFd<'_> {
        match self {
            ProcessHandle::Held { pidfd, .. } => pidfd.as_fd(),
            ProcessHandle::Waited(process) => process.end_event(),
        }
    }

    /// Moves its descriptor to a high number.
    pub(crate) fn out_of_the_way(self, ceiling: RawFd) -> ProcessHandle {
        match self {
            ProcessHandle::Held { pid, pidfd } => {
                ProcessHandle::Held { pid, pidfd: out_of_the_way(pidfd, ceiling) }
            }
            ProcessHandle::Waited(process) => ProcessHandle::Waited(process.out_of_the_way(ceiling)),
        }
    }

    /// Sends a signal to the process group that it leads, never to another group with the same number.
    pub(crate) fn signal_group(&self, signal: Signal) {
        match self {
            ProcessHandle::Held { pid, pidfd } => signal_group(*pid, pidfd.as_fd(), signal),
            ProcessHandle::Waited(process) => process.signal_group(signal),
        }
    }

    /// Sends a signal to this process alone, whichever group it is in.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        match self {
            ProcessHandle::Held { pid, pidfd } => signal_one(*pid, pidfd.as_fd(), signal),
            ProcessHandle::Waited(process) => process.signal(signal),
        }
    }

    /// Waits for its end, reaps it, and returns how it ended and what it used.
    pub(crate) fn reap(&self) -> Result<(Status, Usage), StatusTaken> {
        match self {
            ProcessHandle::Held { pid, pidfd } => reap(*pid, pidfd.as_fd()),
            ProcessHandle::Waited(process) => process.reap(),
        }
    }
}

#[cfg(test)]
impl ProcessHandle {
    /// For a child that was started by other means.
    pub(crate) fn of(number: u32) -> ProcessHandle {
        let pid = Pid::from_raw(number.try_into().unwrap()).unwrap();
        let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap();
        ProcessHandle::Held { pid, pidfd }
    }
}

/// Linux 5.4.
static REAP_BY_PIDFD: KernelFeature = KernelFeature::new();

/// `struct rusage` of the kernel, independent of the C library: two times, the peak memory in units of 1024 bytes, and the rest.
#[repr(C)]
struct KernelRusage {
    user: [c_long; 2],
    system: [c_long; 2],
    most_memory: c_long,
    rest: [c_long; 13],
}

/// Waits for the end of the process, reaps it, and returns how it ended and what it used.
pub(crate) fn reap(pid: Pid, pidfd: BorrowedFd<'_>) -> Result<(Status, Usage), StatusTaken> {
    match REAP_BY_PIDFD.attempt(|| reap_by_pidfd(pidfd)) {
        Some(result) => result.map_err(|_| StatusTaken),
        None => unix::process::reap(pid),
    }
}

/// Fails only with ECHILD, or if this way of waiting is refused.
fn reap_by_pidfd(pidfd: BorrowedFd<'_>) -> io::Result<(Status, Usage)> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let mut used = KernelRusage { user: [0; 2], system: [0; 2], most_memory: 0, rest: [0; 13] };
    loop {
        // SAFETY: both pointers are to live locals of the types that waitid(2) writes.
        #[expect(unsafe_code, reason = "only the bare call tells what one child used")]
        let result = unsafe {
            libc::syscall(
                libc::SYS_waitid,
                libc::P_PIDFD,
                pidfd.as_raw_fd(),
                info.as_mut_ptr(),
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
    // SAFETY: all-zero bytes are a valid siginfo_t, and after waitid(2) has succeeded for a child, it contains a status.
    #[expect(unsafe_code, reason = "the other half of waitid")]
    let (how, status) = unsafe {
        let info = info.assume_init();
        (info.si_code, info.si_status())
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

/// `PIDFD_SIGNAL_PROCESS_GROUP` of linux/pidfd.h, which the libc crate lacks.
const PROCESS_GROUP: libc::c_uint = 1 << 2;

/// Linux 6.9.
static SIGNAL_BY_PIDFD: KernelFeature = KernelFeature::new();

/// Sends a signal to the group that the process of the pidfd leads, and never to another group with the same number.
pub(crate) fn signal_group(leader: Pid, pidfd: BorrowedFd<'_>, signal: Signal) {
    if SIGNAL_BY_PIDFD.is_usable() {
        match signal_by_pidfd(pidfd, signal) {
            // This group can't be signalled, which doesn't mean that the call is refused.
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => {}
            // The group is empty.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => return,
            // An older kernel, or a seccomp filter, which may return any error.
            Err(_) => SIGNAL_BY_PIDFD.mark_refused(),
            Ok(()) => return,
        }
    }
    if is_unreaped(pidfd) {
        // SAFETY: killpg(2) takes two integers and touches no memory of ours.
        #[expect(unsafe_code, reason = "rustix knows no signal by its bare number")]
        // Can only fail with ESRCH or EPERM: the group is empty, or all its processes have changed their user.
        let _ = unsafe { libc::killpg(leader.as_raw_nonzero().get(), signal.number()) };
    }
}

/// Sends a signal to the process of the pidfd alone.
pub(crate) fn signal_one(pid: Pid, pidfd: BorrowedFd<'_>, signal: rustix::process::Signal) {
    match rustix::process::pidfd_send_signal(pidfd, signal) {
        // It is gone.
        Ok(()) | Err(Errno::SRCH) => {}
        // It has changed its user, or a seccomp filter refuses this call and perhaps not kill(2).
        Err(_) if is_unreaped(pidfd) => {
            let _ = rustix::process::kill_process(pid, signal);
        }
        Err(_) => {}
    }
}

fn signal_by_pidfd(pidfd: BorrowedFd<'_>, signal: Signal) -> io::Result<()> {
    let no_details = ptr::null::<libc::siginfo_t>();
    // SAFETY: the call takes integers, and a null pointer instead of a siginfo_t.
    #[expect(unsafe_code, reason = "rustix has this call without its flags")]
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal.number(),
            no_details,
            PROCESS_GROUP,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Whether the process has not been reaped, so that its pid can't be reused. If that can't be asked, only reaping by this crate
/// is taken into account.
fn is_unreaped(pidfd: BorrowedFd<'_>) -> bool {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    !matches!(waitid(WaitId::PidFd(pidfd), look), Err(Errno::CHILD))
}
