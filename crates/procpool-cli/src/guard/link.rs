//! The pool's ear for its keeper: signals that are passed on, and the keeper's death, which ends everything.
//! It is the pool that listens here, on a thread of its own; what it hears is obeyed by `signals`.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use procpool_core::{Handle, Processes};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::process::{Signal, kill_process, set_parent_process_death_signal};
use signal_hook::consts::SIGKILL;

use crate::guard::children::{children_of_all_threads, has_children};
use crate::guard::cleanup::{Cleanup, Leftovers};
use crate::guard::messages::{DRAWING, LISTENING, parse_forwarded};
use crate::guard::orphans::Orphans;
use crate::guard::signals::{ShutdownFlag, SignalHandle};
use crate::os::sys;
use crate::terminal::screen;
use procpool_journal::os::threads;

/// Whether the keeper is dead. Clones know together.
#[derive(Clone, Default)]
pub(crate) struct KeeperGate(Arc<AtomicBool>);

/// Whether somebody listens to the keeper, and will end everything when it is dead. Clones know together.
#[derive(Clone, Default)]
pub(super) struct Listening(Arc<AtomicBool>);

/// The way on which the keeper is heard.
pub(crate) struct GuardianLink {
    pub(crate) keeper_gate: KeeperGate,
    pub(super) heard: Listening,
    pub(super) keeper: Arc<UnixStream>,
    pub(super) orphans: Arc<Orphans>,
    pub(super) leftovers: Leftovers,
}

/// Who listens to the keeper, and waits until a run can be told.
pub(crate) struct KeeperListener {
    listener: SyncSender<RunControls>,
    heard: Listening,
}

/// By what a run is ruled.
pub(crate) struct RunControls {
    pub(crate) signals: SignalHandle,
    pub(crate) handle: Handle,
    pub(crate) processes: Processes,
}

/// How often adopted processes that have ended are reaped.
const ROUND: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// How long the pool tries to end everything once the keeper is dead.
const LAST_EFFORT: Duration = Duration::from_secs(1);

impl KeeperGate {
    /// Comes back only where the keeper lives. Where it doesn't, everything is being killed, this process last:
    /// what would be told of that is wrong, and this process must not be gone before the others are.
    pub(crate) fn pass(&self) {
        while self.0.load(Ordering::Acquire) {
            thread::park();
        }
    }
}

impl Listening {
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl GuardianLink {
    /// Has the keeper pass signals on from now on, instead of sending them: so each is known to be one and the
    /// same where this process gets it as well. Before signals are caught.
    pub(crate) fn announce(&self) {
        // A pool that is stopped would not hear that its keeper is dead, and would stay, with its jobs. Where this is refused the
        // front still sees it; that it is refused has been said.
        let _ = set_parent_process_death_signal(Some(Signal::CONT));
        // It may be dead; that is heard soon enough.
        let _ = (&*self.keeper).write_all(&[LISTENING]);
    }

    /// What sees to what jobs have left, in the end.
    pub(crate) fn cleanup(&self) -> Cleanup {
        Cleanup {
            leftovers: self.leftovers,
            orphans: Arc::clone(&self.orphans),
        }
    }

    /// Has the keeper tidy up the terminal where this process is killed.
    pub(crate) fn announce_display(&self) {
        let _ = (&*self.keeper).write_all(&[DRAWING]);
    }

    /// Hears the keeper, on a thread of its own, once there is somebody to tell: what it passes on is obeyed; if
    /// it dies, everything ends. Reaps orphans now and then, too.
    ///
    /// # Errors
    /// Where the thread is refused.
    pub(crate) fn listen(self) -> io::Result<KeeperListener> {
        let GuardianLink { keeper_gate, heard, keeper, orphans, .. } = self;
        let (listener, told) = sync_channel::<RunControls>(1);
        let listen = move || {
            // Nobody is told where the run could not begin.
            let Ok(RunControls { signals, handle, processes }) = told.recv() else { return };
            let mut word = [0];
            loop {
                let mut source = [PollFd::new(&*keeper, PollFlags::IN)];
                let has_spoken = retry_on_intr(|| poll(&mut source, Some(&ROUND))) != Ok(0);
                orphans.reap();
                if !has_spoken {
                    continue;
                }
                match (&*keeper).read(&mut word) {
                    Ok(1..) => {
                        let (source, signal) = parse_forwarded(word[0]);
                        signals.hear(source, signal);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Ok(0) | Err(_) => {
                        keeper_gate.0.store(true, Ordering::Release);
                        end_everything(&handle, &processes, &orphans)
                    }
                }
            }
        };
        threads::start("procpool-guard", listen)?;
        Ok(KeeperListener { listener, heard })
    }
}

impl KeeperListener {
    /// From now on this run is told of what the keeper passes on, and ends where it is dead.
    pub(crate) fn attach(self, ruler: RunControls) {
        self.listener.send(ruler).expect("BUG: nobody listens to the keeper");
        self.heard.0.store(true, Ordering::Release);
    }
}

/// The keeper is dead: nobody else might end what this process leaves.
fn end_everything(handle: &Handle, processes: &Processes, orphans: &Orphans) -> ! {
    ShutdownFlag::of_this_process().set();
    // A child that was stopped with our group before it became its program would hold up its start, and so the next line.
    let known: Vec<u32> = processes.list().iter().map(|process| process.pid).collect();
    for pid in children_of_all_threads(&known) {
        let _ = kill_process(pid, Signal::CONT);
    }
    // Nothing is started after this, and what is being started is on the list.
    let _stopped = processes.stop();
    handle.kill();
    screen::suspend();
    let until = Instant::now() + LAST_EFFORT;
    while Instant::now() < until {
        // In this order: what a job has left behind is ours before the job is off the list.
        let known: Vec<u32> = processes.list().iter().map(|process| process.pid).collect();
        let unknown = children_of_all_threads(&known);
        for pid in &unknown {
            let _ = kill_process(*pid, Signal::KILL);
        }
        orphans.reap();
        if known.is_empty() && unknown.is_empty() && !has_children() {
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    loop {
        sys::take_default_action(SIGKILL);
    }
}
