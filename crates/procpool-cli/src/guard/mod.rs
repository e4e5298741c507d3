//! Three processes instead of one: if any of them is killed, or their process group, the others kill all that
//! the run has started. They see only their children, by birth or by adoption, so that they never signal a
//! stranger.
//!
//! The process that was started becomes the **front**, which the shell knows. It forks the **keeper**, and
//! the keeper forks the **pool**, which does all the work. Front and pool stay in the process group that the
//! shell has made. The keeper has a session of its own: it survives a signal to the group, and the kernel
//! doesn't take it for a shell that could continue the others. All three are subreapers (prctl(2)): a process
//! whose parent dies is adopted by the nearest of them that lives, even if it has left its group and session.
//!
//! Two sockets connect them, front to keeper and keeper to pool. End of file means that the other end is
//! dead; forwarded signals and a few `messages` are bytes on them.

mod children;
mod cleanup;
mod front;
mod gate;
mod keeper;
pub(crate) mod leave_running;
mod link;
mod messages;
mod orphans;
pub(crate) mod signals;
pub(crate) mod status;
mod supervision;
mod sweep;
mod takedown;
mod watch;

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, bail};
use nix::sys::signal::SigSet;
use nix::unistd::ForkResult;
pub(crate) use procpool_journal::files::job_mark::{JobMark, MARK_VARIABLE};
pub(crate) use procpool_journal::files::leaked_process::LeakedProcess;
use procpool_journal::os::proc;
use procpool_journal::os::threads;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use rustix::process::{
    Pid, Signal, WaitOptions, getpid, getppid, set_child_subreaper, set_parent_process_death_signal, setsid,
    waitpid,
};
use signal_hook::consts::SIGKILL;

pub(crate) use crate::guard::cleanup::{Leftovers, list};
use crate::guard::front::Front;
pub(crate) use crate::guard::gate::{GatedRun, KeeperGate};
use crate::guard::keeper::Keeper;
pub(crate) use crate::guard::link::GuardianLink;
use crate::guard::messages::ORDERLY_END;
pub(crate) use crate::guard::orphans::Orphans;
pub(crate) use crate::guard::supervision::{Supervision, Supervisor};
use crate::guard::watch::{Peer, SignalQueue};
use crate::os::sys;
use crate::terminal::screen;

/// What the pool has of the guardian: the socket to its keeper, and the orphans that it has adopted itself.
pub(crate) struct Guard {
    pub(crate) keeper_gate: KeeperGate,
    leftovers: Leftovers,
    keeper: Arc<UnixStream>,
    pub(crate) orphans: Arc<Orphans>,
}

/// Sent by the keeper to the front once the pool exists. Without it the front goes on as the only process.
const READY: [u8; 1] = [b'R'];

impl Guard {
    /// Returns in a grandchild, the pool. The caller becomes the front, in which this never returns.
    ///
    /// # Errors
    /// The system refuses it. There is still one process then, and nothing has changed.
    pub(crate) fn enter(leftovers: Leftovers) -> anyhow::Result<Guard> {
        proc::trust()?;
        let mut before =
            children::children_of(getpid()).context("the kernel doesn't list a process's children")?;
        let awaited = SignalQueue::prepare().context("signalfd(2)")?;
        let (keeper_socket, front_socket) = socket_pair()?;
        let front = getpid();
        set_child_subreaper(Some(front)).context("the kernel has no subreapers")?;
        // From here on all signals stay pending until they can be read.
        let _ = SigSet::all().thread_set_mask();
        let forked = fork().context("can't make a second process");
        let result = match forked {
            Ok(ForkResult::Child) => {
                drop(keeper_socket);
                return run_keeper(front, front_socket, awaited, leftovers);
            }
            Ok(ForkResult::Parent { child }) => {
                drop(front_socket);
                let keeper = pid(child);
                read_ready(&keeper_socket, keeper, &mut before).map(|()| keeper)
            }
            Err(error) => Err(error),
        };
        match result {
            Ok(keeper) => {
                let keeper_socket = Peer::new(keeper_socket);
                Front {
                    keeper,
                    keeper_socket,
                    awaited,
                    before,
                    reported: front::KeeperReport::default(),
                }
                .run()
            }
            Err(error) => {
                let _ = set_child_subreaper(None);
                let _ = SigSet::empty().thread_set_mask();
                Err(error)
            }
        }
    }

    /// In the pool, before anything else. Failures are reported and not fatal: there are three processes
    /// already.
    fn in_pool(keeper: Pid, keeper_socket: UnixStream, leftovers: Leftovers) -> Guard {
        let _ = set_child_subreaper(Some(getpid()));
        if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
            screen::say(&format!(
                "procpool: prctl(PR_SET_PDEATHSIG): {error}; killed while it is stopped, procpool may leave jobs behind\n"
            ));
        }
        if getppid() != Some(keeper) {
            // It was killed before the death signal was set.
            sys::take_default_action(SIGKILL);
        }
        // Not earlier: a pending stop would take effect now, and the death of the keeper would not continue
        // this process.
        let _ = SigSet::empty().thread_set_mask();
        Guard {
            keeper_gate: KeeperGate::default(),
            leftovers,
            keeper: Arc::new(keeper_socket),
            orphans: Arc::new(Orphans::new(getpid())),
        }
    }

    /// The connection to the keeper, for a run.
    pub(crate) fn link(&self) -> GuardianLink {
        GuardianLink {
            gate: self.keeper_gate.clone(),
            keeper: Arc::clone(&self.keeper),
            orphans: Arc::clone(&self.orphans),
            leftovers: self.leftovers,
        }
    }

    /// Tells the keeper that this is an orderly exit. If the keeper is dead, blocks until the thread that
    /// listens to it has killed everything.
    pub(crate) fn announce_end(&self) {
        self.keeper_gate.pass();
        let sent = (&*self.keeper).write_all(&[ORDERLY_END]);
        // Only these errors mean that the keeper is dead. After any other nobody would end the wait.
        let is_gone = |error: io::Error| {
            matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
        };
        if sent.is_err_and(is_gone) && self.keeper_gate.is_watched() {
            self.keeper_gate.close();
            self.keeper_gate.pass();
        }
    }
}

/// In the keeper: forks the pool, in which this returns.
fn run_keeper(
    front: Pid,
    front_socket: UnixStream,
    awaited: SignalQueue,
    leftovers: Leftovers,
) -> anyhow::Result<Guard> {
    let (pool, pool_socket) = match make_pool() {
        Ok(Forked::InPool { keeper, keeper_socket }) => {
            drop((front_socket, awaited));
            return Ok(Guard::in_pool(keeper, keeper_socket, leftovers));
        }
        Ok(Forked::InKeeper { pool, pool_socket }) => (pool, pool_socket),
        // The front reads why, and goes on as a single process.
        Err(error) => {
            let _ = (&front_socket).write_all(format!("{error:#}").as_bytes());
            std::process::exit(1);
        }
    };
    // After the fork, so that the pool stays in the group that gets the shell's signals. A session and not
    // just a group: to the kernel, a parent in another group of the same session could continue the group.
    // When such a parent dies while a member of the group is stopped, all members get HUP and CONT
    // (setpgid(2)), also those that are not ours.
    if let Err(error) = setsid() {
        screen::say(&format!(
            "procpool: setsid(2): {error}; a `kill -9` of its process group would leave its jobs behind\n"
        ));
    }
    // If the keeper was stopped by hand and the front is killed, this wakes the keeper, which then reads end
    // of file.
    let _ = set_parent_process_death_signal(Some(Signal::CONT));
    let _ = (&front_socket).write_all(&READY);
    Keeper {
        front,
        pool,
        pool_socket,
        front_socket: Peer::new(front_socket),
        awaited,
        leftovers,
        reported: keeper::PoolReport::default(),
    }
    .run()
}

/// The two ends of the socket between front and keeper. Everything that may fail is done before the fork: a
/// process that went on alone after it would run the jobs beside the other.
fn socket_pair() -> anyhow::Result<(UnixStream, UnixStream)> {
    let (keeper_socket, front_socket) = UnixStream::pair().context("socketpair(2)")?;
    keeper_socket
        .set_nonblocking(true)
        .and_then(|()| front_socket.set_nonblocking(true))
        .context("ioctl(2)")?;
    Ok((keeper_socket, front_socket))
}

enum Forked {
    InPool { keeper: Pid, keeper_socket: UnixStream },
    InKeeper { pool: Pid, pool_socket: Peer },
}

fn make_pool() -> anyhow::Result<Forked> {
    let (pool_socket, keeper_socket) = UnixStream::pair().context("socketpair(2)")?;
    pool_socket.set_nonblocking(true).context("ioctl(2)")?;
    let keeper = getpid();
    set_child_subreaper(Some(keeper)).context("the kernel has no subreapers")?;
    match fork().context("can't make a third process")? {
        ForkResult::Child => Ok(Forked::InPool { keeper, keeper_socket }),
        ForkResult::Parent { child } => {
            drop(keeper_socket);
            Ok(Forked::InKeeper { pool: pid(child), pool_socket: Peer::new(pool_socket) })
        }
    }
}

/// Waits in the front until the keeper has forked the pool.
///
/// # Errors
/// What the keeper said before it exited.
fn read_ready(mut socket: &UnixStream, keeper: Pid, before: &mut Vec<Pid>) -> anyhow::Result<()> {
    let mut said = Vec::new();
    // One byte at a time: what follows is read by the front's own loop.
    let mut message = [0];
    while retry_on_intr(|| poll(&mut [PollFd::new(socket, PollFlags::IN)], None)).is_ok() {
        match socket.read(&mut message) {
            Ok(1) if said.is_empty() && message == READY => return Ok(()),
            Ok(1) => said.extend(message),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            _ => break,
        }
    }
    let reason = String::from_utf8_lossy(&said);
    let ended = retry_on_intr(|| waitpid(Some(keeper), WaitOptions::empty()));
    match ended {
        // It was killed halfway, so this process dies as well.
        Ok(Some((_, status))) if status.signaled() => {
            sweep::sweep(before);
            watch::end_like(status)
        }
        _ => bail!("{reason}"),
    }
}

/// Forks, and tries again for a while if the limit of processes is reached.
fn fork() -> io::Result<ForkResult> {
    let mut pauses = threads::pauses();
    loop {
        match (sys::fork(), pauses.next()) {
            (Err(error), Some(pause)) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(pause),
            (forked, _) => return forked,
        }
    }
}

fn pid(child: nix::unistd::Pid) -> Pid {
    Pid::from_raw(child.as_raw()).expect("BUG: a child without a number")
}
