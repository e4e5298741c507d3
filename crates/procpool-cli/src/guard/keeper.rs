//! The keeper: parent of the pool, in a session of its own, so that who kills procpool's group leaves one who ends its
//! jobs. It adopts what the pool leaves behind and kills it. It has one thread and never starts a process.

use nix::libc;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitStatus, getppid, kill_process, pidfd_open, pidfd_send_signal,
};

use crate::guard::aftermath::Leftovers;
use crate::guard::signals::Source;
use crate::guard::sweep::{sweep, sweep_after};
use crate::guard::watch::{Awaited, Came, Heard, Line, end_like, next_child, wait_for_news};
use crate::guard::words::{DRAWS, HAS_SEEN, LISTENS, TAKES_LEAVE, signal, signal_from};
use crate::os::sys;
use crate::terminal::screen;

pub(super) struct Keeper {
    pub(super) front: Pid,
    pub(super) pool: Pid,
    pub(super) to_pool: Line,
    pub(super) to_front: Line,
    pub(super) awaited: Awaited,
    pub(super) leftovers: Leftovers,
    pub(super) told: Told,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Pool {
    #[default]
    Runs,
    Stopped,
}

/// What the pool has said, and what the front knows.
#[derive(Clone, Copy, Default)]
pub(super) struct Told {
    listens: bool,
    draws: bool,
    is_orderly: bool,
    /// As wait(2) has told last.
    pool: Pool,
    /// How many of its stops the front has been told of and has not seen yet.
    unseen_stops: u32,
}

impl Keeper {
    /// Stands by until the pool has ended, and ends likewise.
    pub(super) fn stand_by(mut self) -> ! {
        self.awaited.begin();
        // The pool may have ended before anything was waited for.
        self.look_at_children();
        loop {
            wait_for_news(&self.awaited, [&self.to_pool, &self.to_front]);
            self.hear_pool();
            self.hear_front();
            while let Some(came) = self.awaited.next() {
                match came {
                    Came::Child => self.look_at_children(),
                    // It was stopped by hand, or the front is gone, which is heard on its line.
                    Came::Continued => {}
                    Came::ToPassOn(number) => self.pass_on(Source::Keeper, number),
                }
            }
        }
    }

    fn hear_pool(&mut self) {
        while let Heard::Word(word) = self.to_pool.hear() {
            match word {
                LISTENS => self.told.listens = true,
                DRAWS => {
                    self.told.draws = true;
                    self.to_front.say(DRAWS);
                }
                TAKES_LEAVE => self.told.is_orderly = true,
                _ => {}
            }
        }
    }

    fn hear_front(&mut self) {
        loop {
            match self.to_front.hear() {
                Heard::Word(HAS_SEEN) => self.told.unseen_stops = self.told.unseen_stops.saturating_sub(1),
                Heard::Word(word) if i32::from(word) == libc::SIGCONT => self.let_go_on(),
                Heard::Word(word) => self.pass_on(Source::Front, word.into()),
                Heard::Nothing => return,
                Heard::End => self.end_without_front(),
            }
        }
    }

    /// The front was continued. Where its shell has continued the whole group the pool goes on already, and may even have been stopped
    /// again: what the front says without having seen that is of an earlier stop.
    fn let_go_on(&mut self) {
        self.look_at_children();
        match (self.told.pool, self.told.unseen_stops) {
            (Pool::Stopped, 0) => self.signal_pool(Signal::CONT),
            _ if self.told.listens => self.to_pool.say(signal_from(Source::Front, libc::SIGCONT)),
            _ => {}
        }
    }

    fn pass_on(&mut self, source: Source, number: i32) {
        if number == libc::SIGTSTP {
            return self.stop_pool();
        }
        // A pool that waits for its job file is ended or stopped like any program; but a question must not end it.
        if !self.told.listens && ![libc::SIGUSR1, libc::SIGUSR2].contains(&number) {
            return Signal::from_named_raw(number).into_iter().for_each(|signal| self.signal_pool(signal));
        }
        self.to_pool.say(signal_from(source, number));
    }

    /// Sent, and not told: a word would wait through a stop, and CONT doesn't take it back as it does a signal.
    fn stop_pool(&mut self) {
        self.look_at_children();
        // Else the terminal has sent it to the pool too, which has stopped by it, or had before the front was asked.
        if (self.told.pool, self.told.unseen_stops) == (Pool::Runs, 0) {
            self.signal_pool(Signal::TSTP);
        }
    }

    fn signal_pool(&self, signal: Signal) {
        // It is our child and not reaped, so it can't be anybody else.
        let _ = kill_process(self.pool, signal);
    }

    /// Reaps who has ended, and does what the pool did.
    fn look_at_children(&mut self) {
        while let Some((pid, status)) = next_child() {
            if pid != self.pool {
                continue;
            }
            if status.continued() {
                self.goes_on();
                continue;
            }
            match status.stopping_signal() {
                Some(by) => self.is_stopped(by),
                None => self.end(status),
            }
        }
    }

    /// The front stops in this process's place: somebody has to hear that the pool was killed meanwhile.
    fn is_stopped(&mut self, by: i32) {
        self.told.pool = Pool::Stopped;
        self.told.unseen_stops += 1;
        // Before the word, which the front is to hear when it goes on: what it says of a CONT after that, it says of this stop.
        if by == libc::SIGSTOP {
            self.signal_front(Signal::STOP);
        }
        self.to_front.say(signal(by));
    }

    /// So does the front, whoever has continued the pool: nobody else might continue the front, and the command would never end.
    fn goes_on(&mut self) {
        self.told.pool = Pool::Runs;
        self.signal_front(Signal::CONT);
    }

    /// Its number may be another's by the time when a signal goes out, so it is held before it is looked at once more.
    fn signal_front(&self, signal: Signal) {
        if let Ok(held) = pidfd_open(self.front, PidfdFlags::empty()) {
            if getppid() == Some(self.front) {
                let _ = pidfd_send_signal(held, signal);
            }
        }
    }

    fn end(&mut self, status: WaitStatus) -> ! {
        self.hear_pool();
        if self.leftovers != Leftovers::Keep || !self.told.is_orderly {
            sweep(&mut Vec::new());
        }
        if self.told.draws && !self.told.is_orderly {
            screen::wipe();
        }
        self.to_front.say(TAKES_LEAVE);
        end_like(status)
    }

    /// The front was killed: nobody waits for the run any more. The pool hears that its line is closed.
    fn end_without_front(&mut self) -> ! {
        self.to_pool.close();
        sweep_after(self.pool, &mut Vec::new());
        if self.told.draws {
            screen::wipe();
        }
        loop {
            sys::take_default_action(libc::SIGKILL);
        }
    }
}
