//! A child between clone(2) and execve(2), in its parent's memory: what it is given, and what it does there.
//! What comes next where it fails is not known here.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_long, c_uint, c_ulong, c_void};
use std::io;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::process;
use std::ptr;

use rustix::io::retry_on_intr;
use rustix::process::{Pid, Resource, WaitOptions, getrlimit, waitpid};

use crate::sys::descriptors::MOST_CLOSED;
use crate::sys::image::{Image, Orphan};
use crate::sys::linux::ladder::{Call, Rung};
use crate::sys::trouble::is_refusal;
use crate::sys::way::Way;

/// Linux 5.9; Docker before 20.10 says EPERM.
static CLOSE_RANGE: Way = Way::new();
static DEATH_SIGNAL: Way = Way::new();

/// All that the child needs, ready for its system calls: it must neither allocate nor lock.
pub(crate) struct Birth<'a> {
    program: *const c_char,
    arguments: *const *const c_char,
    environment: *const *const c_char,
    /// Null for the caller's.
    directory: *const c_char,
    /// -1 for the caller's.
    streams: [c_int; 3],
    descriptors: Option<libc::rlimit>,
    rung: Rung,
    close_range: Cell<Means>,
    /// 0 where the child lives on without us.
    parent: c_int,
    death_signal: Cell<Means>,
    pidfd: Cell<c_int>,
    /// Written by the child where it fails: at which call, with which error.
    trouble: Cell<Option<(Call, c_int)>>,
    of: PhantomData<&'a ()>,
}

/// Whether a call that there is another way for is made.
#[derive(Clone, Copy, PartialEq)]
enum Means {
    Used,
    Unused,
    /// It failed with this error in the child.
    Failed(c_int),
}

/// The child runs on this, on the caller's own stack: the kernel holds the caller up until the child has become its program
/// or has ended (`CLONE_VFORK`, clone(2)). Its few calls need a tenth of it.
type Stack = [u128; 1024];

const IN_OUR_MEMORY: c_int = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;

impl<'a> Birth<'a> {
    pub(crate) fn new(
        image: &'a Image<'_>,
        arguments: &'a [*const c_char],
        environment: &'a [*const c_char],
        rung: Rung,
    ) -> Birth<'a> {
        let used = |way: &Way| Cell::new(if way.is_open() { Means::Used } else { Means::Unused });
        let streams = image.streams.map(|stream| stream.map_or(-1, |stream| stream.as_raw_fd()));
        debug_assert!(!streams.iter().any(|fd| (0..3).contains(fd)), "a later stream would be overwritten");
        let parent = match image.orphan {
            Orphan::Ends if DEATH_SIGNAL.is_open() => c_int::try_from(process::id()).unwrap_or_default(),
            Orphan::Ends | Orphan::LivesOn => 0,
        };
        Birth {
            program: image.program.as_ptr(),
            arguments: arguments.as_ptr(),
            environment: environment.as_ptr(),
            directory: image.directory.map_or(ptr::null(), CStr::as_ptr),
            streams,
            descriptors: image.descriptor_limit.map(own_limit),
            rung,
            close_range: used(&CLOSE_RANGE),
            parent,
            death_signal: used(&DEATH_SIGNAL),
            pidfd: Cell::new(-1),
            trouble: Cell::new(None),
            of: PhantomData,
        }
    }

    /// Comes back once the child has become its program, or has failed to and ended.
    pub(crate) fn bear(&self) -> io::Result<Pid> {
        let mut flags = IN_OUR_MEMORY;
        if self.rung.shares_descriptors() {
            flags |= libc::CLONE_FILES;
        }
        if self.rung.wants_pidfd_of_clone() {
            flags |= libc::CLONE_PIDFD;
        }
        let this = ptr::from_ref(self).cast_mut().cast();
        clone_and_wait(become_program, this, flags, self.pidfd.as_ptr())
    }

    pub(crate) fn pidfd(&self) -> Option<c_int> {
        Some(self.pidfd.get()).filter(|fd| *fd >= 0)
    }

    pub(crate) fn trouble(&self) -> Option<(Call, c_int)> {
        self.trouble.get()
    }

    /// What was refused to the child, and went another way, is not tried again.
    pub(crate) fn settle(&self) {
        for (way, means) in [(&CLOSE_RANGE, &self.close_range), (&DEATH_SIGNAL, &self.death_signal)] {
            if let Means::Failed(number) = means.get() {
                if is_refusal(&io::Error::from_raw_os_error(number)) {
                    way.close();
                }
            }
        }
    }
}

/// Whether a child can be killed when its parent has gone, as far as that is known by now.
pub(crate) fn can_end_with_parent() -> bool {
    DEATH_SIGNAL.is_open()
}

/// Whether what a child of clone(2) writes is seen here: tried by one that does nothing else.
pub(crate) fn shares_memory() -> io::Result<bool> {
    let seen = Cell::new(false);
    let pid =
        clone_and_wait(only_tell, ptr::from_ref(&seen).cast_mut().cast(), IN_OUR_MEMORY, ptr::null_mut())?;
    let _ = retry_on_intr(|| waitpid(Some(pid), WaitOptions::empty()));
    Ok(seen.get())
}

fn own_limit(soft: u64) -> libc::rlimit {
    let hard = getrlimit(Resource::Nofile).maximum;
    libc::rlimit {
        rlim_cur: hard.map_or(soft, |hard| soft.min(hard)),
        rlim_max: hard.unwrap_or(libc::RLIM_INFINITY),
    }
}

/// `act` runs in a child in this memory, with `argument`, and must not come back from there; `pidfd` is where clone(2)
/// writes that, where `flags` ask for it.
#[expect(unsafe_code, reason = "no library starts a process in the caller's memory but by posix_spawn")]
fn clone_and_wait(
    act: extern "C" fn(*mut c_void) -> c_int,
    argument: *mut c_void,
    flags: c_int,
    pidfd: *mut c_int,
) -> io::Result<Pid> {
    let mut stack = MaybeUninit::<Stack>::uninit();
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both sets are filled in before they are read, see sigsetops(3) and pthread_sigmask(3). The stack, `argument` and
    // what that points to live until clone(2) comes back, which it does when the child has left this memory. The
    // child's own part is `act`. No handler of the caller's runs in the child, for every signal is
    // blocked from before its start until it has no handlers.
    let (pid, error) = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr());
        let pid = libc::clone(act, stack.as_mut_ptr().add(1).cast(), flags, argument, pidfd);
        let error = io::Error::last_os_error();
        libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut());
        (pid, error)
    };
    if pid == -1 {
        return Err(error);
    }
    Ok(Pid::from_raw(pid).expect("BUG: a child without a number"))
}

/// What runs in the child. Nothing but system calls: another thread may hold any lock of this memory.
extern "C" fn become_program(birth: *mut c_void) -> c_int {
    // SAFETY: it is what `bear` has given, and lives until this process has left its memory.
    #[expect(unsafe_code, reason = "the argument of clone")]
    let birth = unsafe { &*birth.cast::<Birth<'_>>() };
    let call = execute(birth);
    birth.trouble.set(Some((call, errno())));
    exit()
}

/// The child that only shows that it shares this memory.
extern "C" fn only_tell(seen: *mut c_void) -> c_int {
    // SAFETY: it is what `shares_memory` has given, and lives until this process has left its memory.
    #[expect(unsafe_code, reason = "the argument of clone")]
    let seen = unsafe { &*seen.cast::<Cell<bool>>() };
    seen.set(true);
    exit()
}

fn exit() -> ! {
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

/// Comes back with the call that failed; its error is in errno.
#[expect(unsafe_code, reason = "system calls between clone and exec")]
fn execute(birth: &Birth<'_>) -> Call {
    // `struct sigaction` of the kernel: default, without flags, nothing blocked.
    let default = [0_u64; 8];
    // SAFETY: each pointer is to a live object of the type that the call reads, or null where that is allowed; none
    // of the calls writes to memory but to errno, which the caller doesn't read where clone(2) has succeeded.
    unsafe {
        end_with_parent(birth);
        if let Err(call) = open_pidfd(birth) {
            return call;
        }
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
        // Without a session at least a group: it is by that that a job is ended with all that it has started.
        if libc::setsid() == -1 && libc::setpgid(0, 0) == -1 {
            return Call::Session;
        }
        if birth.rung.shares_descriptors() && !take_own_descriptors(birth) {
            return Call::Unshare;
        }
        for (target, source) in (0..).zip(birth.streams) {
            if source >= 0 && libc::dup2(source, target) == -1 {
                return Call::Duplicate;
            }
        }
        close_others(birth);
        if let Some(limit) = &birth.descriptors {
            // A limit that may not be set is no reason not to run.
            libc::setrlimit(libc::RLIMIT_NOFILE, limit);
        }
        if !birth.directory.is_null() && libc::chdir(birth.directory) == -1 {
            return Call::Directory;
        }
        let mut none = MaybeUninit::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
        libc::execve(birth.program, birth.arguments, birth.environment);
    }
    Call::Execute
}

/// As prctl(2) takes it.
const KILL: c_ulong = libc::SIGKILL.unsigned_abs() as c_ulong;

/// Asks for the kernel's KILL when the thread that has started this process is gone, and ends here where that has
/// happened before it could be asked.
#[expect(unsafe_code, reason = "system calls between clone and exec")]
fn end_with_parent(birth: &Birth<'_>) {
    if birth.parent == 0 {
        return;
    }
    // SAFETY: neither call touches memory.
    unsafe {
        if libc::prctl(libc::PR_SET_PDEATHSIG, KILL) == -1 {
            birth.death_signal.set(Means::Failed(errno()));
            return;
        }
        // 0 is a parent outside of a PID namespace that the child is the first of.
        let parent = libc::getppid();
        if parent != birth.parent && parent != 0 {
            libc::_exit(127);
        }
    }
}

/// Where clone(2) was not asked for a pidfd the child opens one of itself, in the table that it shares with its parent.
#[expect(unsafe_code, reason = "system calls between clone and exec")]
fn open_pidfd(birth: &Birth<'_>) -> Result<(), Call> {
    if birth.rung.wants_pidfd_of_clone() && birth.pidfd.get() < 0 {
        return Err(Call::ClonePidfd);
    }
    if birth.rung != Rung::OpenedByChild {
        return Ok(());
    }
    // SAFETY: neither call touches memory.
    let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, libc::getpid(), 0) };
    match c_int::try_from(pidfd) {
        Ok(pidfd @ 0..) => {
            birth.pidfd.set(pidfd);
            Ok(())
        }
        _ => Err(Call::PidfdOpen),
    }
}

/// Gives the child a table of descriptors of its own, with those that it needs and none above; before that it shares its
/// parent's, and must not change it. Where a thousand jobs run there are thousands: to copy them all, as fork(2) does,
/// and to close them again took a fifth of a start.
#[expect(unsafe_code, reason = "rustix has no close_range")]
fn take_own_descriptors(birth: &Birth<'_>) -> bool {
    let highest = birth.streams.iter().copied().fold(FIRST_OTHER - 1, c_int::max);
    // SAFETY: neither call touches memory.
    unsafe {
        close_range(birth, highest + 1, libc::CLOSE_RANGE_UNSHARE) || libc::unshare(libc::CLONE_FILES) == 0
    }
}

/// Close-on-exec alone is too late: the kernel lets the parent of a vfork(2) go on *before* it closes those descriptors
/// in the child, and on a busy machine the child then holds copies of other jobs' pipes for a tenth of a second. That
/// looks like a leak. And what somebody else has left open without that flag is closed too.
#[expect(unsafe_code, reason = "rustix closes no descriptor that nobody owns")]
fn close_others(birth: &Birth<'_>) {
    if close_range(birth, FIRST_OTHER, 0) {
        return;
    }
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the child has a table of descriptors of its own, and uses none of these. The limits are written to a live
    // local of the type that getrlimit(2) fills in.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        for fd in FIRST_OTHER..c_int::try_from(limit.rlim_cur).unwrap_or(MOST_CLOSED).min(MOST_CLOSED) {
            libc::close(fd);
        }
    }
}

/// Whether all from this one on are closed.
#[expect(unsafe_code, reason = "rustix has no close_range")]
fn close_range(birth: &Birth<'_>, first: c_int, flags: c_uint) -> bool {
    if birth.close_range.get() != Means::Used {
        return false;
    }
    // SAFETY: it touches no memory, and the child uses none of these descriptors.
    let is_done = unsafe { libc::syscall(libc::SYS_close_range, first, c_uint::MAX, flags) == 0 };
    if !is_done {
        birth.close_range.set(Means::Failed(errno()));
    }
    is_done
}

fn errno() -> c_int {
    io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}
