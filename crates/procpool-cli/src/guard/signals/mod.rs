//! Signals to procpool, and what each does to the run.
//!
//! A thread receives those of this process, another (`link`) those that the keeper forwards. Both call the same
//! [`SignalHandle`], which counts them and acts.

mod count;
mod ignored;
mod shutdown_flag;
mod watchdog;

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::Context;
use procpool_core::{Halt, Handle, Processes, Signal};
use procpool_journal::os::threads;
use rustix::termios::tcgetpgrp;
use signal_hook::consts::{
    SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, SIGXCPU,
    SIGXFSZ,
};
use signal_hook::{flag, iterator};

use crate::guard::leave_running::LeaveRunning;
pub(crate) use crate::guard::signals::count::SignalSource;
use crate::guard::signals::count::{Occurrence, SignalCounts};
pub(crate) use crate::guard::signals::ignored::IgnoredSignals;
pub(crate) use crate::guard::signals::shutdown_flag::ShutdownFlag;
use crate::guard::signals::watchdog::Patience;
pub(crate) use crate::guard::signals::watchdog::ShutdownWatchdog;
use crate::guard::status::StatusReport;
use crate::os::{sys, ulimits};
use crate::terminal::screen;

/// Those that end a run, those that stop procpool for a while and let it go on, and those that ask.
const CAUGHT: [i32; 11] =
    [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGUSR1, SIGUSR2];

/// Signals are caught from now on, by a thread that waits for a run to act on.
pub(crate) struct SignalListener {
    ignored: IgnoredSignals,
    asked_to_stop: Arc<AtomicBool>,
    run: SyncSender<SignalHandle>,
}

/// The first of the signals that end a run, if one was caught.
pub(crate) struct FirstSignal(Arc<OnceLock<i32>>);

/// Acts on signals, wherever they come from. Clones share their state.
#[derive(Clone)]
pub(crate) struct SignalHandle {
    /// Locked as long as a signal is acted on, which may be as long as this process is stopped.
    state: Arc<Mutex<SignalState>>,
    pub(super) handle: Handle,
    pub(super) processes: Processes,
}

/// Everything that a signal acts on.
pub(crate) struct RunControls {
    pub(crate) handle: Handle,
    pub(crate) processes: Processes,
    pub(crate) report: StatusReport,
    pub(crate) watchdog: ShutdownWatchdog,
    /// Whether jobs on a cluster are left running.
    pub(crate) leave: LeaveRunning,
}

struct SignalState {
    counts: SignalCounts,
    ignored: IgnoredSignals,
    /// Set by the handler of TSTP, unset where this process was continued.
    asked_to_stop: Arc<AtomicBool>,
    first: Arc<OnceLock<i32>>,
    controls: RunControls,
}

/// Installs a handler for SIGCHLD if it was ignored when procpool was started. The kernel would reap the pool
/// and the jobs otherwise, and their statuses would be lost (waitpid(2)).
pub(crate) fn hear_of_children() -> anyhow::Result<()> {
    if IgnoredSignals::at_start().has(SIGCHLD) {
        flag::register(SIGCHLD, Arc::default()).context("can't catch signals")?;
    }
    Ok(())
}

/// Catches SIGXFSZ, so that a write beyond `ulimit -f` fails like one to a full disk and doesn't kill
/// procpool. Done first, because the list of jobs is written before the run.
pub(crate) fn outlive_large_files() {
    if !IgnoredSignals::at_start().has(SIGXFSZ) {
        // If a sandbox refuses this, `sys/vital` reports it before anything runs.
        let _ = flag::register(SIGXFSZ, Arc::default());
    }
}

impl SignalListener {
    /// Installs the handlers and starts the thread, which later might find no room beside the jobs' processes.
    ///
    /// # Errors
    /// A handler or the thread is refused.
    pub(crate) fn catch() -> anyhow::Result<SignalListener> {
        let ignored = IgnoredSignals::at_start();
        // Registered first, so that the flag is set before the thread receives the signal.
        let asked_to_stop = Arc::new(AtomicBool::new(false));
        if !ignored.has(SIGTSTP) {
            flag::register(SIGTSTP, Arc::clone(&asked_to_stop)).context("sigaction(2)")?;
        }
        ShutdownFlag::of_this_process().follow_signals(ignored).context("sigaction(2)")?;
        let wanted = CAUGHT.into_iter().filter(|signal| !ignored.has(*signal));
        let mut caught = iterator::Signals::new(wanted).context("socketpair(2) or sigaction(2)")?;
        let (run, next_run) = sync_channel::<SignalHandle>(1);
        let listen = move || {
            threads::take_stops();
            // The run could not begin.
            let Ok(handle) = next_run.recv() else { return };
            caught.forever().for_each(|signal| handle.act_on(SignalSource::Own, signal));
        };
        threads::start("procpool-signal", listen)?;
        threads::leave_stops_to_others();
        Ok(SignalListener { ignored, asked_to_stop, run })
    }

    /// Has them act on a run.
    pub(super) fn attach(self, controls: RunControls) -> (FirstSignal, SignalHandle) {
        let first = Arc::new(OnceLock::new());
        let (handle, processes) = (controls.handle.clone(), controls.processes.clone());
        let state = SignalState {
            counts: SignalCounts::default(),
            ignored: self.ignored,
            asked_to_stop: self.asked_to_stop,
            first: Arc::clone(&first),
            controls,
        };
        let handle = SignalHandle { state: Arc::new(Mutex::new(state)), handle, processes };
        self.run.send(handle.clone()).expect("BUG: nobody listens to signals");
        (FirstSignal(first), handle)
    }
}

impl SignalHandle {
    /// Acts on a signal. After one that stops procpool it returns when procpool has been continued.
    pub(crate) fn act_on(&self, source: SignalSource, signal: i32) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).act_on(source, signal);
    }
}

impl SignalState {
    fn act_on(&mut self, source: SignalSource, signal: i32) {
        if self.ignored.has(signal) {
            return;
        }
        if source == SignalSource::Keeper {
            ShutdownFlag::of_this_process().set_for_all(signal);
        }
        match signal {
            // Sent while this process was stopping already.
            SIGTSTP if !self.asked_to_stop.swap(false, Ordering::AcqRel) => {}
            // The terminal sends these until the process has stopped; one that was late is received after `fg`.
            SIGTTIN | SIGTTOU if is_in_foreground() => {}
            // Not counted, because they cancel each other: the kernel drops a pending stop when CONT arrives.
            SIGTSTP | SIGTTIN | SIGTTOU => self.stop(signal),
            SIGCONT => self.controls.processes.signal(Signal::CONT),
            _ if self.counts.note(source, signal) == Occurrence::Duplicate => {}
            SIGINT | SIGTERM | SIGHUP | SIGQUIT => self.end(signal),
            SIGXCPU => self.end_for_want_of_time(),
            SIGUSR1 => self.controls.report.show(),
            SIGUSR2 => self.controls.handle.drain(),
            _ => {}
        }
    }

    /// Stops the jobs, and this process until it is continued.
    fn stop(&self, signal: i32) {
        let _stopped = self.controls.processes.stop();
        screen::suspend();
        let go_on = || self.asked_to_stop.store(false, Ordering::Release);
        sys::take_default_action_where(signal, || true, go_on);
        screen::resume();
    }

    /// The kernel sends XCPU once a second until the hard limit is reached, and then KILL.
    fn end_for_want_of_time(&self) {
        let is_new = self.controls.handle.halted() == Halt::GoOn;
        self.end(SIGXCPU);
        if is_new {
            screen::say(&format!("procpool: its own processor time is used up{}\n", ulimits::of_time()));
        }
    }

    /// Ends the run. The first signal stops jobs politely, INT and QUIT by the same signal and the others by
    /// TERM; INT after that kills them. A watchdog ends procpool if the run then makes no progress.
    fn end(&self, signal: i32) {
        let RunControls { handle, watchdog, leave, .. } = &self.controls;
        ShutdownFlag::of_this_process().set();
        let is_first = self.first.set(signal).is_ok();
        let first = self.first.get().copied().unwrap_or(signal);
        if is_first && leave.note_signal(signal) || !is_first && leave.is_asked() {
            watchdog.start(first, Patience::Grace);
            return;
        }
        match signal {
            SIGINT | SIGQUIT if is_first => {
                let same = if signal == SIGINT { Signal::INT } else { Signal::QUIT };
                handle.stop_with(same);
                watchdog.start(first, Patience::Grace);
            }
            _ if is_first => {
                handle.stop();
                watchdog.start(first, Patience::Grace);
            }
            SIGINT if handle.halted() != Halt::Kill => {
                handle.kill();
                watchdog.start(first, Patience::Little);
            }
            _ => {}
        }
    }
}

fn is_in_foreground() -> bool {
    let terminal = File::open("/dev/tty").ok();
    terminal.and_then(|terminal| tcgetpgrp(terminal).ok()).is_some_and(screen::is_own_group)
}

impl FirstSignal {
    pub(crate) fn get(&self) -> Option<i32> {
        self.0.get().copied()
    }
}
