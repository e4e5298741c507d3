//! The system calls of the command that need `unsafe`.

pub(crate) mod vital;

use std::fs;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::OnceLock;

use nix::libc;
use nix::unistd::ForkResult;
use rustix::fs::{OFlags, fcntl_getfl};
use rustix::io::{Errno, fcntl_dupfd_cloexec, fcntl_getfd};
use rustix::process::{Resource, Rlimit, setrlimit};

/// Forks.
///
/// # Panics
/// In debug builds, if `/proc` shows a second thread: the child would inherit its locks without the thread.
pub(crate) fn fork() -> io::Result<ForkResult> {
    debug_assert!(
        fs::read_dir("/proc/self/task").map_or(1, Iterator::count) == 1,
        "BUG: a fork among threads"
    );
    #[expect(unsafe_code, reason = "fork is")]
    // SAFETY: there is one thread, so the child may do anything.
    let side = unsafe { nix::unistd::fork() };
    Ok(side?)
}

/// Whether this process ignores the signal.
pub(crate) fn is_ignored(signal: i32) -> bool {
    #[expect(unsafe_code, reason = "a disposition is a pointer to code")]
    // SAFETY: nothing is set, for the first pointer is null; the other points to a live local of the right
    // type. All-zero bytes are a valid sigaction, with the default disposition.
    unsafe {
        let mut now: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, ptr::null(), &raw mut now) == 0 && now.sa_sigaction == libc::SIG_IGN
    }
}

/// Takes the signal's default action: ends this process, or stops it. Returns after it was continued, or if
/// the kernel drops the signal (a stop of an orphaned process group).
pub(crate) fn take_default_action(signal: i32) {
    take_default_action_where(signal, || true, || ());
}

/// The same, if `is_wanted` still holds once the signal is pending: from then on a CONT cancels it. Calls
/// `before_others` afterwards, before the old disposition is restored.
pub(crate) fn take_default_action_where(
    signal: i32,
    is_wanted: impl FnOnce() -> bool,
    before_others: impl FnOnce(),
) {
    if signal == libc::SIGQUIT {
        // No core file of procpool itself.
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        let _ = setrlimit(Resource::Core, none);
    }
    #[expect(unsafe_code, reason = "a disposition is a pointer to code")]
    // SAFETY: all-zero bytes are a valid sigaction and a valid set; every pointer points to a live local of
    // the right type. The disposition that is restored was the process's own.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let mut before: libc::sigaction = std::mem::zeroed();
        let mut set: libc::sigset_t = std::mem::zeroed();
        let mut blocked: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, signal);
        // Raised while it is blocked. So a stop that another thread or the terminal sends meanwhile merges
        // with it instead of stopping the process earlier, and CONT cancels both while they are pending.
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, &raw mut blocked);
        libc::raise(signal);
        // Ignoring a pending signal discards it.
        action.sa_sigaction = if is_wanted() { libc::SIG_DFL } else { libc::SIG_IGN };
        libc::sigaction(signal, &raw const action, &raw mut before);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, ptr::null_mut());
        before_others();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const blocked, ptr::null_mut());
        libc::sigaction(signal, &raw const before, ptr::null_mut());
    }
}

/// The inherited descriptor that --events fd:N names.
static INHERITED: OnceLock<RawFd> = OnceLock::new();

/// Notes whether this descriptor is open, before procpool opens one that may get its number. Jobs don't
/// inherit it.
pub(crate) fn note_descriptor(number: RawFd) {
    if fcntl_getfd(borrow(number)).is_ok() {
        let _ = INHERITED.set(number);
    }
}

/// A duplicate of the inherited descriptor with this number.
///
/// # Errors
/// EBADF if it was not open, or not for writing.
pub(crate) fn inherited_for_writing(number: RawFd) -> io::Result<OwnedFd> {
    if INHERITED.get() != Some(&number) {
        return Err(Errno::BADF.into());
    }
    let given = borrow(number);
    if (fcntl_getfl(given)? & OFlags::ACCMODE) == OFlags::RDONLY {
        return Err(Errno::BADF.into());
    }
    Ok(fcntl_dupfd_cloexec(given, 3)?)
}

/// Borrows an inherited descriptor for one call.
fn borrow<'a>(number: RawFd) -> BorrowedFd<'a> {
    #[expect(unsafe_code, reason = "a descriptor that nobody here owns")]
    // SAFETY: procpool has not opened this descriptor, so it does not close it either; if it is closed, the
    // call fails.
    unsafe {
        BorrowedFd::borrow_raw(number)
    }
}
