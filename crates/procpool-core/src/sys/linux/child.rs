//! A child between clone(2) and execve(2): what it is given, what it does, and what it reports.
//!
//! It shares the memory of its parent, with all of the parent's other threads. So it makes only system calls that neither
//! allocate nor lock. Its last calls, execve(2) among them, may be delayed by a file server. By then the child can be ended like
//! any process and holds nothing of anybody else; from there on the parent continues, with which it shares `errno`.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_long, c_uint, c_ulong, c_void};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::{io, process, ptr};

use rustix::fs::{FileType, Mode, OFlags, open, stat};
use rustix::process::{Resource, getrlimit};

use crate::sys::descriptors::MOST_CLOSED;
use crate::sys::exec_spec::{ExecSpec, OnParentDeath};
use crate::sys::failure::is_refusal;
use crate::sys::linux::fallback::{Call, KernelFeature, StartMethod};

/// Linux 5.9; Docker before 20.10 refuses it with EPERM.
static CLOSE_RANGE: KernelFeature = KernelFeature::new();
static DEATH_SIGNAL: KernelFeature = KernelFeature::new();

/// All that the child needs, ready for its system calls: it must neither allocate nor lock.
///
/// The parent reads a cell only after the child has said that it won't write to it any more: see
/// [`has_own_descriptors`](ChildSetup::has_own_descriptors) and [`uses_our_memory`](ChildSetup::uses_our_memory).
pub(super) struct ChildSetup {
    pub(super) spec: ExecSpec,
    pub(super) arguments: Vec<*const c_char>,
    pub(super) environment: Vec<*const c_char>,
    /// -1 means the caller's.
    pub(super) streams: [c_int; 3],
    pub(super) descriptors: Option<libc::rlimit>,
    pub(super) method: StartMethod,
    pub(super) close_range: Cell<CallUse>,
    /// The pid of the parent; 0 if the child is to outlive it.
    pub(super) parent: c_int,
    pub(super) death_signal: Cell<CallUse>,
    pub(super) pidfd: Cell<c_int>,
    /// The index of the program that it executes.
    pub(super) program_index: Cell<usize>,
    /// Written by the child if it fails: the call and its error.
    pub(super) failure: Cell<Option<(Call, c_int)>>,
    own_descriptors: AtomicBool,
    exec_futex: AtomicU32,
}

/// Whether a call with an alternative is used.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum CallUse {
    Used,
    Unused,
    /// It failed in the child with this error.
    Failed(c_int),
}

impl ChildSetup {
    pub(super) fn new(
        spec: ExecSpec,
        streams: [Option<BorrowedFd<'_>>; 3],
        method: StartMethod,
    ) -> ChildSetup {
        let used = |feature: &KernelFeature| {
            Cell::new(if feature.is_usable() { CallUse::Used } else { CallUse::Unused })
        };
        let streams = streams.map(|stream| stream.map_or(-1, |stream| stream.as_raw_fd()));
        debug_assert!(!streams.iter().any(|fd| (0..3).contains(fd)), "a later stream would be overwritten");
        let parent = match spec.on_parent_death {
            OnParentDeath::Die if DEATH_SIGNAL.is_usable() => {
                c_int::try_from(process::id()).unwrap_or_default()
            }
            OnParentDeath::Die | OnParentDeath::LiveOn => 0,
        };
        ChildSetup {
            arguments: spec.argument_pointers(),
            environment: spec.environment_pointers(),
            streams,
            descriptors: spec.descriptor_limit.map(own_limit),
            method,
            close_range: used(&CLOSE_RANGE),
            parent,
            death_signal: used(&DEATH_SIGNAL),
            pidfd: Cell::new(-1),
            program_index: Cell::new(0),
            failure: Cell::new(None),
            own_descriptors: AtomicBool::new(false),
            exec_futex: AtomicU32::new(0),
            spec,
        }
    }

    /// Called by the child when it has closed all inherited descriptors. Of its cells it will write only those about its last
    /// calls, which look up the files of the command.
    pub(super) fn note_own_descriptors(&self) {
        self.own_descriptors.store(true, Ordering::Release);
    }

    pub(super) fn has_own_descriptors(&self) -> bool {
        self.own_descriptors.load(Ordering::Acquire)
    }

    /// The kernel sets this to 0 and wakes waiters when the child has left this memory, by execve(2) or by its end
    /// (`CLONE_CHILD_CLEARTID`, clone(2)).
    pub(super) fn exec_futex(&self) -> &AtomicU32 {
        &self.exec_futex
    }

    pub(super) fn uses_our_memory(&self) -> bool {
        self.exec_futex.load(Ordering::Acquire) != 0
    }

    /// Records which calls were refused to the child, so that they are not tried again.
    pub(super) fn note_refusals(&self) {
        for (feature, usage) in [(&CLOSE_RANGE, &self.close_range), (&DEATH_SIGNAL, &self.death_signal)] {
            if let CallUse::Failed(number) = usage.get() {
                if is_refusal(&io::Error::from_raw_os_error(number)) {
                    feature.mark_refused();
                }
            }
        }
    }
}

/// Whether a child can be killed when its parent ends, as far as known by now.
pub(super) fn can_end_with_parent() -> bool {
    DEATH_SIGNAL.is_usable()
}

fn own_limit(soft: u64) -> libc::rlimit {
    let hard = getrlimit(Resource::Nofile).maximum;
    libc::rlimit {
        rlim_cur: hard.map_or(soft, |hard| soft.min(hard)),
        rlim_max: hard.unwrap_or(libc::RLIM_INFINITY),
    }
}

/// The child's main function.
pub(super) extern "C" fn become_program(setup: *mut c_void) -> c_int {
    // SAFETY: the parent has passed a ChildSetup, which lives until this process has left its memory.
    #[expect(unsafe_code, reason = "the argument of clone")]
    let setup = unsafe { &*setup.cast::<ChildSetup>() };
    let failure = match take_its_own(setup) {
        Ok(()) => {
            setup.note_own_descriptors();
            enter(setup)
        }
        Err(call) => (call, errno()),
    };
    setup.failure.set(Some(failure));
    exit()
}

/// The main function of a child that only tests whether it shares this memory.
pub(super) extern "C" fn write_flag(seen: *mut c_void) -> c_int {
    // SAFETY: the parent has passed a Cell<bool>, which lives until this process has ended.
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

/// The kernel's number of signals, `_NSIG - 1` in signal.h; the C library has no name for it.
const SIGNALS: c_long = 64;

/// Gives up everything that it shares with its parent except the memory. Fails with the call; its error is in errno.
#[expect(unsafe_code, reason = "system calls between clone and exec")]
fn take_its_own(setup: &ChildSetup) -> Result<(), Call> {
    // The kernel's `struct sigaction`: default action, no flags, nothing blocked.
    let default = [0_u64; 8];
    // SAFETY: each pointer is to a live object of the type that the call reads, or null where that is allowed. None of
    // the calls writes to memory except errno, which the parent doesn't read while it waits for this.
    unsafe {
        end_with_parent(setup);
        open_pidfd(setup)?;
        for signal in 1..=SIGNALS {
            // KILL and STOP are refused, rightly. sigaction(3) can't be used: it skips the two signals that the C library
            // reserves, which would stay ignored in the program.
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                default.as_ptr(),
                ptr::null::<u64>(),
                size_of::<u64>(),
            );
        }
        // Without a session, at least a group: a job is signalled by its group.
        if libc::setsid() == -1 && libc::setpgid(0, 0) == -1 {
            return Err(Call::Session);
        }
        if setup.method.shares_descriptors() && !take_own_descriptors(setup) {
            return Err(Call::Unshare);
        }
        for (target, source) in (0..).zip(setup.streams) {
            if source >= 0 && libc::dup2(source, target) == -1 {
                return Err(Call::Duplicate);
            }
        }
        close_others(setup);
        if let Some(limit) = &setup.descriptors {
            // Not being allowed to set a limit is no reason not to run.
            libc::setrlimit(libc::RLIMIT_NOFILE, limit);
        }
        // It has no handlers any more, so signals that ask it to end may be delivered.
        let mut none = MaybeUninit::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
    }
    Ok(())
}

/// Looks up the command's files and executes its program. Returns only on failure, with the call and its error.
fn enter(setup: &ChildSetup) -> (Call, c_int) {
    // A relative path is relative to the caller's directory.
    let program_index = match setup.spec.program.seek() {
        Ok(program_index) => program_index,
        Err(error) => return (Call::Search, error),
    };
    setup.program_index.set(program_index);
    if let Some(path) = &setup.spec.input {
        if let Err(failure) = open_input(path) {
            return failure;
        }
    }
    if let Some(directory) = &setup.spec.directory {
        if let Err(error) = rustix::process::chdir(directory.as_c_str()) {
            return (Call::Directory, error.raw_os_error());
        }
    }
    let program = setup.spec.program.path(program_index).map_or(ptr::null(), CStr::as_ptr);
    // SAFETY: all strings and both lists live until this process has left this memory, and the lists end with a null pointer.
    #[expect(unsafe_code, reason = "rustix has no stable execve")]
    unsafe {
        libc::execve(program, setup.arguments.as_ptr(), setup.environment.as_ptr());
    }
    (Call::Execute, errno())
}

/// Opens the file for the standard input. A named pipe is refused, because opening it waits for a writer.
fn open_input(path: &CStr) -> Result<(), (Call, c_int)> {
    let failed = |error: rustix::io::Errno| (Call::Input, error.raw_os_error());
    if FileType::from_raw_mode(stat(path).map_err(failed)?.st_mode) == FileType::Fifo {
        return Err((Call::NamedPipe, 0));
    }
    // A session leader that opens a terminal would get it as its controlling terminal.
    let file = open(path, OFlags::RDONLY | OFlags::NOCTTY, Mode::empty()).map_err(failed)?.into_raw_fd();
    if file == 0 {
        return Ok(());
    }
    // SAFETY: the child has a descriptor table of its own, and nothing else in it uses these numbers.
    #[expect(unsafe_code, reason = "a descriptor that nobody owns is replaced")]
    unsafe {
        if libc::dup2(file, 0) == -1 {
            return Err((Call::Duplicate, errno()));
        }
        libc::close(file);
    }
    Ok(())
}

/// In the type that prctl(2) takes.
const KILL: c_ulong = libc::SIGKILL.unsigned_abs() as c_ulong;

/// Asks the kernel to send KILL when the thread that has started this process ends, and exits if it has ended
/// already.
#[expect(unsafe_code, reason = "system calls between clone and exec")]
fn end_with_parent(setup: &ChildSetup) {
    if setup.parent == 0 {
        return;
    }
    // SAFETY: neither call touches memory.
    unsafe {
        if libc::prctl(libc::PR_SET_PDEATHSIG, KILL) == -1 {
            setup.death_signal.set(CallUse::Failed(errno()));
            return;
        }
        // 0 means a parent outside of the PID namespace that the child is the first process of.
        let parent = libc::getppid();
        if parent != setup.parent && parent != 0 {
            libc::_exit(127);
        }
    }
}

/// If clone(2) wasn't asked for a pidfd, the child opens one for itself, in the descriptor table that it shares with its parent.
#[expect(unsafe_code, reason = "system calls between clone and exec")]
fn open_pidfd(setup: &ChildSetup) -> Result<(), Call> {
    if setup.method.wants_pidfd_of_clone() && setup.pidfd.get() < 0 {
        return Err(Call::ClonePidfd);
    }
    if setup.method != StartMethod::OpenedByChild {
        return Ok(());
    }
    // SAFETY: neither call touches memory.
    let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, libc::getpid(), 0) };
    match c_int::try_from(pidfd) {
        Ok(pidfd @ 0..) => {
            setup.pidfd.set(pidfd);
            Ok(())
        }
        _ => Err(Call::PidfdOpen),
    }
}

/// Gives the child a descriptor table of its own, with the descriptors it needs and none above. Until then it shares its
/// parent's and must not change it. With a thousand running jobs there are thousands of descriptors: copying all of them,
/// as fork(2) does, and closing them again took a fifth of a start.
#[expect(unsafe_code, reason = "rustix has no close_range")]
fn take_own_descriptors(setup: &ChildSetup) -> bool {
    let highest = setup.streams.iter().copied().fold(FIRST_OTHER - 1, c_int::max);
    // SAFETY: neither call touches memory.
    unsafe {
        close_range(setup, highest + 1, libc::CLOSE_RANGE_UNSHARE) || libc::unshare(libc::CLONE_FILES) == 0
    }
}

/// Close-on-exec alone is too late: after vfork(2) the kernel lets the parent continue *before* it closes those
/// descriptors in the child. On a busy machine the child then holds copies of other jobs' pipes for a tenth of a second,
/// which looks like a leak. Descriptors that were opened without close-on-exec are closed here too.
#[expect(unsafe_code, reason = "rustix closes no descriptor that nobody owns")]
fn close_others(setup: &ChildSetup) {
    if close_range(setup, FIRST_OTHER, 0) {
        return;
    }
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the child has a descriptor table of its own, and uses none of these descriptors. The limits are written to
    // a live local of the type that getrlimit(2) fills in.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        for fd in FIRST_OTHER..c_int::try_from(limit.rlim_cur).unwrap_or(MOST_CLOSED).min(MOST_CLOSED) {
            libc::close(fd);
        }
    }
}

/// Closes all descriptors from `first` on. False if that failed.
#[expect(unsafe_code, reason = "rustix has no close_range")]
fn close_range(setup: &ChildSetup, first: c_int, flags: c_uint) -> bool {
    if setup.close_range.get() != CallUse::Used {
        return false;
    }
    // SAFETY: it touches no memory, and the child uses none of these descriptors.
    let is_done = unsafe { libc::syscall(libc::SYS_close_range, first, c_uint::MAX, flags) == 0 };
    if !is_done {
        setup.close_range.set(CallUse::Failed(errno()));
    }
    is_done
}

fn errno() -> c_int {
    io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}
