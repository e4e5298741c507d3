//! The front: the process that was started, and that the shell knows. It passes signals on to the keeper, stops when the pool
//! has stopped, and ends as the pool did. Where the keeper is killed it takes its place.

use std::process;

use nix::libc;
use rustix::process::{Pid, WaitStatus, getpid};

use crate::guard::children::{children_of, number};
use crate::guard::messages::{DRAWING, ORDERLY_END, STOP_SEEN, signal, stop_signal};
use crate::guard::sweep::{sweep, sweep_after};
use crate::guard::watch::{
    GuardianSignal, Peer, Received, SignalQueue, end_like, next_child, wait_for_event,
};
use crate::os::sys;
use crate::terminal::screen;
use procpool_journal::os::proc;

pub(super) struct Front {
    pub(super) keeper: Pid,
    pub(super) keeper_socket: Peer,
    pub(super) awaited: SignalQueue,
    /// Children that this process had before it became procpool: a shell that starts something in the background
    /// and then is replaced (`exec procpool`) leaves them. They are none of ours.
    pub(super) before: Vec<Pid>,
    pub(super) reported: KeeperReport,
}

/// What the keeper has said of the pool.
#[derive(Clone, Copy, Default)]
pub(super) struct KeeperReport {
    draws: bool,
    nothing_is_left: bool,
}

/// Whether this process was continued, among what has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Continuation {
    Yes,
    No,
}

impl Front {
    /// Stands by until the keeper has ended, and ends likewise.
    pub(super) fn run(mut self) -> ! {
        self.awaited.begin();
        // The keeper may have ended before anything was waited for.
        self.look_at_children();
        loop {
            wait_for_event(&self.awaited, [&self.keeper_socket]);
            while let Received::Message(word) = self.receive() {
                if let Some(signal) = stop_signal(word) {
                    self.stop(signal);
                }
            }
            self.forward_signals();
        }
    }

    fn forward_signals(&mut self) -> Continuation {
        let mut continued = Continuation::No;
        while let Some(came) = self.awaited.next() {
            match came {
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

    /// The pool was stopped by this signal. This process stops by it as well, for the shell that waits for it gives the prompt
    /// then, and can continue both. Where the kernel drops the signal, for nobody could continue this process (setpgid(2)) or it
    /// is the first of a container, the pool has to go on.
    fn stop(&mut self, by: i32) {
        self.keeper_socket.send(STOP_SEEN);
        // By STOP the keeper stops this process itself, unless that is the first of a container.
        if by == libc::SIGSTOP && process::id() != 1 {
            return;
        }
        // It may have gone on since: then this word is of an earlier stop. If it goes on after this, the keeper continues this process.
        let is_stopped = || {
            let pool = self.pool_below(self.keeper).and_then(|pool| proc::stat(number(pool)));
            pool.is_some_and(|pool| pool.is_stopped)
        };
        sys::take_default_action_where(by, is_stopped, || ());
        // Once and no more: a second CONT could meet the next stop.
        if self.forward_signals() == Continuation::No {
            self.keeper_socket.send(signal(libc::SIGCONT));
        }
    }

    /// Reaps who has ended, and does what the keeper did.
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

    /// Of all that may be children of this process or of the keeper only the pool is in this one's group: jobs have sessions of
    /// their own.
    fn pool_below(&self, parent: Pid) -> Option<Pid> {
        let group = proc::stat(process::id())?.group;
        let children = children_of(parent).unwrap_or_default();
        let mut ours = children.into_iter().filter(|child| !self.before.contains(child));
        ours.find(|child| proc::stat(number(*child)).is_some_and(|stat| stat.group == group))
    }

    fn end(&mut self, status: WaitStatus) -> ! {
        while let Received::Message(_) = self.receive() {}
        if !self.reported.nothing_is_left {
            // The keeper was killed. The pool and what was the keeper's are this one's children now.
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
