//! The pool's end of the socket to the keeper: forwarded signals, and the keeper's death, which ends
//! everything.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use procpool_journal::os::threads;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::guard::cleanup::{Cleanup, Leftovers};
use crate::guard::gate::KeeperGate;
use crate::guard::messages::{DRAWING, LISTENING, parse_forwarded};
use crate::guard::orphans::Orphans;
use crate::guard::signals::{ShutdownFlag, SignalHandle};
use crate::guard::takedown::kill_everything;

/// The connection to the keeper.
pub(crate) struct GuardianLink {
    pub(super) gate: KeeperGate,
    pub(super) keeper: Arc<UnixStream>,
    pub(super) orphans: Arc<Orphans>,
    pub(super) leftovers: Leftovers,
}

/// A thread that waits for a run, and then reads what the keeper sends.
pub(super) struct KeeperListener {
    run: SyncSender<SignalHandle>,
    gate: KeeperGate,
}

/// How often adopted processes that have ended are reaped.
const REAPING_INTERVAL: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

impl GuardianLink {
    /// Has the keeper send signals as messages from now on. A signal that reaches this process both ways is
    /// then known to be one and the same. To be called before signals are caught.
    pub(super) fn announce(&self) {
        // A stopped pool would not notice its keeper's death, and would survive with its jobs. If this is
        // refused the front still notices; the refusal was reported when the pool began.
        let _ = set_parent_process_death_signal(Some(Signal::CONT));
        // If the keeper is dead, the listener will notice.
        let _ = (&*self.keeper).write_all(&[LISTENING]);
    }

    pub(super) fn cleanup(&self) -> Cleanup {
        Cleanup {
            leftovers: self.leftovers,
            orphans: Arc::clone(&self.orphans),
        }
    }

    /// Has the keeper erase the display if this process is killed.
    pub(super) fn announce_display(&self) {
        let _ = (&*self.keeper).write_all(&[DRAWING]);
    }

    /// Starts the thread that listens to the keeper.
    ///
    /// # Errors
    /// The thread is refused.
    pub(super) fn listen(&self) -> io::Result<KeeperListener> {
        let (run, next_run) = sync_channel(1);
        let (keeper, orphans, gate) =
            (Arc::clone(&self.keeper), Arc::clone(&self.orphans), self.gate.clone());
        threads::start("procpool-guard", move || listen(&keeper, &orphans, &gate, &next_run))?;
        Ok(KeeperListener { run, gate: self.gate.clone() })
    }
}

impl KeeperListener {
    /// From now on the keeper's messages act on this run, and its death ends it.
    pub(super) fn attach(self, signals: SignalHandle) {
        self.run.send(signals).expect("BUG: nobody listens to the keeper");
        self.gate.watch();
    }
}

/// Reads the keeper's messages until it is dead, and reaps orphans now and then.
fn listen(mut keeper: &UnixStream, orphans: &Orphans, gate: &KeeperGate, run: &Receiver<SignalHandle>) {
    // The run could not begin.
    let Ok(signals) = run.recv() else { return };
    let mut message = [0];
    loop {
        let mut source = [PollFd::new(keeper, PollFlags::IN)];
        let is_readable = retry_on_intr(|| poll(&mut source, Some(&REAPING_INTERVAL))) != Ok(0);
        orphans.reap();
        if !is_readable {
            continue;
        }
        match keeper.read(&mut message) {
            Ok(1..) => {
                let (source, signal) = parse_forwarded(message[0]);
                signals.act_on(source, signal);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => {
                gate.close();
                ShutdownFlag::of_this_process().set();
                kill_everything(&signals.handle, &signals.processes, orphans)
            }
        }
    }
}
