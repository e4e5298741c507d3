//! Starts a process in the caller's memory, as vfork(2) does: nothing of it is copied. Where that is refused, step by
//! step as `ladder.rs` says.
//! Where a program is found and what an error means is not known here.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

use rustix::io::retry_on_intr;
use rustix::process::{Pid, Resource, Rlimit, WaitOptions, getrlimit, prlimit, waitpid};

use crate::sys::image::Image;
use crate::sys::linux::birth::{self, Birth};
use crate::sys::linux::ladder::{Call, Rung};
use crate::sys::linux::process::Process;
use crate::sys::trouble::{Failure, is_refusal};
use crate::sys::unix;
use crate::sys::unix::waiter::Waiter;

/// Starts it as the leader of a session and a process group of its own, with every signal at its default and none
/// blocked, whatever the caller has inherited, and with no descriptor but the standard three.
///
/// In a session of its own the process has no terminal, so that `/dev/tty` fails at once (`ENXIO`, tty(4)) where
/// reading it from a background group would stop it.
///
/// `posix_spawn(3)` does the same, and takes half as long again where several threads start processes at once: it maps
/// and unmaps a stack for each child, which halts all threads of the process for a moment, and asks for the limit
/// of descriptors seven times. std's `Command` starts no session and resets no signals without `fork(2)`.
pub(crate) fn start(image: &Image<'_>) -> Result<Process, Failure> {
    let (arguments, environment) = (image.argument_pointers(), image.environment_pointers());
    loop {
        let rung = Rung::now();
        if rung == Rung::Posix {
            return start_by_posix(image);
        }
        let birth = Birth::new(image, &arguments, &environment, rung);
        let (call, source) = match start_on(rung, &birth) {
            Ok(process) => return Ok(process),
            Err(Trouble::Here(failure)) => return Err(failure),
            Err(Trouble::Step(call, error)) => (call, error),
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
    Step(Call, io::Error),
}

fn start_on(rung: Rung, birth: &Birth<'_>) -> Result<Process, Trouble> {
    // Before the process: what runs must never be without somebody who waits for it.
    let waiter = rung.is_waited().then(Waiter::prepare).transpose().map_err(Trouble::Here)?;
    let pid = birth.bear().map_err(|error| Trouble::Step(Call::Clone, error))?;
    // Of clone(2) or of the child, which has it in common with us.
    // SAFETY: it has just been made, for us.
    #[expect(unsafe_code, reason = "the descriptor comes from clone(2)")]
    let pidfd = birth.pidfd().map(|pidfd| unsafe { OwnedFd::from_raw_fd(pidfd) });
    if let Some((call, number)) = birth.trouble() {
        // It has ended already, or is about to.
        let _ = retry_on_intr(|| waitpid(Some(pid), WaitOptions::empty()));
        return Err(Trouble::Step(call, io::Error::from_raw_os_error(number)));
    }
    birth.settle();
    Ok(match waiter {
        Some(waiter) => Process::Waited(waiter.watch(pid)),
        None => Process::Held {
            pid,
            pidfd: pidfd.expect("BUG: a child without a pidfd said nothing of it"),
        },
    })
}

impl Rung {
    /// This one, where what a child writes is seen here: an emulator makes a fork(2) of clone(2), and then a child that fails
    /// could not tell.
    fn or_lowest(self) -> Result<Rung, Failure> {
        if self == Rung::Posix {
            return Ok(self);
        }
        match birth::shares_memory() {
            Ok(true) => Ok(self),
            Ok(false) => Ok(Rung::Posix),
            Err(error) if is_refusal(&error) => Ok(Rung::Posix),
            Err(error) => Err(Failure { call: "clone", source: error }),
        }
    }
}

fn start_by_posix(image: &Image<'_>) -> Result<Process, Failure> {
    let process = unix::start::start(image)?;
    if let Some(soft) = image.descriptor_limit {
        // A moment late: what the program does first may still see the caller's.
        limit_descriptors(process.number(), soft);
    }
    Ok(Process::Waited(process))
}

fn limit_descriptors(pid: Pid, soft: u64) {
    let hard = getrlimit(Resource::Nofile).maximum;
    let current = Some(hard.map_or(soft, |hard| soft.min(hard)));
    // A limit that may not be set is no reason not to run.
    let _ = prlimit(Some(pid), Resource::Nofile, Rlimit { current, maximum: hard });
}
