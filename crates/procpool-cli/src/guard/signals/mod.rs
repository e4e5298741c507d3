//! Signals to procpool, and what the run is told of them.
//! Knows nothing of how jobs are ended.

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
use procpool_journal::os::threads;

/// Those that end a run, those that stop procpool for a while and let it go on, and those that ask.
const CAUGHT: [i32; 11] =
    [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGUSR1, SIGUSR2];

/// Signals that are caught from now on, by a thread that waits until a run can be told.
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
    /// What runs elsewhere may be left.
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

/// Where SIGCHLD was ignored when procpool was started, the kernel would reap the pool and the jobs before anybody
/// learns how they ended, and tell nobody (waitpid(2)). Any handler puts an end to that.
pub(crate) fn hear_of_children() -> anyhow::Result<()> {
    if IgnoredSignals::at_start().has(SIGCHLD) {
        flag::register(SIGCHLD, Arc::default()).context("can't catch signals")?;
    }
    Ok(())
}

/// Else a file that reaches `ulimit -f` would kill procpool, whichever of its processes writes, and whatever it is: a list that is
/// written before the first job is one, too. Now its write fails, like on a full disk.
pub(crate) fn outlive_large_files() {
    if !IgnoredSignals::at_start().has(SIGXFSZ) {
        // Where a fence refuses it, that is said before anything runs (`sys/vital`).
        let _ = flag::register(SIGXFSZ, Arc::default());
    }
}

impl SignalListener {
    /// Catches them. One that was ignored when procpool was started (nohup) stays ignored.
    ///
    /// The thread is started here, for where few are allowed jobs would leave no room for it.
    ///
    /// # Errors
    /// Where the system refuses a handler, or the thread.
    pub(crate) fn catch() -> anyhow::Result<SignalListener> {
        let ignored = IgnoredSignals::at_start();
        // Before the thread can hear of it, which finds it set.
        let asked_to_stop = Arc::new(AtomicBool::new(false));
        if !ignored.has(SIGTSTP) {
            flag::register(SIGTSTP, Arc::clone(&asked_to_stop)).context("sigaction(2)")?;
        }
        ShutdownFlag::of_this_process().follow_signals(ignored).context("sigaction(2)")?;
        let wanted = CAUGHT.into_iter().filter(|signal| !ignored.has(*signal));
        let mut caught = iterator::Signals::new(wanted).context("socketpair(2) or sigaction(2)")?;
        let (run, told) = sync_channel::<SignalHandle>(1);
        let listen = move || {
            threads::take_stops();
            // Nobody is told where the run could not begin.
            let Ok(handle) = told.recv() else { return };
            caught.forever().for_each(|signal| handle.hear(SignalSource::Own, signal));
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
    pub(crate) fn hear(&self, source: SignalSource, signal: i32) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).hear(source, signal);
    }
}

impl SignalState {
    fn hear(&mut self, source: SignalSource, signal: i32) {
        if self.ignored.has(signal) {
            return;
        }
        if source == SignalSource::Keeper {
            ShutdownFlag::of_this_process().set_for_all(signal);
        }
        match signal {
            // It waited while this process was stopped, or before: one of two that came at once.
            SIGTSTP if !self.asked_to_stop.swap(false, Ordering::AcqRel) => {}
            // The terminal sends them until the process has stopped, and what came late is heard after `fg`.
            SIGTTIN | SIGTTOU if is_in_foreground() => {}
            // These undo each other, so that there is no counting them: CONT has the kernel drop a stop that waits.
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

    /// The kernel sends it once a second until the hard limit is reached, and then KILL.
    fn end_for_want_of_time(&self) {
        let is_new = self.controls.handle.halted() == Halt::GoOn;
        self.end(SIGXCPU);
        if is_new {
            screen::say(&format!("procpool: its own processor time is used up{}\n", ulimits::of_time()));
        }
    }

    /// Tells the run: the first one ends it politely, INT and QUIT by the same signal and the others by TERM;
    /// INT after that kills. And where procpool's own end doesn't come, sees to that: see [`ShutdownWatchdog`].
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
