//! The few calls of the system that no crate makes without `unsafe`.
//! Knows nothing of guardians, jobs and runs.

use std::fs;
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::ptr;

use nix::libc;
use nix::unistd::ForkResult;
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Resource, Rlimit, setrlimit};

/// Makes two processes of this one.
///
/// # Panics
/// Where there is a second thread: the child would have its locks and not the thread.
pub(crate) fn fork() -> io::Result<ForkResult> {
    let threads = fs::read_dir("/proc/self/task")?.count();
    assert_eq!(threads, 1, "BUG: a fork among threads");
    #[expect(unsafe_code, reason = "fork is")]
    // SAFETY: there is one thread, so the child may do whatever this one may.
    let side = unsafe { nix::unistd::fork() };
    Ok(side?)
}

/// Does what the signal does to a program that doesn't care: ends this process by it, or stops it until it is
/// continued. Returns then, or where the kernel drops the signal (a stop of an orphaned process group).
pub(crate) fn take_default_action(signal: i32) {
    if signal == libc::SIGQUIT {
        // Its default writes a core file, and nobody wants procpool's.
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        let _ = setrlimit(Resource::Core, none);
    }
    #[expect(unsafe_code, reason = "a disposition is a pointer to code")]
    // SAFETY: all-zero bytes are a valid sigaction and a valid set; every pointer is to a live local of the type
    // that the call asks for. The disposition that is put back was the process's own.
    unsafe {
        let mut default: libc::sigaction = std::mem::zeroed();
        default.sa_sigaction = libc::SIG_DFL;
        let mut before: libc::sigaction = std::mem::zeroed();
        let mut set: libc::sigset_t = std::mem::zeroed();
        let mut blocked: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, signal);
        // Raised while it is held back, so that one that another thread or the terminal has sent meanwhile stops
        // this process in its place and not before it: CONT takes back all that are still held back.
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, &raw mut blocked);
        libc::raise(signal);
        libc::sigaction(signal, &raw const default, &raw mut before);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, ptr::null_mut());
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const blocked, ptr::null_mut());
        libc::sigaction(signal, &raw const before, ptr::null_mut());
    }
}

/// Keeps from jobs whatever descriptors procpool was started with, beyond the standard three.
///
/// # Errors
/// Where `/proc` doesn't tell which there are.
pub(crate) fn keep_descriptors() -> io::Result<()> {
    for entry in fs::read_dir("/proc/self/fd")? {
        let number: Option<RawFd> = entry?.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some(number @ 3..) = number {
            #[expect(unsafe_code, reason = "a descriptor that nobody here owns")]
            // SAFETY: it is open (or was a moment ago, and that of this very directory still is), and only its
            // flag is set.
            let fd = unsafe { BorrowedFd::borrow_raw(number) };
            let _ = fcntl_setfd(fd, FdFlags::CLOEXEC);
        }
    }
    Ok(())
}
