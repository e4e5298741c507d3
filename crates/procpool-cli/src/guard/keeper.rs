//! The keeper: parent of the pool, in a session of its own, so that who kills procpool's group leaves one who ends its
//! jobs. It adopts what the pool leaves behind and kills it. It has one thread and never starts a process.

use nix::libc;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitStatus, getppid, kill_process, pidfd_open, pidfd_send_signal,
};

use crate::guard::cleanup::Leftovers;
use crate::guard::messages::{DRAWING, LISTENING, ORDERLY_END, STOP_SEEN, forwarded_signal, signal};
use crate::guard::signals::SignalSource;
use crate::guard::sweep::{sweep, sweep_after};
use crate::guard::watch::{
    GuardianSignal, Peer, Received, SignalQueue, end_like, next_child, wait_for_event,
};
use crate::os::sys;
use crate::terminal::screen;

pub(super) struct Keeper {
    pub(super) front: Pid,
    pub(super) pool: Pid,
    pub(super) pool_socket: Peer,
    pub(super) front_socket: Peer,
    pub(super) awaited: SignalQueue,
    pub(super) leftovers: Leftovers,
    pub(super) reported: PoolReport,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum PoolState {
    #[default]
    Runs,
    Stopped,
}

/// What the pool has said, and what the front knows.
#[derive(Clone, Copy, Default)]
pub(super) struct PoolReport {
    listens: bool,
    draws: bool,
    is_orderly: bool,
    /// As wait(2) has told last.
    pool: PoolState,
    /// How many of its stops the front has been told of and has not seen yet.
    unseen_stops: u32,
}

impl Keeper {
    /// Stands by until the pool has ended, and ends likewise.
    pub(super) fn run(mut self) -> ! {
        self.awaited.begin();
        // The pool may have ended before anything was waited for.
        self.look_at_children();
        loop {
            wait_for_event(&self.awaited, [&self.pool_socket, &self.front_socket]);
            self.read_pool();
            self.read_front();
            while let Some(signal) = self.awaited.next() {
                match signal {
                    GuardianSignal::Child => self.look_at_children(),
                    // It was stopped by hand, or the front is gone, which is heard on its line.
                    GuardianSignal::Continued => {}
                    GuardianSignal::Forward(number) => self.forward(SignalSource::Keeper, number),
                }
            }
        }
    }

    fn read_pool(&mut self) {
        while let Received::Message(word) = self.pool_socket.receive() {
            match word {
                LISTENING => self.reported.listens = true,
                DRAWING => {
                    self.reported.draws = true;
                    self.front_socket.send(DRAWING);
                }
                ORDERLY_END => self.reported.is_orderly = true,
                _ => {}
            }
        }
    }

    fn read_front(&mut self) {
        loop {
            match self.front_socket.receive() {
                Received::Message(STOP_SEEN) => {
                    self.reported.unseen_stops = self.reported.unseen_stops.saturating_sub(1);
                }
                Received::Message(word) if i32::from(word) == libc::SIGCONT => self.continue_pool(),
                Received::Message(word) => self.forward(SignalSource::Front, word.into()),
                Received::Nothing => return,
                Received::Closed => self.end_without_front(),
            }
        }
    }

    /// The front was continued. Where its shell has continued the whole group the pool goes on already, and may even have been stopped
    /// again: what the front says without having seen that is of an earlier stop.
    fn continue_pool(&mut self) {
        self.look_at_children();
        match (self.reported.pool, self.reported.unseen_stops) {
            (PoolState::Stopped, 0) => self.signal_pool(Signal::CONT),
            _ if self.reported.listens => {
                self.pool_socket.send(forwarded_signal(SignalSource::Front, libc::SIGCONT));
            }
            _ => {}
        }
    }

    fn forward(&mut self, source: SignalSource, number: i32) {
        if number == libc::SIGTSTP {
            return self.stop_pool();
        }
        // A pool that waits for its job file is ended or stopped like any program; but a question must not end it.
        if !self.reported.listens && ![libc::SIGUSR1, libc::SIGUSR2].contains(&number) {
            return Signal::from_named_raw(number).into_iter().for_each(|signal| self.signal_pool(signal));
        }
        self.pool_socket.send(forwarded_signal(source, number));
    }

    /// Sent, and not told: a word would wait through a stop, and CONT doesn't take it back as it does a signal.
    fn stop_pool(&mut self) {
        self.look_at_children();
        // Else the terminal has sent it to the pool too, which has stopped by it, or had before the front was asked.
        if (self.reported.pool, self.reported.unseen_stops) == (PoolState::Runs, 0) {
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
                self.note_continued();
                continue;
            }
            match status.stopping_signal() {
                Some(by) => self.note_stopped(by),
                None => self.end(status),
            }
        }
    }

    /// The front stops in this process's place: somebody has to hear that the pool was killed meanwhile.
    fn note_stopped(&mut self, by: i32) {
        self.reported.pool = PoolState::Stopped;
        self.reported.unseen_stops += 1;
        // Before the word, which the front is to hear when it goes on: what it says of a CONT after that, it says of this stop.
        if by == libc::SIGSTOP {
            self.signal_front(Signal::STOP);
        }
        self.front_socket.send(signal(by));
    }

    /// So does the front, whoever has continued the pool: nobody else might continue the front, and the command would never end.
    fn note_continued(&mut self) {
        self.reported.pool = PoolState::Runs;
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
        self.read_pool();
        if self.leftovers != Leftovers::Keep || !self.reported.is_orderly {
            sweep(&mut Vec::new());
        }
        if self.reported.draws && !self.reported.is_orderly {
            screen::wipe();
        }
        self.front_socket.send(ORDERLY_END);
        end_like(status)
    }

    /// The front was killed: nobody waits for the run any more. The pool hears that its line is closed.
    fn end_without_front(&mut self) -> ! {
        self.pool_socket.close();
        sweep_after(self.pool, &mut Vec::new());
        if self.reported.draws {
            screen::wipe();
        }
        loop {
            sys::take_default_action(libc::SIGKILL);
        }
    }
}
