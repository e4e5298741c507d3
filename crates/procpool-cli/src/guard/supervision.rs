//! What ends a run early or pauses it: signals, and the death of the keeper.
//!
//! This takes two steps. Handlers are installed and threads started before the first job, because a signal in
//! between would leave that job behind; the threads then wait until there is a run that they can act on.

use std::time::Duration;

use anyhow::Context;
use procpool_core::{Processes, Run};
use procpool_journal::files::leaked_process::LeakedProcess;

use crate::guard::cleanup::Cleanup;
use crate::guard::gate::{GatedRun, KeeperGate};
use crate::guard::leave_running::LeaveRunning;
use crate::guard::link::{GuardianLink, KeeperListener};
use crate::guard::signals::{FirstSignal, RunControls, ShutdownWatchdog, SignalListener};
use crate::guard::status::StatusReport;
use crate::terminal::heartbeat::Heartbeat;

/// Everything that signals and the keeper's death act on, but for the run itself.
pub(crate) struct Supervision {
    /// Beats whenever a sink delivers.
    pub(crate) heartbeat: Heartbeat,
    pub(crate) processes: Processes,
    /// `None` without a keeper.
    pub(crate) link: Option<GuardianLink>,
    /// How long a job has to end after the first signal.
    pub(crate) grace: Duration,
    pub(crate) leave: LeaveRunning,
}

/// Handlers are installed and threads are waiting for a run.
pub(crate) struct Listener {
    supervision: Supervision,
    signals: SignalListener,
    keeper: Option<KeeperListener>,
}

/// What a supervised run asks when it is over.
pub(crate) struct Supervisor {
    first_signal: FirstSignal,
    /// `None` without a keeper.
    cleanup: Option<Cleanup>,
}

impl Supervision {
    /// Has the keeper erase the progress display if this process is killed.
    pub(crate) fn announce_display(&self) {
        self.link.iter().for_each(GuardianLink::announce_display);
    }

    /// Catches signals from now on.
    ///
    /// # Errors
    /// A handler or a thread is refused.
    pub(crate) fn listen(self) -> anyhow::Result<Listener> {
        self.link.iter().for_each(GuardianLink::announce);
        let signals = SignalListener::catch().context("can't catch signals")?;
        let keeper = self.link.as_ref().map(GuardianLink::listen).transpose();
        let keeper = keeper.context("can't start a thread that hears the keeper")?;
        Ok(Listener { supervision: self, signals, keeper })
    }
}

impl Listener {
    /// Has the threads act on this run.
    pub(crate) fn attach<W: Send + 'static>(self, run: Run<W>) -> (GatedRun<W>, Supervisor) {
        let Listener { supervision, signals, keeper } = self;
        let Supervision { heartbeat, processes, link, grace, leave } = supervision;
        let handle = run.handle();
        let controls = RunControls {
            report: StatusReport::new(handle.clone(), processes.clone()),
            watchdog: ShutdownWatchdog { handle: handle.clone(), heartbeat, grace },
            handle,
            processes,
            leave,
        };
        let (first_signal, signals) = signals.attach(controls);
        if let Some(keeper) = keeper {
            keeper.attach(signals);
        }
        let gate = link.as_ref().map_or_else(KeeperGate::default, |link| link.gate.clone());
        let cleanup = link.as_ref().map(GuardianLink::cleanup);
        (GatedRun { run, gate }, Supervisor { first_signal, cleanup })
    }
}

impl Supervisor {
    /// The first of the signals that end a run, if one was caught.
    pub(crate) fn first_signal(&self) -> Option<i32> {
        self.first_signal.get()
    }

    /// Deals with the processes that jobs have left behind, and returns those that were killed. Waiting for
    /// them, where that was asked for, ends with a signal.
    pub(crate) fn end_leftovers(&self) -> Vec<LeakedProcess> {
        let cleanup = |cleanup: &Cleanup| cleanup.run(|| self.first_signal().is_some());
        self.cleanup.as_ref().map(cleanup).unwrap_or_default()
    }
}
