//! A process that was started and not yet reaped: the one owner of its number.
//! Knows nothing of its output or why it is signalled.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use crate::process::roster::{Entry, Roster};
use crate::signal::Signal;
use crate::status::{Status, Usage};
use crate::sys::{self, Pid};

/// A child that leads a process group of its own.
///
/// As long as this exists nobody has reaped the child, so its number and its group's can't have been given
/// to anybody else: signalling them is safe. Dropping it (a panic on the way) kills the group and reaps.
pub(crate) struct Child {
    pid: Pid,
    pidfd: OwnedFd,
    roster: Arc<Roster>,
    state: State,
}

#[derive(PartialEq)]
enum State {
    Ours,
    Reaped,
}

impl Child {
    /// Takes ownership of a child that was just started, with the descriptor to watch it by, and lists it.
    pub(crate) fn new((pid, pidfd): (Pid, OwnedFd), roster: Arc<Roster>, entry: Entry) -> Child {
        roster.enter(pid, entry);
        Child { pid, pidfd, roster, state: State::Ours }
    }

    /// Its number, which is nobody else's as long as this exists.
    pub(crate) fn number(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Readable once the process has ended.
    pub(crate) fn end_event(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Asks the group to end, and lets it go on, so that a process that is stopped hears that.
    pub(crate) fn ask(&self, signal: Signal) {
        self.roster.note_end(self.pid);
        sys::signal_group(self.pid, signal);
        sys::signal_group(self.pid, Signal::CONT);
    }

    /// Stops the group, and the process itself should it have moved to another group.
    pub(crate) fn stop(&self) {
        sys::signal_group(self.pid, Signal::STOP);
        let _ = rustix::process::pidfd_send_signal(&self.pidfd, rustix::process::Signal::STOP);
    }

    /// Whether it can't start another process any more.
    pub(crate) fn is_at_rest(&self) -> bool {
        sys::proc::is_at_rest(self.pid.as_raw_nonzero().get())
    }

    /// Kills the group, and the process itself should it have moved to another group.
    pub(crate) fn kill(&self) {
        sys::signal_group(self.pid, Signal::KILL);
        sys::kill(self.pidfd.as_fd());
    }

    /// Waits for its end where it hasn't come yet, and gives its number back to the system.
    pub(crate) fn reap(mut self) -> (Status, Usage) {
        self.state = State::Reaped;
        self.roster.leave(self.pid);
        sys::reap(self.pid)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.state == State::Ours {
            self.kill();
            self.roster.leave(self.pid);
            sys::reap(self.pid);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;
    use crate::halt::Brake;
    use crate::id::{Seq, Slot};
    use crate::runner::Context;
    use crate::runner::Steering;

    #[test]
    fn a_process_that_left_its_group_is_killed_all_the_same() {
        // It never had a group of its own: as good as gone from there.
        let mut started = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let pid = Pid::from_raw(started.id().try_into().unwrap()).unwrap();
        let context = Context::new(
            Seq::FIRST,
            Slot::at(0),
            1,
            Steering { brake: Arc::new(Brake::new().unwrap()), timeout: None },
        );
        let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap();
        let child = Child::new((pid, pidfd), Arc::default(), Entry::new(&context, Default::default()));
        child.kill();
        assert_eq!(started.wait().unwrap().signal(), Some(9));
        std::mem::forget(child);
    }
}
