//! The front: the process that was started, and the only one that the shell knows. It forwards signals to the
//! keeper, stops when the pool has stopped, and ends as the pool did. If the keeper is killed it does the
//! keeper's work.

use std::process;

use nix::libc;
use procpool_journal::os::proc;
use rustix::process::{Pid, WaitStatus, getpid};

use crate::guard::children::{children_of, number};
use crate::guard::messages::{DRAWING, ORDERLY_END, STOP_SEEN, signal, stop_signal};
use crate::guard::sweep::{sweep, sweep_after};
use crate::guard::watch::{
    GuardianSignal, Peer, Received, SignalQueue, end_like, next_child, wait_for_event,
};
use crate::os::sys;
use crate::terminal::screen;

pub(super) struct Front {
    pub(super) keeper: Pid,
    pub(super) keeper_socket: Peer,
    pub(super) awaited: SignalQueue,
    /// Children that this process had before it became procpool: those that a shell had started in the
    /// background before it did `exec procpool`. They are not ours to kill.
    pub(super) before: Vec<Pid>,
    pub(super) reported: KeeperReport,
}

/// What the keeper has reported of the pool.
#[derive(Clone, Copy, Default)]
pub(super) struct KeeperReport {
    draws: bool,
    nothing_is_left: bool,
}

/// Whether a CONT was among the signals that were read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Continuation {
    Yes,
    No,
}

impl Front {
    /// Waits for the end of the keeper, and ends the same way.
    pub(super) fn run(mut self) -> ! {
        self.awaited.begin();
        // The keeper may have ended before SIGCHLD was awaited.
        self.look_at_children();
        loop {
            wait_for_event(&self.awaited, [&self.keeper_socket]);
            while let Received::Message(message) = self.receive() {
                if let Some(signal) = stop_signal(message) {
                    self.stop(signal);
                }
            }
            self.forward_signals();
        }
    }

    fn forward_signals(&mut self) -> Continuation {
        let mut continued = Continuation::No;
        while let Some(event) = self.awaited.next() {
            match event {
                GuardianSignal::Child => self.look_at_children(),
                GuardianSignal::Continued => {
                    continued = Continuation::Yes;
                    self.keeper_socket.send(signal(libc::SIGCONT));
                }
                GuardianSignal::Forward(number) => self.keeper_socket.send(signal(number)),
            }
        }
        continued
    }

    fn receive(&mut self) -> Received {
        let received = self.keeper_socket.receive();
        match received {
            Received::Message(DRAWING) => self.reported.draws = true,
            Received::Message(ORDERLY_END) => self.reported.nothing_is_left = true,
            _ => {}
        }
        received
    }

    /// The pool was stopped by this signal. This process stops by it as well, so that the shell that waits
    /// for it shows its prompt and can continue both. If the kernel drops the signal, because nobody could
    /// continue this process (setpgid(2)) or because it is the init of a container, the pool is continued.
    fn stop(&mut self, by: i32) {
        self.keeper_socket.send(STOP_SEEN);
        // For STOP the keeper stops this process, unless it is the init of a container.
        if by == libc::SIGSTOP && process::id() != 1 {
            return;
        }
        // If the pool has been continued since, the message is out of date. If it is continued later, the
        // keeper continues this process as well.
        let is_stopped = || {
            let pool = self.pool_below(self.keeper).and_then(|pool| proc::stat(number(pool)));
            pool.is_some_and(|pool| pool.is_stopped)
        };
        sys::take_default_action_where(by, is_stopped, || ());
        // Only once: a second CONT could undo the next stop.
        if self.forward_signals() == Continuation::No {
            self.keeper_socket.send(signal(libc::SIGCONT));
        }
    }

    /// Reaps children, and ends if the keeper has.
    fn look_at_children(&mut self) {
        while let Some((pid, status)) = next_child() {
            if status.stopped() || status.continued() {
                continue;
            }
            self.before.retain(|earlier| *earlier != pid);
            if pid == self.keeper {
                self.end(status);
            }
        }
    }

    /// The pool, if it is a child of `parent`. Among the children of this process or of the keeper only the
    /// pool is in this process's group, because jobs have sessions of their own.
    fn pool_below(&self, parent: Pid) -> Option<Pid> {
        let group = proc::stat(process::id())?.group;
        let children = children_of(parent).unwrap_or_default();
        let mut candidates = children.into_iter().filter(|child| !self.before.contains(child));
        candidates.find(|child| proc::stat(number(*child)).is_some_and(|stat| stat.group == group))
    }

    fn end(&mut self, status: WaitStatus) -> ! {
        while let Received::Message(_) = self.receive() {}
        if !self.reported.nothing_is_left {
            // The keeper was killed, and this process has adopted its children, the pool among them.
            match self.pool_below(getpid()) {
                Some(pool) => sweep_after(pool, &mut self.before),
                None => sweep(&mut self.before),
            }
            if self.reported.draws {
                screen::wipe();
            }
        }
        end_like(status)
    }
}
