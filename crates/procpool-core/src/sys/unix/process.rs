//! A process that was started and not yet reaped, known by its number alone.
//! What it runs is not known here.
//!
//! A number may be another's once somebody else in this program has reaped the process. The thread that waits for its end
//! hears of that, and it is never signalled again. Between the reaping and the hearing there is a moment, in which the system
//! would have to go round all its numbers.
//! A thread that waits for the end of one process, so that poll(2) sees it: it closes a pipe then.
//! The process stays a zombie, for its owner to reap.

use std::mem::{self, MaybeUninit};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;
use std::{io, thread};

use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::data::status::{PeakMemory, Signal, Status, Usage};
use crate::sys::descriptors::{Readiness, out_of_the_way, wait_any};
use crate::sys::failure::Failure;
use crate::sys::status::{StatusTaken, decode_status, usage};
use crate::sys::unix::files::close_on_exec_pair;

pub(crate) struct ProcessHandle {
    pid: Pid,
    end: OwnedFd,
    waiting: Mutex<ExitWait>,
}

/// What waits for the end of a process.
pub(crate) struct ExitWatch {
    /// At its end when the process is.
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

    /// Readable, or at its end, once the process has ended.
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
            // An error can only be ESRCH or EPERM: nobody is there, or all of them have changed their user.
            let _ = unsafe { libc::killpg(self.pid.as_raw_nonzero().get(), signal.number()) };
        }
    }

    /// Sends a signal to it alone, whichever group it is in.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        if self.is_ours() {
            // An error can only be ESRCH or EPERM, as above.
            let _ = rustix::process::kill_process(self.pid, signal);
        }
    }

    /// Waits for it to end, reaps it and says how it ended and what it used.
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
    /// Waits for the process to end, and says whether it is still there to be reaped.
    fn finish(&mut self) -> Result<(), StatusTaken> {
        let ended = match mem::replace(self, ExitWait::HasEnded(Err(StatusTaken))) {
            // It does not panic.
            ExitWait::Waits(thread) => thread.join().unwrap_or(Err(StatusTaken)),
            ExitWait::HasEnded(ended) => ended,
        };
        *self = ExitWait::HasEnded(ended);
        ended
    }
}

/// Waits for a process by its number, reaps it and says how it ended and what it used.
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

/// The most memory that this process has held at once, as far as that is known.
pub(crate) fn own_peak_memory() -> PeakMemory {
    let mut used = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a live local of the type that getrusage(2) writes; and all-zero bytes are a valid one.
    #[expect(unsafe_code, reason = "rustix has no getrusage")]
    let used = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, used.as_mut_ptr());
        used.assume_init()
    };
    decode_usage(&used).peak_memory
}

/// getrusage(2) counts kilobytes, by which it means 1024 bytes; Apple's counts bytes.
const MEMORY_UNIT: u64 = if cfg!(target_vendor = "apple") { 1 } else { 1024 };

fn decode_usage(used: &libc::rusage) -> Usage {
    #[allow(clippy::useless_conversion, clippy::allow_attributes, reason = "each system has its own widths")]
    let pair = |time: libc::timeval| (i64::from(time.tv_sec), i64::from(time.tv_usec));
    let peak = u64::try_from(used.ru_maxrss).unwrap_or(0) * MEMORY_UNIT;
    usage(pair(used.ru_utime), pair(used.ru_stime), peak)
}

/// A thread that has no process yet. Where none comes it ends.
pub(crate) struct ExitWaiter {
    tell: SyncSender<Pid>,
    watch: ExitWatch,
}

/// It needs next to nothing; but handlers of the caller's signals may run on it.
const STACK: usize = 128 * 1024;

impl ExitWaiter {
    pub(crate) fn prepare() -> Result<ExitWaiter, Failure> {
        let (reader, writer) = close_on_exec_pair().map_err(Failure::of("pipe"))?;
        let (tell, told) = sync_channel(1);
        let thread = thread::Builder::new().name("procpool-wait".into()).stack_size(STACK);
        let thread = thread.spawn(move || wait(&told, writer)).map_err(Failure::of("a thread"))?;
        Ok(ExitWaiter { tell, watch: ExitWatch { end: reader, thread } })
    }

    pub(crate) fn watch(self, pid: Pid) -> ProcessHandle {
        // It waits for nothing else, and has room for one.
        let _ = self.tell.send(pid);
        ProcessHandle::new(pid, self.watch)
    }
}

/// `end` is closed when the process has ended.
fn wait(told: &Receiver<Pid>, end: OwnedFd) -> Result<(), StatusTaken> {
    let Ok(pid) = told.recv() else { return Ok(()) };
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
