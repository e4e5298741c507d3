//! A process that was started and not yet reaped, known by its pid alone, and the thread that waits for its end.
//!
//! The thread closes a pipe when the process has ended, so that poll(2) can wait for that. The process stays a zombie until
//! its owner reaps it. If other code of this program reaps it first, the thread notices, and the pid is never
//! signalled again. A signal between the two could hit another process only if the system had used up all its pids in
//! that moment.

use std::mem::{self, MaybeUninit};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;
use std::{io, thread};

use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::data::status::{Signal, Status, Usage};
use crate::sys::descriptors::{Readiness, close_on_exec_pair, out_of_the_way, wait_any};
use crate::sys::failure::Failure;
use crate::sys::status::{StatusTaken, decode_status, decode_usage};

// Same name as `linux::process::ProcessHandle`: `sys` uses the one of its system.
pub(crate) struct ProcessHandle {
    pid: Pid,
    end: OwnedFd,
    waiting: Mutex<ExitWait>,
}

/// The thread that waits for the end of a process.
pub(crate) struct ExitWatch {
    /// Hung up once the process has ended.
    pub(crate) end: OwnedFd,
    pub(crate) thread: JoinHandle<Result<(), StatusTaken>>,
}

enum ExitWait {
    Waits(JoinHandle<Result<(), StatusTaken>>),
    HasEnded(Result<(), StatusTaken>),
}

impl ProcessHandle {
    pub(crate) fn new(pid: Pid, watch: ExitWatch) -> ProcessHandle {
        ProcessHandle {
            pid,
            end: watch.end,
            waiting: Mutex::new(ExitWait::Waits(watch.thread)),
        }
    }

    pub(crate) fn number(&self) -> Pid {
        self.pid
    }

    /// Readable or hung up once the process has ended.
    pub(crate) fn end_event(&self) -> BorrowedFd<'_> {
        self.end.as_fd()
    }

    pub(crate) fn out_of_the_way(self, ceiling: RawFd) -> ProcessHandle {
        ProcessHandle { end: out_of_the_way(self.end, ceiling), ..self }
    }

    /// Sends a signal to the process group that it leads.
    pub(crate) fn signal_group(&self, signal: Signal) {
        if self.is_ours() {
            // SAFETY: killpg(2) takes two integers and touches no memory of ours.
            #[expect(unsafe_code, reason = "rustix knows no signal by its bare number")]
            // Can only fail with ESRCH or EPERM: the group is empty, or all its processes have changed their user.
            let _ = unsafe { libc::killpg(self.pid.as_raw_nonzero().get(), signal.number()) };
        }
    }

    /// Sends a signal to this process alone, whichever group it is in.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        if self.is_ours() {
            // Can only fail with ESRCH or EPERM, as above.
            let _ = rustix::process::kill_process(self.pid, signal);
        }
    }

    /// Waits for its end, reaps it, and returns how it ended and what it used.
    pub(crate) fn reap(&self) -> Result<(Status, Usage), StatusTaken> {
        self.waiting().finish()?;
        reap(self.pid)
    }

    fn is_ours(&self) -> bool {
        let mut waiting = self.waiting();
        wait_any([Some(self.end_event())], Some(Instant::now())) == [Readiness::Quiet]
            || waiting.finish().is_ok()
    }

    fn waiting(&self) -> MutexGuard<'_, ExitWait> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ExitWait {
    /// Waits for the end of the process. Fails if other code has reaped it.
    fn finish(&mut self) -> Result<(), StatusTaken> {
        let ended = match mem::replace(self, ExitWait::HasEnded(Err(StatusTaken))) {
            // The thread doesn't panic.
            ExitWait::Waits(thread) => thread.join().unwrap_or(Err(StatusTaken)),
            ExitWait::HasEnded(ended) => ended,
        };
        *self = ExitWait::HasEnded(ended);
        ended
    }
}

/// Waits for a process by its pid, reaps it, and returns how it ended and what it used.
pub(crate) fn reap(pid: Pid) -> Result<(Status, Usage), StatusTaken> {
    let mut status = 0;
    let mut used = MaybeUninit::<libc::rusage>::zeroed();
    loop {
        // SAFETY: both pointers are to live locals of the types that wait4(2) writes.
        #[expect(unsafe_code, reason = "rustix has no wait4, and no other call tells what one child used")]
        let reaped =
            unsafe { libc::wait4(pid.as_raw_nonzero().get(), &raw mut status, 0, used.as_mut_ptr()) };
        if reaped != -1 {
            break;
        }
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return Err(StatusTaken);
        }
    }
    // SAFETY: all-zero bytes are a valid rusage, and wait4 succeeded.
    #[expect(unsafe_code, reason = "the other half of wait4")]
    let used = unsafe { used.assume_init() };
    Ok((decode_status(status), decode_usage(&used)))
}

/// A thread that waits for the pid of a process. If none comes, it ends.
pub(crate) struct ExitWaiter {
    pid_sender: SyncSender<Pid>,
    watch: ExitWatch,
}

/// The thread needs little, but signal handlers of the caller may run on it.
const STACK: usize = 128 * 1024;

impl ExitWaiter {
    pub(crate) fn prepare() -> Result<ExitWaiter, Failure> {
        let (reader, writer) = close_on_exec_pair().map_err(Failure::of("pipe"))?;
        let (pid_sender, pid_receiver) = sync_channel(1);
        let thread = thread::Builder::new().name("procpool-wait".into()).stack_size(STACK);
        let thread = thread.spawn(move || wait(&pid_receiver, writer)).map_err(Failure::of("a thread"))?;
        Ok(ExitWaiter { pid_sender, watch: ExitWatch { end: reader, thread } })
    }

    pub(crate) fn watch(self, pid: Pid) -> ProcessHandle {
        // The thread waits for nothing else, and the channel has room for one.
        let _ = self.pid_sender.send(pid);
        ProcessHandle::new(pid, self.watch)
    }
}

/// The thread's function. Closes `end` when the process has ended.
fn wait(pid_receiver: &Receiver<Pid>, end: OwnedFd) -> Result<(), StatusTaken> {
    let Ok(pid) = pid_receiver.recv() else { return Ok(()) };
    let waited = loop {
        match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            Err(Errno::INTR) => {}
            other => break other,
        }
    };
    drop(end);
    waited.map(drop).map_err(|error| {
        debug_assert_eq!(io::Error::from(error).raw_os_error(), Some(libc::ECHILD));
        StatusTaken
    })
}
