//! Ends procpool if a run that was told to end makes no progress: a reader of its output has stopped reading
//! without closing it, or a job can't be killed.

use std::thread;
use std::time::Duration;

use procpool_core::Handle;
use procpool_journal::os::threads;

use crate::exit::ExitStatus;
use crate::terminal::heartbeat::Heartbeat;
use crate::terminal::screen;

/// Kills the jobs and ends procpool if nothing is delivered for too long.
#[derive(Clone)]
pub(crate) struct ShutdownWatchdog {
    pub(crate) handle: Handle,
    pub(crate) heartbeat: Heartbeat,
    /// How long a job has to end after the first signal.
    pub(crate) grace: Duration,
}

/// How long a run may take to end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Patience {
    /// Longer than the grace time and what comes after it.
    Grace,
    /// After the signal that says "at once".
    Little,
}

/// What may come after the grace time.
const AFTER_GRACE: Duration = Duration::from_secs(2);

const LITTLE: Duration = Duration::from_secs(1);

/// What KILL takes to reach every job.
const KILLING: Duration = Duration::from_millis(100);

impl ShutdownWatchdog {
    /// Starts the watchdog. It ends procpool by the signal once nothing has been delivered for that long; if
    /// the run ends before, the watchdog ends with the process.
    pub(super) fn start(&self, signal: i32, patience: Patience) {
        let ShutdownWatchdog { handle, heartbeat, grace } = self.clone();
        let patience = match patience {
            Patience::Grace => grace.saturating_add(AFTER_GRACE),
            Patience::Little => LITTLE,
        };
        let insist = move || {
            heartbeat.wait_until_silent(patience);
            handle.kill();
            thread::sleep(KILLING);
            screen::suspend();
            ExitStatus::after(signal).exit_silently()
        };
        // If the thread is refused there is one safety net less, and nothing else to do.
        let _ = threads::start("procpool-insist", insist);
    }
}
