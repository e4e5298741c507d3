//! The end of a run that was told to end and doesn't.
//! Knows nothing of why it doesn't: whoever reads its output has stopped reading and stays, or a job can't be killed.

use std::thread;
use std::time::Duration;

use procpool_core::Handle;

use crate::exit::ExitStatus;
use crate::terminal::pulse::Pulse;
use crate::terminal::screen;
use procpool_journal::os::threads;

/// What it takes to insist.
#[derive(Clone)]
pub(crate) struct ShutdownWatchdog {
    pub(crate) handle: Handle,
    pub(crate) pulse: Pulse,
    /// How long a job that was asked to end has.
    pub(crate) grace: Duration,
}

/// How long procpool's own end may take.
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
    /// Ends procpool by the signal once nothing has been delivered for so long. Where the run ends before
    /// that, procpool does, and this with it.
    pub(super) fn start(&self, signal: i32, patience: Patience) {
        let ShutdownWatchdog { handle, pulse, grace } = self.clone();
        let patience = match patience {
            Patience::Grace => grace.saturating_add(AFTER_GRACE),
            Patience::Little => LITTLE,
        };
        let insist = move || {
            pulse.wait_for_silence(patience);
            handle.kill();
            thread::sleep(KILLING);
            screen::suspend();
            ExitStatus::after(signal).exit_silently()
        };
        // Without a thread there is one safety net less, and nothing else to do about it.
        let _ = threads::start("procpool-insist", insist);
    }
}
