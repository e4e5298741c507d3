//! A thread that waits for the end of one process, so that poll(2) sees it: it closes a pipe then.
//! The process stays a zombie, for its owner to reap.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::sys::failure::Failure;
use crate::sys::unix::pipe::close_on_exec_pair;
use crate::sys::unix::process::{ExitWatch, ProcessHandle};
use crate::sys::wait_status::StatusTaken;

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
