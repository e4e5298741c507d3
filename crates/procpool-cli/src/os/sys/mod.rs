//! The few calls of the system that no crate makes without `unsafe`.
//! Knows nothing of jobs and runs.

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

/// Makes two processes of this one.
///
/// # Panics
/// Where there is a second thread, as far as `/proc` tells: the child would have its locks and not the thread.
pub(crate) fn fork() -> io::Result<ForkResult> {
    debug_assert!(
        fs::read_dir("/proc/self/task").map_or(1, Iterator::count) == 1,
        "BUG: a fork among threads"
    );
    #[expect(unsafe_code, reason = "fork is")]
    // SAFETY: there is one thread, so the child may do whatever this one may.
    let side = unsafe { nix::unistd::fork() };
    Ok(side?)
}

/// Whether this process ignores the signal.
pub(crate) fn is_ignored(signal: i32) -> bool {
    #[expect(unsafe_code, reason = "a disposition is a pointer to code")]
    // SAFETY: nothing is set, for the first pointer is null; the other is to a live local of the type that the call fills.
    // All-zero bytes are a valid sigaction, with the default disposition.
    unsafe {
        let mut now: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, ptr::null(), &raw mut now) == 0 && now.sa_sigaction == libc::SIG_IGN
    }
}

/// Does what the signal does to a program that doesn't care: ends this process by it, or stops it until it is
/// continued. Returns then, or where the kernel drops the signal (a stop of an orphaned process group).
pub(crate) fn take_default_action(signal: i32) {
    take_default_action_where(signal, || true, || ());
}

/// The same, where `is_wanted` still holds when the signal waits already: a CONT that comes from then on takes it back. Does
/// `before_others` where it returns, before the signal has any other action again.
pub(crate) fn take_default_action_where(
    signal: i32,
    is_wanted: impl FnOnce() -> bool,
    before_others: impl FnOnce(),
) {
    if signal == libc::SIGQUIT {
        // Its default writes a core file, and nobody wants procpool's.
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        let _ = setrlimit(Resource::Core, none);
    }
    #[expect(unsafe_code, reason = "a disposition is a pointer to code")]
    // SAFETY: all-zero bytes are a valid sigaction and a valid set; every pointer is to a live local of the type
    // that the call asks for. The disposition that is put back was the process's own.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let mut before: libc::sigaction = std::mem::zeroed();
        let mut set: libc::sigset_t = std::mem::zeroed();
        let mut blocked: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, signal);
        // Raised while it is held back, so that one that another thread or the terminal has sent meanwhile stops
        // this process in its place and not before it: CONT takes back all that are still held back.
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, &raw mut blocked);
        libc::raise(signal);
        // What waits is dropped where it is to be ignored.
        action.sa_sigaction = if is_wanted() { libc::SIG_DFL } else { libc::SIG_IGN };
        libc::sigaction(signal, &raw const action, &raw mut before);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, ptr::null_mut());
        before_others();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const blocked, ptr::null_mut());
        libc::sigaction(signal, &raw const before, ptr::null_mut());
    }
}

/// The descriptor that procpool was started with and is to write to, beyond the standard three.
static INHERITED: OnceLock<RawFd> = OnceLock::new();

/// Notes whether this descriptor is there, before any of procpool's own may get its number. Jobs get the standard three only.
pub(crate) fn note_descriptor(number: RawFd) {
    if fcntl_getfd(borrow(number)).is_ok() {
        let _ = INHERITED.set(number);
    }
}

/// A descriptor for what procpool was given to write to under this number.
///
/// # Errors
/// Where it was given nothing, or nothing to write to.
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

/// For one call: whoever has opened it is not here to close it.
fn borrow<'a>(number: RawFd) -> BorrowedFd<'a> {
    #[expect(unsafe_code, reason = "a descriptor that nobody here owns")]
    // SAFETY: the number is none of a descriptor that procpool has opened, so nobody here closes it; where it is
    // no longer open the call says so.
    unsafe {
        BorrowedFd::borrow_raw(number)
    }
}
