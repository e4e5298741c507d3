//! How front and keeper wait: for signals, which they block and read, and for messages on their sockets. Both
//! wait the same way and react differently.

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

/// Signals that are forwarded to the pool, which acts on them or ignores them. All others have their default
/// action on the process that gets them; if that kills it, the others clean up.
const PASSED_ON: [Signal; 7] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGTSTP,
];

/// Signals that a terminal sends to the whole group, again and again, as long as a background process reads
/// or writes. The pool gets them too, and the front stops when the pool does.
const OF_THE_TERMINAL: [Signal; 2] = [Signal::SIGTTIN, Signal::SIGTTOU];

/// The signals that are blocked, and read from a signalfd(2).
pub(super) struct SignalQueue {
    blocked: SigSet,
    descriptor: SignalFd,
}

/// A signal that was read.
pub(super) enum GuardianSignal {
    /// A child has ended or stopped, or may have.
    Child,
    /// This process was continued.
    Continued,
    /// To be forwarded to the pool.
    Forward(i32),
}

impl SignalQueue {
    /// Opens the descriptor. Each process that inherits it reads its own signals from it (signalfd(2)).
    ///
    /// # Errors
    /// The system refuses it. Nothing has changed then.
    pub(super) fn prepare() -> io::Result<SignalQueue> {
        let mut blocked: SigSet = PASSED_ON.into_iter().chain(OF_THE_TERMINAL).collect();
        blocked.add(Signal::SIGCHLD);
        blocked.add(Signal::SIGCONT);
        let descriptor = SignalFd::with_flags(&blocked, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        Ok(SignalQueue { blocked, descriptor })
    }

    /// Blocks them, and unblocks all others.
    pub(super) fn begin(&self) {
        let _ = self.blocked.thread_set_mask();
    }

    /// The next pending signal.
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

/// This end of a socket to another of the three processes.
pub(super) struct Peer(Option<UnixStream>);

/// What reading a socket gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Received {
    Message(u8),
    Nothing,
    /// The process at the other end is gone.
    Closed,
}

impl Peer {
    /// The socket must be nonblocking: a process that doesn't read must not block its guardian.
    pub(super) fn new(socket: UnixStream) -> Peer {
        Peer(Some(socket))
    }

    /// Sends a message. It is dropped if the socket is full or closed: the other end has thousands of them to
    /// read, or is dead.
    pub(super) fn send(&self, message: u8) {
        let _ = self
            .0
            .as_ref()
            .map(|socket| rustix::net::send(socket, &[message], rustix::net::SendFlags::NOSIGNAL));
    }

    /// The other end reads end of file.
    pub(super) fn close(&mut self) {
        self.0 = None;
    }

    /// The next message. After [`Received::Closed`] there is nothing more.
    pub(super) fn receive(&mut self) -> Received {
        let Some(mut socket) = self.0.as_ref() else { return Received::Nothing };
        let mut message = [0];
        match socket.read(&mut message) {
            Ok(1) => Received::Message(message[0]),
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

/// Waits until there may be a signal or a message.
pub(super) fn wait_for_event<const N: usize>(awaited: &SignalQueue, peers: [&Peer; N]) {
    let mut sources = vec![PollFd::from_borrowed_fd(awaited.descriptor.as_fd(), PollFlags::IN)];
    let open = peers.iter().filter_map(|peer| peer.0.as_ref());
    sources.extend(open.map(|socket| PollFd::new(socket, PollFlags::IN)));
    match poll(&mut sources, None) {
        Ok(_) | Err(Errno::INTR) => {}
        // poll(2) fails if the kernel is out of memory. Don't spin.
        Err(_) => thread::sleep(Duration::from_millis(10)),
    }
}

/// The next child that has ended, was stopped or was continued.
pub(super) fn next_child() -> Option<(Pid, WaitStatus)> {
    wait(WaitOptions::NOHANG | WaitOptions::UNTRACED | WaitOptions::CONTINUED).ok().flatten()
}

/// Ends this process with the status of another.
pub(super) fn end_like(status: WaitStatus) -> ! {
    if let Some(signal) = status.terminating_signal() {
        sys::take_default_action(signal);
        // Only reached by the init of a container, which no signal ends.
        process::exit(128 + signal);
    }
    process::exit(status.exit_status().unwrap_or(1))
}
