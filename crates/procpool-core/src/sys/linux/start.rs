//! Starts a process in the caller's memory, as vfork(2) does: nothing of it is copied. Where that is refused, step by
//! step as `ladder.rs` says. How long the child takes to become its program is the matter of `loading.rs`.
//! Where a program is found and what an error means is not known here.

use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};

use rustix::io::retry_on_intr;
use rustix::process::{Pid, Resource, Rlimit, WaitOptions, getrlimit, prlimit, waitpid};

use crate::sys::image::Image;
use crate::sys::linux::birth::{self, Birth};
use crate::sys::linux::ladder::{Call, Rung};
use crate::sys::linux::loading::{self, Loading, Memory};
use crate::sys::linux::process::Process;
use crate::sys::trouble::{Failure, is_refusal};
use crate::sys::unix;
use crate::sys::unix::waiter::Waiter;

/// A process that was started.
pub(crate) struct Started {
    pub(crate) process: Process,
    /// Whether it is its program yet.
    pub(crate) loading: Loading,
}

/// Starts it as the leader of a session and a process group of its own, with every signal at its default and none
/// blocked, whatever the caller has inherited, and with no descriptor but the standard three: `streams` are its input, output
/// and error, `None` the caller's own. None of them may be descriptor 0, 1 or 2.
///
/// What the command names, its program, its directory and the file of its input, is looked up by the child. So a process that
/// fails at that is one that was started and ends; and one that takes long is left to its way.
///
/// In a session of its own the process has no terminal, so that `/dev/tty` fails at once (`ENXIO`, tty(4)) where
/// reading it from a background group would stop it.
///
/// `posix_spawn(3)` does the same, and takes half as long again where several threads start processes at once: it maps
/// and unmaps a stack for each child, which halts all threads of the process for a moment, and asks for the limit
/// of descriptors seven times. std's `Command` starts no session and resets no signals without `fork(2)`.
pub(crate) fn start(image: Image, streams: [Option<BorrowedFd<'_>>; 3]) -> Result<Started, Failure> {
    let mut image = image;
    loop {
        let rung = Rung::now();
        if rung == Rung::Posix {
            return start_by_posix(image, streams);
        }
        let (call, source) = match start_on(rung, Birth::new(image, streams, rung)) {
            Ok(started) => return Ok(started),
            Err(Trouble::Here(failure)) => return Err(failure),
            Err(Trouble::Step(call, error, birth)) => {
                image = birth.image;
                (call, error)
            }
        };
        // Nothing has run: a child that fails says so before it becomes its program.
        let below = rung.below(call).filter(|_| call == Call::ClonePidfd || is_refusal(&source));
        match below {
            Some(below) => below.or_lowest()?.settle(),
            None => return Err(Failure { call: call.name(), source }),
        }
    }
}

/// Whether a process can be made to end with its parent here, as far as that is known by now.
pub(crate) fn ends_orphans() -> bool {
    Rung::now() != Rung::Posix && birth::can_end_with_parent()
}

enum Trouble {
    /// Before there was a child, and no matter of steps.
    Here(Failure),
    Step(Call, io::Error, Box<Birth>),
}

fn start_on(rung: Rung, birth: Birth) -> Result<Started, Trouble> {
    // Before the process: what runs must never be without somebody who waits for it.
    let waiter = rung.is_waited().then(Waiter::prepare).transpose().map_err(Trouble::Here)?;
    let mut memory = Memory::new(birth);
    let pid = match memory.bear() {
        Ok(pid) => pid,
        Err(error) => return Err(Trouble::Step(Call::Clone, error, memory.into_birth())),
    };
    memory.wait();
    let birth = memory.birth();
    // Of clone(2) or of the child, which has it in common with us.
    let pidfd = Some(birth.pidfd.get()).filter(|fd| *fd >= 0);
    // SAFETY: it has just been made, for us.
    #[expect(unsafe_code, reason = "the descriptor comes from clone(2)")]
    let pidfd = pidfd.map(|pidfd| unsafe { OwnedFd::from_raw_fd(pidfd) });
    let early = if birth.is_bare() { None } else { birth.trouble.get() };
    if let Some((call, number)) = early {
        // It has ended already, or is about to.
        let _ = retry_on_intr(|| waitpid(Some(pid), WaitOptions::empty()));
        let error = io::Error::from_raw_os_error(number);
        return Err(Trouble::Step(call, error, memory.into_birth()));
    }
    birth.settle();
    let process = match waiter {
        Some(waiter) => Process::Waited(waiter.watch(pid)),
        None => Process::Held {
            pid,
            pidfd: pidfd.expect("BUG: a child without a pidfd said nothing of it"),
        },
    };
    Ok(Started { process, loading: Loading::Child(memory) })
}

impl Rung {
    /// This one, where what a child writes is seen here: an emulator makes a fork(2) of clone(2), and then a child that fails
    /// could not tell.
    fn or_lowest(self) -> Result<Rung, Failure> {
        if self == Rung::Posix {
            return Ok(self);
        }
        match loading::shares_memory() {
            Ok(true) => Ok(self),
            Ok(false) => Ok(Rung::Posix),
            Err(error) if is_refusal(&error) => Ok(Rung::Posix),
            Err(error) => Err(Failure { call: "clone", source: error }),
        }
    }
}

fn start_by_posix(image: Image, streams: [Option<BorrowedFd<'_>>; 3]) -> Result<Started, Failure> {
    let limit = image.descriptor_limit;
    let started = unix::start::start(image, streams)?;
    if let Some(soft) = limit {
        // A moment late: what the program does first may still see the caller's.
        limit_descriptors(started.process.number(), soft);
    }
    Ok(Started {
        process: Process::Waited(started.process),
        loading: Loading::Done(started.loading),
    })
}

fn limit_descriptors(pid: Pid, soft: u64) {
    let hard = getrlimit(Resource::Nofile).maximum;
    let current = Some(hard.map_or(soft, |hard| soft.min(hard)));
    // A limit that may not be set is no reason not to run.
    let _ = prlimit(Some(pid), Resource::Nofile, Rlimit { current, maximum: hard });
}
