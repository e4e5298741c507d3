//! How a guardian waits: for signals, which it blocks and reads, for words on its sockets, and for the end of its child.
//! Front and keeper wait in the same way; what they do about it is theirs.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, WaitStatus, wait};

use crate::os::sys;

/// What is passed on to the pool, which knows what to make of it, and which of them to ignore. All others have
/// their usual effect on the guardian that gets them; if that is its end, the others see to the rest.
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
/// has it too, and the front stops when the pool does.
const OF_THE_TERMINAL: [Signal; 2] = [Signal::SIGTTIN, Signal::SIGTTOU];

/// The signals that are awaited, and read.
pub(super) struct SignalQueue {
    blocked: SigSet,
    descriptor: SignalFd,
}

/// A signal that came.
pub(super) enum GuardianSignal {
    /// A child has ended or stopped, or may have.
    Child,
    /// This process was continued.
    Continued,
    /// The pool is to hear of it.
    Forward(i32),
}

impl SignalQueue {
    /// The descriptor serves every process that inherits it: each reads its own signals (signalfd(2)).
    ///
    /// # Errors
    /// Where the system refuses it. Nothing has changed then.
    pub(super) fn prepare() -> io::Result<SignalQueue> {
        let mut blocked: SigSet = PASSED_ON.into_iter().chain(OF_THE_TERMINAL).collect();
        blocked.add(Signal::SIGCHLD);
        blocked.add(Signal::SIGCONT);
        let descriptor = SignalFd::with_flags(&blocked, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        Ok(SignalQueue { blocked, descriptor })
    }

    /// From here on they are read. What isn't awaited may end this process.
    pub(super) fn begin(&self) {
        let _ = self.blocked.thread_set_mask();
    }

    /// The next that has come.
    pub(super) fn next(&self) -> Option<GuardianSignal> {
        loop {
            let number = i32::try_from(self.descriptor.read_signal().ok()??.ssi_signo).unwrap_or_default();
            match Signal::try_from(number) {
                Ok(Signal::SIGCHLD) => return Some(GuardianSignal::Child),
                Ok(Signal::SIGCONT) => return Some(GuardianSignal::Continued),
                Ok(signal) if OF_THE_TERMINAL.contains(&signal) => {}
                _ => return Some(GuardianSignal::Forward(number)),
            }
        }
    }
}

/// One end of a socket to another of the three processes.
pub(super) struct Peer(Option<UnixStream>);

/// What has come on a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Received {
    Message(u8),
    Nothing,
    /// The process at the other end is gone.
    Closed,
}

impl Peer {
    /// Of a socket that never waits: a process that doesn't hear must not hold up who guards it.
    pub(super) fn new(socket: UnixStream) -> Peer {
        Peer(Some(socket))
    }

    /// Full or closed: the other end has thousands of words to read, or has ended.
    pub(super) fn send(&self, word: u8) {
        let _ = self
            .0
            .as_ref()
            .map(|socket| rustix::net::send(socket, &[word], rustix::net::SendFlags::NOSIGNAL));
    }

    /// The other end hears that this one is gone.
    pub(super) fn close(&mut self) {
        self.0 = None;
    }

    /// The next word. After the end there is nothing more.
    pub(super) fn receive(&mut self) -> Received {
        let Some(mut socket) = self.0.as_ref() else { return Received::Nothing };
        let mut word = [0];
        match socket.read(&mut word) {
            Ok(1) => Received::Message(word[0]),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                Received::Nothing
            }
            _ => {
                self.0 = None;
                Received::Closed
            }
        }
    }
}

/// Waits until a signal or a word may have come.
pub(super) fn wait_for_event<const N: usize>(awaited: &SignalQueue, lines: [&Peer; N]) {
    let mut sources = vec![PollFd::from_borrowed_fd(awaited.descriptor.as_fd(), PollFlags::IN)];
    let open = lines.iter().filter_map(|line| line.0.as_ref());
    sources.extend(open.map(|socket| PollFd::new(socket, PollFlags::IN)));
    match poll(&mut sources, None) {
        Ok(_) | Err(Errno::INTR) => {}
        // poll(2) fails where the kernel has no memory; this is no place to spin.
        Err(_) => thread::sleep(Duration::from_millis(10)),
    }
}

/// A child that has ended, was stopped or goes on; `None` where nobody else has.
pub(super) fn next_child() -> Option<(Pid, WaitStatus)> {
    wait(WaitOptions::NOHANG | WaitOptions::UNTRACED | WaitOptions::CONTINUED).ok().flatten()
}

/// Ends this process as that one has ended.
pub(super) fn end_like(status: WaitStatus) -> ! {
    if let Some(signal) = status.terminating_signal() {
        sys::take_default_action(signal);
        // Not reached, unless as the first process of a container, which no signal ends.
        process::exit(128 + signal);
    }
    process::exit(status.exit_status().unwrap_or(1))
}
