//! A child between clone(2) and execve(2), as its parent sees it. Until then the child uses the parent's memory, as after
//! vfork(2), but the parent is not suspended: a file server may let the start hang for any time, and then somebody must
//! be able to end it.
//!
//! ```text
//! parent   clone(2)  futex(2), for 50 ms at most    ────▶  the process is watched like any other
//! child       └──▶ closes inherited descriptors ──▶ looks up its files, execve(2) ──▶ program
//! ```

use std::cell::Cell;
use std::ffi::{CStr, c_int, c_void};
use std::io;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering;

use rustix::fs::Timespec;
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Pid, WaitOptions, waitpid};
use rustix::thread::futex;

use crate::sys::exec_spec::{ExecProgress, named_pipe};
use crate::sys::failure::Failure;
use crate::sys::linux::child::ChildSetup;
use crate::sys::linux::child::{become_program, write_flag};
use crate::sys::linux::fallback::Call;
use crate::sys::unix;

/// A process that may not have executed its program yet.
pub(crate) enum PendingExec {
    Child(ChildMemory),
    /// It had executed its program when it was first seen.
    Done(unix::pending_exec::PendingExec),
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
