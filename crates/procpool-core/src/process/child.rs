//! A process that was started and not yet reaped: the one owner of its number.
//! Knows nothing of its output or why it is signalled.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::thread;

use crate::data::status::Signal;
use crate::data::status::{Status, Usage};
use crate::process::roster::{Roster, RosterEntry};
use crate::sys::{self, StatusTaken};

/// A child that leads a process group of its own.
///
/// As long as this exists we have not reaped the child; and where other code of this program has, `sys` never takes
/// another process for it. Dropping it (a panic on the way) kills the group and reaps.
pub(crate) struct Child {
    process: Arc<sys::ProcessHandle>,
    roster: Arc<Roster>,
    state: Ownership,
}

#[derive(PartialEq)]
enum Ownership {
    Ours,
    /// Or that is somebody else's matter.
    Reaped,
}

/// For a thread that waits and does nothing else; but handlers of the caller's signals may run on it.
const STACK: usize = 128 * 1024;

impl Child {
    /// Takes ownership of a child that was just started, and lists it.
    pub(crate) fn new(process: sys::ProcessHandle, roster: Arc<Roster>, entry: RosterEntry) -> Child {
        let process = Arc::new(process);
        roster.enter(Arc::clone(&process), entry);
        Child { process, roster, state: Ownership::Ours }
    }

    /// Its number, which is nobody else's as long as this exists.
    pub(crate) fn number(&self) -> u32 {
        self.process.number().as_raw_nonzero().get().unsigned_abs()
    }

    /// Readable once the process has ended.
    pub(crate) fn end_event(&self) -> BorrowedFd<'_> {
        self.process.end_event()
    }

    /// Asks the group to end, and lets it go on, so that a process that is stopped hears that.
    pub(crate) fn request_end(&self, signal: Signal) {
        self.roster.note_end(self.process.number());
        self.process.signal_group(signal);
        self.process.signal_group(Signal::CONT);
    }

    /// Stops the group, and the process itself should it have moved to another group.
    pub(crate) fn stop(&self) {
        self.process.signal_group(Signal::STOP);
        self.process.signal(rustix::process::Signal::STOP);
    }

    /// Whether it can't start another process any more.
    pub(crate) fn is_at_rest(&self) -> bool {
        sys::proc::is_at_rest(self.process.number().as_raw_nonzero().get())
    }

    /// Kills the group, and the process itself should it have moved to another group.
    pub(crate) fn kill(&self) {
        self.process.signal_group(Signal::KILL);
        self.process.signal(rustix::process::Signal::KILL);
    }

    /// Waits for its end where it hasn't come yet, and gives its number back to the system.
    ///
    /// # Errors
    /// Where somebody else has done that, so that nobody knows how it ended.
    pub(crate) fn reap(mut self) -> Result<(Status, Usage), StatusTaken> {
        self.state = Ownership::Reaped;
        self.roster.leave(self.process.number());
        self.process.reap()
    }

    /// Goes on without its end, though it was killed. Should that come, its number is given back then.
    pub(crate) fn leave_behind(mut self) {
        self.state = Ownership::Reaped;
        self.roster.leave(self.process.number());
        let process = Arc::clone(&self.process);
        let reap = move || {
            let _ = process.reap();
        };
        // Without a thread it stays a zombie until this program ends.
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
    use crate::runner::Context;
    use crate::runner::RunSignals;

    #[test]
    fn a_process_that_left_its_group_is_killed_all_the_same() {
        // It never had a group of its own: as good as gone from there.
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
