//! Signals to a process group by the pidfd of its leader.
//! What the signal is for is not known here.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::data::signal::Signal;
use crate::sys::kernel_feature::KernelFeature;

/// `PIDFD_SIGNAL_PROCESS_GROUP` of linux/pidfd.h, which the libc crate does not have.
const PROCESS_GROUP: libc::c_uint = 1 << 2;

/// Linux 6.9.
static BY_PIDFD: KernelFeature = KernelFeature::new();

/// Sends it to the group that the process of the pidfd leads, and to no other that has got its number since.
pub(crate) fn signal_group(leader: Pid, pidfd: BorrowedFd<'_>, signal: Signal) {
    if BY_PIDFD.is_usable() {
        match signal_by_pidfd(pidfd, signal) {
            // That a group can't be signalled is no reason to think that none can.
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => {}
            // Nobody is there any more.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => return,
            // An older kernel, or a fence, which may say anything.
            Err(_) => BY_PIDFD.mark_refused(),
            Ok(()) => return,
        }
    }
    if is_unreaped(pidfd) {
        // SAFETY: killpg(2) takes two integers and touches no memory of ours.
        #[expect(unsafe_code, reason = "rustix knows no signal by its bare number")]
        // An error can only be ESRCH or EPERM: nobody is there, or all of them have changed their user.
        let _ = unsafe { libc::killpg(leader.as_raw_nonzero().get(), signal.number()) };
    }
}

/// Sends it to the process of the pidfd alone.
pub(crate) fn signal_one(pid: Pid, pidfd: BorrowedFd<'_>, signal: rustix::process::Signal) {
    match rustix::process::pidfd_send_signal(pidfd, signal) {
        // It is gone.
        Ok(()) | Err(Errno::SRCH) => {}
        // It has changed its user, or a fence refuses the call, and may know nothing of the other.
        Err(_) if is_unreaped(pidfd) => {
            let _ = rustix::process::kill_process(pid, signal);
        }
        Err(_) => {}
    }
}

fn signal_by_pidfd(pidfd: BorrowedFd<'_>, signal: Signal) -> io::Result<()> {
    let no_details = ptr::null::<libc::siginfo_t>();
    // SAFETY: the call takes integers, and a null pointer in the place of details.
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

/// Whether nobody has reaped the process, so that its number can't be another's. Where that can't be asked only this crate's
/// own reaping is known of.
fn is_unreaped(pidfd: BorrowedFd<'_>) -> bool {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    !matches!(waitid(WaitId::PidFd(pidfd), look), Err(Errno::CHILD))
}
