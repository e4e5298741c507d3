//! Two processes in the place of one: whichever of them is killed, the other ends all that the run has started.
//! Knows nothing of jobs; a process that is a child of ours, by birth or by adoption, is all it sees.
//!
//! The process that was started becomes the guardian and forks the pool, which does all the work. Both are
//! subreapers (prctl(2)): a process whose parent dies becomes a child of the pool, also where it has left its
//! group and session; and where the pool dies, all of them become children of the guardian. They hold the two
//! ends of one socket. Its end of file tells the pool that the guardian is dead; through it the guardian passes
//! on what signals it gets, and the pool says at last that its end is an orderly one.

mod guardian;
mod orphans;

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::sys::signal::SigSet;
use nix::unistd::ForkResult;
use procpool_core::{Handle, Processes};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::process::{
    Pid, Signal, getpid, getppid, kill_process, set_child_subreaper, set_parent_process_death_signal,
};
use signal_hook::consts::SIGKILL;

use crate::exit;
pub(crate) use crate::guard::guardian::Leftovers;
use crate::guard::guardian::{DRAWS, Guardian, LISTENS, TAKES_LEAVE};
pub(crate) use crate::guard::orphans::{MARK, Mark, Orphans};
use crate::signals::{Obedience, Source};
use crate::{screen, sys};

/// Whether the guardian is dead. Clones know together.
#[derive(Clone, Default)]
pub(crate) struct Alone(Arc<AtomicBool>);

/// Whether somebody listens to the guardian, and will end everything when it is dead. Clones know together.
#[derive(Clone, Default)]
struct Heard(Arc<AtomicBool>);

/// The pool's side: that it has a guardian, and the orphans that it has adopted itself.
pub(crate) struct Guard {
    pub(crate) alone: Alone,
    heard: Heard,
    leftovers: Leftovers,
    guardian: Arc<UnixStream>,
    pub(crate) orphans: Arc<Orphans>,
}

/// The way on which the guardian is heard.
pub(crate) struct Link {
    pub(crate) alone: Alone,
    heard: Heard,
    guardian: Arc<UnixStream>,
    orphans: Arc<Orphans>,
}

/// Who listens to the guardian, and waits until a run can be told.
pub(crate) struct Ear {
    listener: SyncSender<Ruler>,
    heard: Heard,
}

/// By what a run is ruled.
pub(crate) struct Ruler {
    pub(crate) obedience: Obedience,
    pub(crate) handle: Handle,
    pub(crate) processes: Processes,
}

/// How often adopted processes that have ended are reaped.
const ROUND: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// How long the pool tries to end everything once the guardian is dead.
const LAST_EFFORT: Duration = Duration::from_secs(1);

impl Guard {
    /// Returns in a child of the process that called it, which stays behind as the guardian, and never returns.
    ///
    /// # Errors
    /// Where the system can't do it. Then there is still one process, and nothing has changed.
    pub(crate) fn enter(leftovers: Leftovers) -> anyhow::Result<Guard> {
        let before =
            orphans::children_of(getpid()).context("the kernel doesn't list a process's children")?;
        let (ours, theirs) = UnixStream::pair().context("no socket")?;
        theirs.set_nonblocking(true).context("no socket")?;
        set_child_subreaper(Some(getpid())).context("the kernel has no subreapers")?;
        // From here on the guardian waits for signals, and must not die of one.
        SigSet::all().thread_set_mask().context("can't hold signals back")?;
        let guardian = getpid();
        match sys::fork() {
            Ok(ForkResult::Parent { child }) => {
                drop(ours);
                let pool = Pid::from_raw(child.as_raw()).expect("BUG: a child without a number");
                Guardian {
                    pool,
                    link: theirs,
                    is_heard: false,
                    draws: false,
                    leftovers,
                    before,
                }
                .stand_by()
            }
            Ok(ForkResult::Child) => {
                drop(theirs);
                Ok(Guard::follow(guardian, ours, leftovers))
            }
            Err(error) => {
                let _ = SigSet::empty().thread_set_mask();
                let _ = set_child_subreaper(None);
                Err(error).context("can't make a second process")
            }
        }
    }

    /// In the pool, before anything else. What the system has just done for the guardian it does here too; if it
    /// doesn't, there are two processes that rely on each other and can't, and this one ends.
    fn follow(guardian: Pid, link: UnixStream, leftovers: Leftovers) -> Guard {
        let _ = SigSet::empty().thread_set_mask();
        // Until it listens there is nothing that it could leave behind.
        let followed = set_child_subreaper(Some(getpid()))
            .and_then(|()| set_parent_process_death_signal(Some(Signal::KILL)));
        if let Err(error) = followed {
            exit::own_failure(&anyhow::Error::from(error).context("can't follow the guardian")).leave();
        }
        if getppid() != Some(guardian) {
            // It was killed before it could be followed.
            sys::take_default_action(SIGKILL);
        }
        Guard {
            alone: Alone::default(),
            heard: Heard::default(),
            leftovers,
            guardian: Arc::new(link),
            orphans: Arc::new(Orphans::new(getpid())),
        }
    }

    /// What the pool needs to hear the guardian.
    pub(crate) fn link(&self) -> Link {
        Link {
            alone: self.alone.clone(),
            heard: self.heard.clone(),
            guardian: Arc::clone(&self.guardian),
            orphans: Arc::clone(&self.orphans),
        }
    }

    /// Tells the guardian that all jobs have ended and all that there is to say has been said. Comes back only
    /// where it has heard of it: where it is dead, whoever listens to it has yet to end what is left.
    pub(crate) fn take_leave(&self) {
        self.alone.hold();
        if self.leftovers == Leftovers::Kill {
            // Now already: the guardian may be killed between this and the end.
            self.orphans.end_all();
        }
        if (&*self.guardian).write_all(&[TAKES_LEAVE]).is_err() && self.heard.0.load(Ordering::Acquire) {
            loop {
                thread::park();
            }
        }
    }
}

impl Alone {
    /// Comes back only where the guardian lives. Where it doesn't, everything is being killed, this process last:
    /// what would be told of that is wrong, and this process must not be gone before the others are.
    pub(crate) fn hold(&self) {
        while self.0.load(Ordering::Acquire) {
            thread::park();
        }
    }
}

impl Link {
    /// Has the guardian pass signals on from now on, instead of sending them: so each is known to be one and the
    /// same where this process gets it as well. Before signals are caught.
    pub(crate) fn announce(&self) -> anyhow::Result<()> {
        // A pool that is stopped would not hear that its guardian is dead, and would stay, with its jobs.
        set_parent_process_death_signal(Some(Signal::CONT)).context("can't follow the guardian")?;
        // It may be dead; that is heard soon enough.
        let _ = (&*self.guardian).write_all(&[LISTENS]);
        Ok(())
    }

    /// Has the guardian tidy up the terminal where this process is killed.
    pub(crate) fn announce_display(&self) {
        let _ = (&*self.guardian).write_all(&[DRAWS]);
    }

    /// Hears the guardian, on a thread of its own, once there is somebody to tell: what it passes on is obeyed; if
    /// it dies, everything ends. Reaps orphans now and then, too.
    ///
    /// # Errors
    /// Where the thread is refused.
    pub(crate) fn listen(self) -> io::Result<Ear> {
        let Link { alone, heard, guardian, orphans } = self;
        let (listener, told) = sync_channel::<Ruler>(1);
        let listen = move || {
            // Nobody is told where the run could not begin.
            let Ok(Ruler { obedience, handle, processes }) = told.recv() else { return };
            let mut signal = [0];
            loop {
                let mut source = [PollFd::new(&*guardian, PollFlags::IN)];
                let has_spoken = retry_on_intr(|| poll(&mut source, Some(&ROUND))) != Ok(0);
                orphans.reap();
                if !has_spoken {
                    continue;
                }
                match (&*guardian).read(&mut signal) {
                    Ok(1..) => obedience.hear(Source::Guardian, signal[0].into()),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Ok(0) | Err(_) => {
                        alone.0.store(true, Ordering::Release);
                        end_everything(&handle, &processes, &orphans)
                    }
                }
            }
        };
        thread::Builder::new().name("procpool-guard".into()).spawn(listen)?;
        Ok(Ear { listener, heard })
    }
}

impl Ear {
    /// From now on this run is told of what the guardian passes on, and ends where it is dead.
    pub(crate) fn tell(self, ruler: Ruler) {
        self.listener.send(ruler).expect("BUG: nobody listens to the guardian");
        self.heard.0.store(true, Ordering::Release);
    }
}

/// The guardian is dead: nobody waits for this process any more, and nobody would end what it leaves.
fn end_everything(handle: &Handle, processes: &Processes, orphans: &Orphans) -> ! {
    // Nothing is started after this, and what is being started is on the list, unless its start hangs.
    let _stopped = processes.stop();
    handle.kill();
    screen::suspend();
    let until = Instant::now() + LAST_EFFORT;
    while Instant::now() < until {
        // In this order: what a job has left behind is ours before the job is off the list.
        let known: Vec<u32> = processes.list().iter().map(|process| process.pid).collect();
        let unknown = orphans::children_of_all_threads(&known);
        for pid in &unknown {
            let _ = kill_process(*pid, Signal::KILL);
        }
        orphans.reap();
        if known.is_empty() && unknown.is_empty() {
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    loop {
        sys::take_default_action(SIGKILL);
    }
}
