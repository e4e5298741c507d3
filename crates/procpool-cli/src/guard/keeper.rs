//! The keeper: parent of the pool, in a session of its own, so that a KILL to procpool's group leaves
//! somebody who kills its jobs. It adopts what the pool leaves behind and kills it. It has one thread and
//! starts no process but the pool.

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

/// What the pool has reported, and what the front knows of it.
#[derive(Clone, Copy, Default)]
pub(super) struct PoolReport {
    listens: bool,
    draws: bool,
    is_orderly: bool,
    /// By the latest wait(2).
    pool: PoolState,
    /// How many stops have been sent to the front that it has not acknowledged.
    unseen_stops: u32,
}

impl Keeper {
    /// Waits for the end of the pool, and ends the same way.
    pub(super) fn run(mut self) -> ! {
        self.awaited.begin();
        // The pool may have ended before SIGCHLD was awaited.
        self.look_at_children();
        loop {
            wait_for_event(&self.awaited, [&self.pool_socket, &self.front_socket]);
            self.read_pool();
            self.read_front();
            while let Some(event) = self.awaited.next() {
                match event {
                    GuardianSignal::Child => self.look_at_children(),
                    // This process was stopped by hand, or the front is dead, which its socket tells.
                    GuardianSignal::Continued => {}
                    GuardianSignal::Forward(number) => self.forward(SignalSource::Keeper, number),
                }
            }
        }
    }

    fn read_pool(&mut self) {
        while let Received::Message(message) = self.pool_socket.receive() {
            match message {
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
                Received::Message(message) if i32::from(message) == libc::SIGCONT => self.continue_pool(),
                Received::Message(message) => self.forward(SignalSource::Front, message.into()),
                Received::Nothing => return,
                Received::Closed => self.end_without_front(),
            }
        }
    }

    /// The front was continued. If the shell has continued the whole group, the pool runs already, and may
    /// even have been stopped again: a CONT from a front that has not seen that stop belongs to an earlier
    /// one.
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
        // A pool that is still reading its job file ends or stops like any program; but USR1 and USR2 must
        // not end it.
        if !self.reported.listens && ![libc::SIGUSR1, libc::SIGUSR2].contains(&number) {
            return Signal::from_named_raw(number).into_iter().for_each(|signal| self.signal_pool(signal));
        }
        self.pool_socket.send(forwarded_signal(source, number));
    }

    /// Sends a signal and not a message: CONT cancels a pending TSTP, but no byte on a socket.
    fn stop_pool(&mut self) {
        self.look_at_children();
        // Otherwise the pool has stopped already, by the TSTP that the terminal sent to it as well.
        if (self.reported.pool, self.reported.unseen_stops) == (PoolState::Runs, 0) {
            self.signal_pool(Signal::TSTP);
        }
    }

    fn signal_pool(&self, signal: Signal) {
        // An unreaped child: its number can't belong to another process.
        let _ = kill_process(self.pool, signal);
    }

    /// Reaps children, and follows the pool: stops the front, continues it, or ends.
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

    /// Has the front stop. This process never stops: it has to notice if the pool is killed meanwhile.
    fn note_stopped(&mut self, by: i32) {
        self.reported.pool = PoolState::Stopped;
        self.reported.unseen_stops += 1;
        // Before the message, which the front reads when it is continued: the CONT that it then reports
        // belongs to this stop.
        if by == libc::SIGSTOP {
            self.signal_front(Signal::STOP);
        }
        self.front_socket.send(signal(by));
    }

    /// Continues the front as well, whoever has continued the pool: if nobody else did, the command would
    /// never end.
    fn note_continued(&mut self) {
        self.reported.pool = PoolState::Runs;
        self.signal_front(Signal::CONT);
    }

    /// The front is not our child, so its number may be reused at any time. A pidfd is opened first, and then
    /// it is checked that the number is still our parent's.
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

    /// The front was killed: nobody waits for the run any more. The pool reads end of file, and kills
    /// everything.
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
