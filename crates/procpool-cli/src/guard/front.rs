//! The front: the process that was started, and that the shell knows. It passes signals on to the keeper, stops when the pool
//! has stopped, and ends as the pool did. Where the keeper is killed it takes its place.

use std::process;

use nix::libc;
use rustix::process::{Pid, WaitStatus, getpid};

use crate::guard::children::{children_of, number};
use crate::guard::sweep::{sweep, sweep_after};
use crate::guard::watch::{Awaited, Came, Heard, Line, end_like, next_child, wait_for_news};
use crate::guard::words::{DRAWS, HAS_SEEN, TAKES_LEAVE, signal, stopped_by};
use crate::os::sys;
use crate::terminal::screen;
use procpool_journal::os::proc;

pub(super) struct Front {
    pub(super) keeper: Pid,
    pub(super) line: Line,
    pub(super) awaited: Awaited,
    /// Children that this process had before it became procpool: a shell that starts something in the background
    /// and then is replaced (`exec procpool`) leaves them. They are none of ours.
    pub(super) before: Vec<Pid>,
    pub(super) heard: Told,
}

/// What the keeper has said of the pool.
#[derive(Clone, Copy, Default)]
pub(super) struct Told {
    draws: bool,
    nothing_is_left: bool,
}

/// Whether this process was continued, among what has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heeded {
    Continued,
    Others,
}

impl Front {
    /// Stands by until the keeper has ended, and ends likewise.
    pub(super) fn stand_by(mut self) -> ! {
        self.awaited.begin();
        // The keeper may have ended before anything was waited for.
        self.look_at_children();
        loop {
            wait_for_news(&self.awaited, [&self.line]);
            while let Heard::Word(word) = self.hear() {
                if let Some(signal) = stopped_by(word) {
                    self.stop(signal);
                }
            }
            self.heed_signals();
        }
    }

    fn heed_signals(&mut self) -> Heeded {
        let mut heeded = Heeded::Others;
        while let Some(came) = self.awaited.next() {
            match came {
                Came::Child => self.look_at_children(),
                Came::Continued => {
                    heeded = Heeded::Continued;
                    self.line.say(signal(libc::SIGCONT));
                }
                Came::ToPassOn(number) => self.line.say(signal(number)),
            }
        }
        heeded
    }

    fn hear(&mut self) -> Heard {
        let heard = self.line.hear();
        match heard {
            Heard::Word(DRAWS) => self.heard.draws = true,
            Heard::Word(TAKES_LEAVE) => self.heard.nothing_is_left = true,
            _ => {}
        }
        heard
    }

    /// The pool was stopped by this signal. This process stops by it as well, for the shell that waits for it gives the prompt
    /// then, and can continue both. Where the kernel drops the signal, for nobody could continue this process (setpgid(2)) or it
    /// is the first of a container, the pool has to go on.
    fn stop(&mut self, by: i32) {
        self.line.say(HAS_SEEN);
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
        if self.heed_signals() == Heeded::Others {
            self.line.say(signal(libc::SIGCONT));
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
        while let Heard::Word(_) = self.hear() {}
        if !self.heard.nothing_is_left {
            // The keeper was killed. The pool and what was the keeper's are this one's children now.
            match self.pool_below(getpid()) {
                Some(pool) => sweep_after(pool, &mut self.before),
                None => sweep(&mut self.before),
            }
            if self.heard.draws {
                screen::wipe();
            }
        }
        end_like(status)
    }
}
