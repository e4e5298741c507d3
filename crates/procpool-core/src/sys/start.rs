//! Starts a process in the caller's memory, as vfork(2) does: nothing of it is copied.
//! Knows nothing of where a program is found or what an error means.

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_uint, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::io::retry_on_intr;
use rustix::process::{Pid, Resource, WaitOptions, getrlimit, waitpid};

/// What a process is started with, in the form in which the system takes it.
pub(crate) struct Image<'a> {
    pub(crate) program: &'a CStr,
    /// `argv`, with the program's name first.
    pub(crate) arguments: &'a [CString],
    /// `NAME=VALUE` each.
    pub(crate) environment: &'a [&'a CStr],
    pub(crate) directory: Option<&'a CStr>,
    /// Standard input, output and error; `None` is the caller's own. None of them may be descriptor 0, 1 or 2.
    pub(crate) streams: [Option<BorrowedFd<'a>>; 3],
    /// Its soft limit of descriptors; `None` is the caller's.
    pub(crate) descriptor_limit: Option<u64>,
}

/// All that the child needs, ready for its system calls: it must neither allocate nor lock.
struct Birth {
    program: *const c_char,
    arguments: *const *const c_char,
    environment: *const *const c_char,
    /// Null for the caller's.
    directory: *const c_char,
    /// -1 for the caller's.
    streams: [c_int; 3],
    descriptors: Option<libc::rlimit>,
    /// Written by the child where it fails: the error's number.
    trouble: AtomicI32,
}

/// The child runs on this, on the caller's own stack: the kernel holds the caller up until the child has become its program
/// or has ended (`CLONE_VFORK`, clone(2)). Its few calls need a tenth of it.
type Stack = [u128; 1024];

/// Starts it as the leader of a session and a process group of its own, with every signal at its default and none
/// blocked, whatever the caller has inherited, and with no descriptor but the standard three. Gives its number, and
/// a descriptor that becomes readable when it ends.
///
/// In a session of its own the process has no terminal, so that `/dev/tty` fails at once (`ENXIO`, tty(4)) where
/// reading it from a background group would stop it.
///
/// `posix_spawn(3)` does the same, and takes half as long again where several threads start processes at once: it maps
/// and unmaps a stack for each child, which halts all threads of the process for a moment, and asks for the limit
/// of descriptors seven times. std's `Command` starts no session and resets no signals without `fork(2)`.
pub(crate) fn start(image: &Image<'_>) -> io::Result<(Pid, OwnedFd)> {
    let arguments = pointers(image.arguments.iter().map(CString::as_c_str));
    let environment = pointers(image.environment.iter().copied());
    let birth = Birth {
        program: image.program.as_ptr(),
        arguments: arguments.as_ptr(),
        environment: environment.as_ptr(),
        directory: image.directory.map_or(ptr::null(), CStr::as_ptr),
        streams: image.streams.map(|stream| stream.map_or(-1, |stream| stream.as_raw_fd())),
        descriptors: image.descriptor_limit.map(own_limit),
        trouble: AtomicI32::new(0),
    };
    debug_assert!(!birth.streams.iter().any(|fd| (0..3).contains(fd)), "a later stream would be overwritten");
    let (pid, pidfd) = bear(&birth)?;
    match birth.trouble.load(Ordering::Acquire) {
        0 => Ok((pid, pidfd)),
        error => {
            // It has ended already.
            let _ = retry_on_intr(|| waitpid(Some(pid), WaitOptions::empty()));
            Err(io::Error::from_raw_os_error(error))
        }
    }
}

/// A list as execve(2) wants it.
fn pointers<'a>(strings: impl Iterator<Item = &'a CStr>) -> Vec<*const c_char> {
    strings.map(CStr::as_ptr).chain([ptr::null()]).collect()
}

fn own_limit(soft: u64) -> libc::rlimit {
    let hard = getrlimit(Resource::Nofile).maximum;
    libc::rlimit {
        rlim_cur: hard.map_or(soft, |hard| soft.min(hard)),
        rlim_max: hard.unwrap_or(libc::RLIM_INFINITY),
    }
}

/// Comes back once the child has become its program, or has failed to and ended.
#[expect(unsafe_code, reason = "no library starts a process in the caller's memory but by posix_spawn")]
fn bear(birth: &Birth) -> io::Result<(Pid, OwnedFd)> {
    const FLAGS: c_int =
        libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_FILES | libc::CLONE_PIDFD | libc::SIGCHLD;
    let mut stack = MaybeUninit::<Stack>::uninit();
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    let mut pidfd: c_int = -1;
    // SAFETY: both sets are filled in before they are read, see sigsetops(3) and pthread_sigmask(3). The stack, `birth` and
    // what that points to live until clone(2) comes back, which it does when the child has left this memory. The
    // child's own part is `become_program`. No handler of the caller's runs in the child, for every signal is
    // blocked from before its start until it has no handlers.
    let (pid, error) = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr());
        let pid = libc::clone(
            become_program,
            stack.as_mut_ptr().add(1).cast(),
            FLAGS,
            ptr::from_ref(birth).cast_mut().cast(),
            &raw mut pidfd,
        );
        let error = io::Error::last_os_error();
        libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut());
        (pid, error)
    };
    if pid == -1 {
        return Err(error);
    }
    // SAFETY: clone(2) has just made it, for us.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok((Pid::from_raw(pid).expect("BUG: a child without a number"), pidfd))
}

/// What runs in the child. Nothing but system calls: another thread may hold any lock of this memory.
extern "C" fn become_program(birth: *mut c_void) -> c_int {
    // SAFETY: it is what `bear` has given, and lives until this process has left its memory.
    #[expect(unsafe_code, reason = "the argument of clone")]
    let birth = unsafe { &*birth.cast::<Birth>() };
    let error = execute(birth);
    birth.trouble.store(error, Ordering::Release);
    // SAFETY: it ends this process and touches no memory.
    #[expect(unsafe_code, reason = "no destructor and no handler of the caller's may run here")]
    unsafe {
        libc::_exit(127)
    }
}

/// The first descriptor that is none of the standard three.
const FIRST_OTHER: c_int = 3;

/// The kernel's own count, for which the C library has no name: `_NSIG` in signal.h, less one.
const SIGNALS: c_long = 64;

/// Comes back with the error's number.
#[expect(unsafe_code, reason = "system calls between clone and exec")]
fn execute(birth: &Birth) -> c_int {
    // `struct sigaction` of the kernel: default, without flags, nothing blocked.
    let default = [0_u64; 8];
    // SAFETY: each pointer is to a live object of the type that the call reads, or null where that is allowed; none
    // of the calls writes to memory but to errno, which the caller doesn't read where clone(2) has succeeded.
    unsafe {
        for signal in 1..=SIGNALS {
            // KILL and STOP are refused, rightly. Not by sigaction(3), which spares the two that the C library keeps for
            // itself: those would stay ignored in whatever the child becomes.
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                default.as_ptr(),
                ptr::null::<u64>(),
                size_of::<u64>(),
            );
        }
        libc::setsid();
        if !take_own_descriptors(&birth.streams) {
            return errno();
        }
        for (target, source) in (0..).zip(birth.streams) {
            if source >= 0 && libc::dup2(source, target) == -1 {
                return errno();
            }
        }
        close_others();
        if let Some(limit) = &birth.descriptors {
            // A limit that may not be set is no reason not to run.
            libc::setrlimit(libc::RLIMIT_NOFILE, limit);
        }
        if !birth.directory.is_null() && libc::chdir(birth.directory) == -1 {
            return errno();
        }
        let mut none = MaybeUninit::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
        libc::execve(birth.program, birth.arguments, birth.environment);
    }
    errno()
}

/// Gives the child a table of descriptors of its own, with those that it needs and none above; before that it shares its
/// parent's, and must not change it. Where a thousand jobs run there are thousands: to copy them all, as fork(2) does,
/// and to close them again took a fifth of a start.
#[expect(unsafe_code, reason = "rustix has no close_range")]
fn take_own_descriptors(needed: &[c_int; 3]) -> bool {
    let highest = needed.iter().copied().fold(FIRST_OTHER - 1, c_int::max);
    // SAFETY: neither call touches memory.
    unsafe {
        libc::syscall(libc::SYS_close_range, highest + 1, c_uint::MAX, libc::CLOSE_RANGE_UNSHARE) == 0
            // Linux before 5.9.
            || libc::unshare(libc::CLONE_FILES) == 0
    }
}

/// Close-on-exec alone is too late: the kernel lets the parent of a vfork(2) go on *before* it closes those descriptors
/// in the child, and on a busy machine the child then holds copies of other jobs' pipes for a tenth of a second. That
/// looks like a leak. And what somebody else has left open without that flag is closed too.
#[expect(unsafe_code, reason = "rustix has no close_range, and closes no descriptor that nobody owns")]
fn close_others() {
    // SAFETY: the child has a table of descriptors of its own, and uses none of these. The limits are written to a live
    // local of the type that getrlimit(2) fills in.
    unsafe {
        if libc::syscall(libc::SYS_close_range, FIRST_OTHER, c_uint::MAX, 0) == 0 {
            return;
        }
        // Linux before 5.9.
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        for fd in FIRST_OTHER..c_int::try_from(limit.rlim_cur).unwrap_or(MOST_CLOSED).min(MOST_CLOSED) {
            libc::close(fd);
        }
    }
}

/// What a limit of millions would cost is more than what is left open is worth.
const MOST_CLOSED: c_int = 65_536;

fn errno() -> c_int {
    io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}
