//! A process that was started and not yet reaped: the only owner of its pid.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::thread;

use crate::data::status::{Signal, Status, Usage};
use crate::process::roster::{Roster, RosterEntry};
use crate::sys::{self, StatusTaken};

/// A child that leads a process group of its own.
///
/// While this exists we have not reaped the child. If other code of this program has, `sys` never mistakes another
/// process for it. Dropping it (during a panic) kills the group and reaps the child.
pub(crate) struct Child {
    process: Arc<sys::ProcessHandle>,
    roster: Arc<Roster>,
    state: Ownership,
}

#[derive(PartialEq)]
enum Ownership {
    Ours,
    /// Reaped, or left to another thread.
    Reaped,
}

/// For a thread that only waits; but signal handlers of the caller may run on it.
const STACK: usize = 128 * 1024;

impl Child {
    /// Takes ownership of a child that was just started, and lists it.
    pub(crate) fn new(process: sys::ProcessHandle, roster: Arc<Roster>, entry: RosterEntry) -> Child {
        let process = Arc::new(process);
        roster.enter(Arc::clone(&process), entry);
        Child { process, roster, state: Ownership::Ours }
    }

    /// Its pid, which can't be reused while this exists.
    pub(crate) fn number(&self) -> u32 {
        self.process.number().as_raw_nonzero().get().unsigned_abs()
    }

    /// Readable once the process has ended.
    pub(crate) fn end_event(&self) -> BorrowedFd<'_> {
        self.process.end_event()
    }

    /// Sends the group a signal that asks it to end, and continues it, so that stopped processes receive the signal.
    pub(crate) fn request_end(&self, signal: Signal) {
        self.roster.note_end(self.process.number());
        self.process.signal_group(signal);
        self.process.signal_group(Signal::CONT);
    }

    /// Stops the group, and the process itself in case it has moved to another group.
    pub(crate) fn stop(&self) {
        self.process.signal_group(Signal::STOP);
        self.process.signal(rustix::process::Signal::STOP);
    }

    /// Whether it can't start another process any more.
    pub(crate) fn is_at_rest(&self) -> bool {
        sys::proc::is_at_rest(self.process.number().as_raw_nonzero().get())
    }

    /// Kills the group, and the process itself in case it has moved to another group.
    pub(crate) fn kill(&self) {
        self.process.signal_group(Signal::KILL);
        self.process.signal(rustix::process::Signal::KILL);
    }

    /// Waits for its end and reaps it.
    ///
    /// # Errors
    /// If other code has reaped it, so that its status is unknown.
    pub(crate) fn reap(mut self) -> Result<(Status, Usage), StatusTaken> {
        self.state = Ownership::Reaped;
        self.roster.leave(self.process.number());
        self.process.reap()
    }

    /// Stops waiting for a killed process that doesn't end. If it ever ends, a thread reaps it.
    pub(crate) fn leave_behind(mut self) {
        self.state = Ownership::Reaped;
        self.roster.leave(self.process.number());
        let process = Arc::clone(&self.process);
        let reap = move || {
            let _ = process.reap();
        };
        // If the thread can't be created, it stays a zombie until this program ends.
        let _ = thread::Builder::new().name("procpool-left".into()).stack_size(STACK).spawn(reap);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.state == Ownership::Ours {
            self.kill();
            self.roster.leave(self.process.number());
            let _ = self.process.reap();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;
    use crate::data::job::{Seq, Slot};
    use crate::halt::HaltSignal;
    use crate::runner::{Context, RunSignals};

    #[test]
    fn a_process_that_left_its_group_is_killed_all_the_same() {
        // It leads no group, as if it had left it.
        let mut started = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let context = Context::new(
            Seq::FIRST,
            Slot::at(0),
            1,
            RunSignals {
                halt_signal: Arc::new(HaltSignal::new().unwrap()),
                timeout: None,
            },
        );
        let process = sys::ProcessHandle::of(started.id());
        let child = Child::new(process, Arc::default(), RosterEntry::new(&context, Default::default()));
        child.kill();
        assert_eq!(started.wait().unwrap().signal(), Some(9));
        std::mem::forget(child);
    }
}
