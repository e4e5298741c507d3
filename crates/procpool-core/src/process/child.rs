//! A process that was started and not yet reaped: the one owner of its number.
//! Knows nothing of its output or why it is signalled.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

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

/// How often a descriptor to watch a child by is asked for again, and how long between: 5 s in all.
const TRIES: u32 = 5000;
const PAUSE: Duration = Duration::from_millis(1);

#[derive(PartialEq)]
enum State {
    Ours,
    Reaped,
}

impl Child {
    /// Takes ownership of a child that was just started, and lists it.
    ///
    /// The start has just closed two descriptors that only the child needs, so there is one to watch it by,
    /// unless another start has it for a moment: then it is waited for. Where it doesn't come back for long,
    /// the child is killed and reaped: nothing of it goes on.
    pub(crate) fn new(pid: Pid, roster: Arc<Roster>, entry: Entry) -> io::Result<Child> {
        let mut left = TRIES;
        loop {
            match sys::pidfd_open(pid) {
                Ok(pidfd) => {
                    roster.enter(pid, entry);
                    return Ok(Child { pid, pidfd, roster, state: State::Ours });
                }
                // Any other error stays what it is: a kernel without pidfd_open(2) gets none by waiting.
                Err(error) if left > 0 && sys::is_descriptor_shortage(&error) => {
                    left -= 1;
                    thread::sleep(PAUSE);
                }
                Err(error) => {
                    sys::signal_group(pid, Signal::KILL);
                    sys::reap(pid);
                    return Err(error);
                }
            }
        }
    }

    /// Its number, which is nobody else's as long as this exists.
    pub(crate) fn number(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Readable once the process has ended.
    pub(crate) fn end_event(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    pub(crate) fn signal_group(&self, signal: Signal) {
        sys::signal_group(self.pid, signal);
    }

    /// Kills the group, and the process itself should it have moved to another group.
    pub(crate) fn kill(&self) {
        sys::signal_group(self.pid, Signal::KILL);
        sys::kill(self.pidfd.as_fd());
    }

    pub(crate) fn limit_descriptors(&self, soft: u64) {
        sys::limit_descriptors(self.pid, soft);
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
        let child = Child::new(pid, Arc::default(), Entry::new(&context, Default::default())).unwrap();
        child.kill();
        assert_eq!(started.wait().unwrap().signal(), Some(9));
        std::mem::forget(child);
    }
}
