//! Starts a process in the caller's memory, like vfork(2): no memory is copied. If that is refused, the next method of
//! `fallback.rs` is used. The time until the child executes its program is handled in `pending_exec.rs`.

use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};

use rustix::io::retry_on_intr;
use rustix::process::{Pid, Resource, Rlimit, WaitOptions, getrlimit, prlimit, waitpid};

use crate::sys::exec_spec::ExecSpec;
use crate::sys::failure::{Failure, is_refusal};
use crate::sys::linux::child::{self, ChildSetup};
use crate::sys::linux::fallback::{Call, StartMethod};
use crate::sys::linux::pending_exec::{self, ChildMemory, PendingExec};
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
        match pending_exec::shares_memory() {
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
