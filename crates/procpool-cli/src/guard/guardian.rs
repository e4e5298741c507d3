//! The guardian: waits for signals and for its pool's end, ends what is left, and ends as the pool did.
//! Knows nothing of runs. It has one thread and never starts a process.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal};
use rustix::process::{Pid, WaitOptions, WaitStatus, getpid, kill_process, wait};

use crate::guard::orphans::children_of;
use crate::{proc, screen, sys};

/// What the guardian does about processes that are left when the pool has come to an orderly end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leftovers {
    /// They are killed.
    Kill,
    /// They may live on. Where the pool was killed they are killed all the same: the guardian can't tell what
    /// was meant to be kept from a job that ran.
    Keep,
}

pub(super) struct Guardian {
    pub(super) pool: Pid,
    /// Non-blocking: a pool that doesn't hear must not hold up its guardian.
    pub(super) link: UnixStream,
    /// The pool hears what is passed on.
    pub(super) is_heard: bool,
    /// The pool may have drawn something on the terminal.
    pub(super) draws: bool,
    pub(super) leftovers: Leftovers,
    /// Children that this process had before it became procpool: a shell that starts something in the background
    /// and then is replaced (`exec procpool`) leaves them. They are none of ours.
    pub(super) before: Vec<Pid>,
}

/// What the pool says to its guardian: that it listens from now on, that it may draw on the terminal, and that its
/// end is an orderly one.
pub(super) const LISTENS: u8 = b'?';
pub(super) const DRAWS: u8 = b'~';
pub(super) const TAKES_LEAVE: u8 = b'!';

/// What is passed on to the pool, which knows what to make of it, and which of them to ignore. All others have
/// their usual effect on this process; if that is its end, the pool sees to the rest.
const PASSED_ON: [Signal; 7] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGTSTP,
];

/// What a terminal sends to the whole group, time and again as long as somebody reads in the background. The pool
/// has it too, and this process stops when the pool does.
const OF_THE_TERMINAL: [Signal; 2] = [Signal::SIGTTIN, Signal::SIGTTOU];

/// After this long what still lives can't be killed: another user's, or waiting for a dead disk.
const LAST_EFFORT: Duration = Duration::from_secs(5);

impl Guardian {
    /// Stands by until the pool has ended, and ends likewise.
    pub(super) fn stand_by(mut self) -> ! {
        let mut awaited: SigSet = PASSED_ON.into_iter().chain(OF_THE_TERMINAL).collect();
        awaited.add(Signal::SIGCHLD);
        awaited.add(Signal::SIGCONT);
        // What it doesn't wait for may end it.
        let _ = awaited.thread_set_mask();
        // The pool may have ended before anything was waited for.
        self.look_at_children();
        loop {
            match awaited.wait() {
                Ok(Signal::SIGCHLD) => self.look_at_children(),
                Ok(Signal::SIGCONT) => self.signal_pool(rustix::process::Signal::CONT),
                Ok(signal) if OF_THE_TERMINAL.contains(&signal) => {}
                Ok(signal) => self.pass_on(signal),
                // sigwait(3) fails for no reason that can arise here; this is no place to spin.
                Err(_) => thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    fn pass_on(&mut self, signal: Signal) {
        self.is_heard = self.is_heard || self.pool_says(LISTENS);
        // A pool that waits for its job file is ended or stopped like any program; but a question must not end it.
        if !self.is_heard && !matches!(signal, Signal::SIGUSR1 | Signal::SIGUSR2) {
            let direct = rustix::process::Signal::from_named_raw(signal as i32);
            return direct.into_iter().for_each(|signal| self.signal_pool(signal));
        }
        let number = u8::try_from(signal as i32).unwrap_or(u8::MAX);
        // Full or closed: the pool has thousands of them to read, or has ended.
        let _ = self.link.write(&[number]);
    }

    fn signal_pool(&self, signal: rustix::process::Signal) {
        // It is our child and not reaped, so it can't be anybody else.
        let _ = kill_process(self.pool, signal);
    }

    /// Reaps who has ended, and does what the pool did.
    fn look_at_children(&mut self) {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG | WaitOptions::UNTRACED) {
            if pid != self.pool {
                if !status.stopped() {
                    self.before.retain(|earlier| *earlier != pid);
                }
            } else if let Some(signal) = status.stopping_signal() {
                // So that the shell that waits for this process gives the prompt, and can continue both.
                sys::take_default_action(signal);
            } else {
                self.end(status);
            }
        }
    }

    fn end(&mut self, status: WaitStatus) -> ! {
        let is_orderly = self.pool_says(TAKES_LEAVE);
        if self.leftovers == Leftovers::Kill || !is_orderly {
            self.sweep();
        }
        if self.draws && !is_orderly {
            screen::wipe();
        }
        if let Some(signal) = status.terminating_signal() {
            sys::take_default_action(signal);
            // Not reached, unless as the first process of a container, which no signal ends.
            process::exit(128 + signal);
        }
        process::exit(status.exit_status().unwrap_or(1))
    }

    /// Whether this is among what it has said and nobody has read yet.
    fn pool_says(&mut self, what: u8) -> bool {
        let mut said = [0];
        while let Ok(1) = self.link.read(&mut said) {
            self.draws |= said == [DRAWS];
            if said == [what] {
                return true;
            }
        }
        false
    }

    /// Kills all that are left, until nobody is: what a process leaves behind when it is killed becomes a child
    /// of this one.
    fn sweep(&mut self) {
        let until = Instant::now() + LAST_EFFORT;
        loop {
            while let Ok(Some((pid, _))) = wait(WaitOptions::NOHANG) {
                self.before.retain(|earlier| *earlier != pid);
            }
            let left = self.left();
            if left.is_empty() {
                return;
            }
            for pid in &left {
                let _ = kill_process(*pid, rustix::process::Signal::KILL);
            }
            if Instant::now() > until {
                return give_up(&left);
            }
            // A process that forks and forks is faster than a long sleep.
            thread::sleep(Duration::from_micros(200));
        }
    }

    fn left(&self) -> Vec<Pid> {
        let children = children_of(getpid()).unwrap_or_default();
        children.into_iter().filter(|child| !self.before.contains(child)).collect()
    }
}

fn give_up(left: &[Pid]) {
    let describe = |pid: &Pid| format!("{pid} ({})", proc::name(pid.as_raw_nonzero().get().unsigned_abs()));
    let list: Vec<String> = left.iter().map(describe).collect();
    let text = format!("procpool: these processes of the run could not be killed: {}\n", list.join(", "));
    // Whoever can't see it can't be helped.
    screen::say(&text);
}
