//! Starts a process in the caller's memory, like vfork(2): no memory is copied. If that is refused, the next method of
//! `fallback.rs` is used.
//!
//! The child uses the parent's memory until it executes its program, but the parent is not suspended: a file server may
//! let the start hang for any time, and then somebody must be able to end it.
//!
//! ```text
//! parent   clone(2)  futex(2), for 50 ms at most    ────▶  the process is watched like any other
//! child       └──▶ closes inherited descriptors ──▶ looks up its files, execve(2) ──▶ program
//! ```

use std::cell::Cell;
use std::ffi::{CStr, c_int, c_void};
use std::io;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering;

use rustix::fs::Timespec;
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Pid, Resource, Rlimit, WaitOptions, getrlimit, prlimit, waitpid};
use rustix::thread::futex;

use crate::sys::exec_spec::{ExecProgress, ExecSpec, named_pipe};
use crate::sys::failure::{Failure, is_refusal};
use crate::sys::linux::child::{self, ChildSetup, become_program, write_flag};
use crate::sys::linux::fallback::{Call, StartMethod};
use crate::sys::linux::process::ProcessHandle;
use crate::sys::unix;
use crate::sys::unix::process::ExitWaiter;

/// A process that was started.
pub(crate) struct StartedProcess {
    pub(crate) process: ProcessHandle,
    /// Whether it has executed its program yet.
    pub(crate) pending_exec: PendingExec,
}

/// Starts a process as the leader of a session and a process group of its own. Every signal has its default action and none
/// is blocked, whatever the caller has inherited. It has only the three standard descriptors: `streams` are its input,
/// output and error, with `None` for the caller's own. None of them may be descriptor 0, 1 or 2.
///
/// The child looks up the command's files: its program, its directory and its input file. So a process that fails at
/// this was started and has ended, and one for which it takes long is watched meanwhile.
///
/// In a session of its own the process has no terminal. So opening `/dev/tty` fails at once (`ENXIO`, tty(4)), while
/// reading it from a background process group would stop the process.
///
/// `posix_spawn(3)` does the same, but takes half as long again if several threads start processes at once: it maps and
/// unmaps a stack for each child, which halts all threads of the process for a moment, and asks for the limit of
/// descriptors seven times. std's `Command` starts no session and resets no signals without `fork(2)`.
pub(crate) fn start(spec: ExecSpec, streams: [Option<BorrowedFd<'_>>; 3]) -> Result<StartedProcess, Failure> {
    let mut spec = spec;
    loop {
        let method = StartMethod::current();
        if method == StartMethod::Posix {
            return start_by_posix(spec, streams);
        }
        let (call, source) = match start_on(method, ChildSetup::new(spec, streams, method)) {
            Ok(started) => return Ok(started),
            Err(StartError::Local(failure)) => return Err(failure),
            Err(StartError::Step(call, error, setup)) => {
                spec = setup.spec;
                (call, error)
            }
        };
        // Nothing was executed: a child reports a failure before it executes its program.
        let below = method.fallback(call).filter(|_| call == Call::ClonePidfd || is_refusal(&source));
        match below {
            Some(below) => below.or_lowest()?.make_current(),
            None => return Err(Failure { call: call.name(), source }),
        }
    }
}

/// Whether a process can be made to end with its parent, as far as known by now.
pub(crate) fn can_end_with_parent() -> bool {
    StartMethod::current() != StartMethod::Posix && child::can_end_with_parent()
}

enum StartError {
    /// An error before the child existed, which no other start method can avoid.
    Local(Failure),
    Step(Call, io::Error, Box<ChildSetup>),
}

fn start_on(method: StartMethod, setup: ChildSetup) -> Result<StartedProcess, StartError> {
    // Before the process: there must never be a process that nobody waits for.
    let waiter = method.is_waited().then(ExitWaiter::prepare).transpose().map_err(StartError::Local)?;
    let mut memory = ChildMemory::new(setup);
    let pid = match memory.clone_vfork() {
        Ok(pid) => pid,
        Err(error) => return Err(StartError::Step(Call::Clone, error, memory.into_setup())),
    };
    memory.wait();
    let setup = memory.setup();
    // Written by clone(2), or by the child into the descriptor table that it shares with us.
    let pidfd = Some(setup.pidfd.get()).filter(|fd| *fd >= 0);
    // SAFETY: it has just been created for us.
    #[expect(unsafe_code, reason = "the descriptor comes from clone(2)")]
    let pidfd = pidfd.map(|pidfd| unsafe { OwnedFd::from_raw_fd(pidfd) });
    let early = if setup.has_own_descriptors() { None } else { setup.failure.get() };
    if let Some((call, number)) = early {
        // It has ended, or is about to.
        let _ = retry_on_intr(|| waitpid(Some(pid), WaitOptions::empty()));
        let error = io::Error::from_raw_os_error(number);
        return Err(StartError::Step(call, error, memory.into_setup()));
    }
    setup.note_refusals();
    let process = match waiter {
        Some(waiter) => ProcessHandle::Waited(waiter.watch(pid)),
        None => ProcessHandle::Held {
            pid,
            pidfd: pidfd.expect("BUG: a child without a pidfd said nothing of it"),
        },
    };
    Ok(StartedProcess { process, pending_exec: PendingExec::Child(memory) })
}

impl StartMethod {
    /// This method if it works: some emulators turn clone(2) into fork(2), and then a child could not report a failure. Otherwise
    /// the lowest method.
    fn or_lowest(self) -> Result<StartMethod, Failure> {
        if self == StartMethod::Posix {
            return Ok(self);
        }
        match shares_memory() {
            Ok(true) => Ok(self),
            Ok(false) => Ok(StartMethod::Posix),
            Err(error) if is_refusal(&error) => Ok(StartMethod::Posix),
            Err(error) => Err(Failure { call: "clone", source: error }),
        }
    }
}

fn start_by_posix(spec: ExecSpec, streams: [Option<BorrowedFd<'_>>; 3]) -> Result<StartedProcess, Failure> {
    let limit = spec.descriptor_limit;
    let started = unix::start::start(spec, streams)?;
    if let Some(soft) = limit {
        // A moment late: at first the program may still see the caller's limit.
        limit_descriptors(started.process.number(), soft);
    }
    Ok(StartedProcess {
        process: ProcessHandle::Waited(started.process),
        pending_exec: PendingExec::Done(started.pending_exec),
    })
}

fn limit_descriptors(pid: Pid, soft: u64) {
    let hard = getrlimit(Resource::Nofile).maximum;
    let current = Some(hard.map_or(soft, |hard| soft.min(hard)));
    // Not being allowed to set a limit is no reason not to run.
    let _ = prlimit(Some(pid), Resource::Nofile, Rlimit { current, maximum: hard });
}

/// A process that may not have executed its program yet.
pub(crate) enum PendingExec {
    Child(ChildMemory),
    /// It had executed its program when it was first seen.
    Done(unix::start::PendingExec),
}

/// The memory that the child uses, which it shares with its owner here. If the child still uses it when this is dropped, it is
/// leaked: nobody would notice when the child stops using it.
pub(crate) struct ChildMemory {
    setup: NonNull<ChildSetup>,
    stack: NonNull<MaybeUninit<ChildStack>>,
}

/// The child's stack. Its few calls need a tenth of it.
type ChildStack = [u128; 1024];

const IN_OUR_MEMORY: c_int = libc::CLONE_VM | libc::SIGCHLD;

/// A start takes about a millisecond, or over a second if the machine is very busy. After this time the parent stops waiting
/// for the exec, and watches the process.
const SLOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

impl PendingExec {
    /// The path of the program, if it has been found by now.
    pub(crate) fn program(&self) -> Option<&CStr> {
        match self {
            PendingExec::Child(memory) => {
                let setup = memory.setup();
                let program_index = if setup.uses_our_memory() { 0 } else { setup.program_index.get() };
                setup.spec.program.path(program_index)
            }
            PendingExec::Done(pending_exec) => pending_exec.program(),
        }
    }

    /// Whether it has executed its program. Any result but [`ExecProgress::Pending`] is final.
    pub(crate) fn progress(&self) -> ExecProgress {
        let (call, number) = match self {
            PendingExec::Child(memory) if memory.setup().uses_our_memory() => return ExecProgress::Pending,
            PendingExec::Child(memory) => match memory.setup().failure.get() {
                Some(failure) => failure,
                None => return ExecProgress::Done,
            },
            PendingExec::Done(_) => return ExecProgress::Done,
        };
        let source = match call {
            Call::NamedPipe => named_pipe(),
            _ => io::Error::from_raw_os_error(number),
        };
        ExecProgress::Failed(Failure { call: call.name(), source })
    }
}

impl ChildMemory {
    pub(super) fn new(setup: ChildSetup) -> ChildMemory {
        ChildMemory {
            setup: Box::leak(Box::new(setup)).into(),
            stack: Box::leak(Box::<ChildStack>::new_uninit()).into(),
        }
    }

    #[expect(unsafe_code, reason = "a box would say that nobody else uses it")]
    pub(super) fn setup(&self) -> &ChildSetup {
        // SAFETY: only this frees it, and all that the child changes is in cells.
        unsafe { self.setup.as_ref() }
    }

    /// Takes the setup back from a child that has ended.
    pub(super) fn into_setup(self) -> Box<ChildSetup> {
        assert!(!self.setup().uses_our_memory(), "BUG: a child that has ended uses its parent's memory");
        let (setup, _) = self.into_boxes();
        setup
    }

    fn into_boxes(self) -> (Box<ChildSetup>, Box<MaybeUninit<ChildStack>>) {
        let this = ManuallyDrop::new(self);
        // SAFETY: both pointers come from boxes, and their only owner is consumed here. The child doesn't use them any more.
        #[expect(unsafe_code, reason = "the other half of what makes this")]
        unsafe {
            (Box::from_raw(this.setup.as_ptr()), Box::from_raw(this.stack.as_ptr()))
        }
    }

    /// Clones the child, which shares this memory. Returns at once.
    pub(super) fn clone_vfork(&mut self) -> io::Result<Pid> {
        let setup = self.setup();
        let mut flags = IN_OUR_MEMORY | libc::CLONE_CHILD_CLEARTID;
        if setup.method.shares_descriptors() {
            flags |= libc::CLONE_FILES;
        }
        if setup.method.wants_pidfd_of_clone() {
            flags |= libc::CLONE_PIDFD;
        }
        setup.exec_futex().store(1, Ordering::Relaxed);
        let argument = self.setup.as_ptr().cast();
        let tell = CloneOutputs {
            pidfd: setup.pidfd.as_ptr(),
            exec_futex: setup.exec_futex().as_ptr().cast(),
        };
        let cloned = clone(become_program, argument, flags, self.stack.as_ptr(), &tell);
        if cloned.is_err() {
            setup.exec_futex().store(0, Ordering::Relaxed);
        }
        cloned
    }

    /// Waits until the child has executed its program or has ended, but no longer than [`SLOW`] if it can be ended like any
    /// process by then. Makes no call that uses errno, which it shares with the child.
    pub(super) fn wait(&self) {
        let setup = self.setup();
        while setup.uses_our_memory() {
            let waited = futex::wait(setup.exec_futex(), futex::Flags::empty(), 1, Some(&SLOW));
            if waited == Err(Errno::TIMEDOUT) && setup.has_own_descriptors() {
                return;
            }
        }
    }
}

impl Drop for ChildMemory {
    fn drop(&mut self) {
        if !self.setup().uses_our_memory() {
            let ChildMemory { setup, stack } = *self;
            drop(ChildMemory { setup, stack }.into_boxes());
        }
    }
}

/// Tests, with a child that does nothing else, whether writes of a child of clone(2) can be seen here.
pub(super) fn shares_memory() -> io::Result<bool> {
    let seen = Cell::new(false);
    let mut stack = Box::<ChildStack>::new_uninit();
    let nothing = CloneOutputs { pidfd: ptr::null_mut(), exec_futex: ptr::null_mut() };
    let pid = clone(
        write_flag,
        ptr::from_ref(&seen).cast_mut().cast(),
        IN_OUR_MEMORY,
        ptr::from_mut(&mut *stack),
        &nothing,
    )?;
    // Even if other code has reaped it, it has ended.
    let _ = retry_on_intr(|| waitpid(Some(pid), WaitOptions::empty()));
    Ok(seen.get())
}

/// Where clone(2) writes its results, as far as the flags ask for them.
struct CloneOutputs {
    pidfd: *mut c_int,
    exec_futex: *mut c_void,
}

/// Runs `act(argument)`, which must not return, in a child in this memory. The child uses all arguments until it has left this
/// memory; the caller must wait for that.
#[expect(unsafe_code, reason = "no library starts a process in the caller's memory but by posix_spawn")]
fn clone(
    act: extern "C" fn(*mut c_void) -> c_int,
    argument: *mut c_void,
    flags: c_int,
    stack: *mut MaybeUninit<ChildStack>,
    tell: &CloneOutputs,
) -> io::Result<Pid> {
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both sets are filled in before they are read, see sigsetops(3) and pthread_sigmask(3). The stack, `argument` and
    // what that points to live until the child has left this memory (see the callers). What the child does is `act`. No
    // signal handler of the caller runs in the child, because every signal is blocked until the child has no handlers.
    let (pid, error) = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr());
        let top = stack.add(1).cast();
        let pid =
            libc::clone(act, top, flags, argument, tell.pidfd, ptr::null_mut::<c_void>(), tell.exec_futex);
        let error = (pid == -1).then(io::Error::last_os_error);
        libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut());
        (pid, error)
    };
    match error {
        Some(error) => Err(error),
        None => Ok(Pid::from_raw(pid).expect("BUG: a child without a number")),
    }
}
