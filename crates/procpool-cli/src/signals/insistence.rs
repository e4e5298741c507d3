//! The end of a run that was told to end and doesn't.
//! Knows nothing of why it doesn't: whoever reads its output has stopped reading and stays, or a job can't be killed.

use std::thread;
use std::time::Duration;

use procpool_core::Handle;

use crate::exit::ExitStatus;
use crate::pulse::Pulse;
use crate::screen;

/// What it takes to insist.
#[derive(Clone)]
pub(crate) struct Insistence {
    pub(crate) handle: Handle,
    pub(crate) pulse: Pulse,
}

/// What KILL takes to reach every job.
const KILLING: Duration = Duration::from_millis(100);

impl Insistence {
    /// Ends procpool by the signal once nothing has been delivered for so long. Where the run ends before
    /// that, procpool does, and this with it.
    pub(super) fn start(&self, signal: i32, patience: Duration) {
        let Insistence { handle, pulse } = self.clone();
        let insist = move || {
            pulse.wait_for_silence(patience);
            handle.kill();
            thread::sleep(KILLING);
            screen::suspend();
            ExitStatus::Signal(signal).leave()
        };
        // Without a thread there is one safety net less, and nothing else to do about it.
        let _ = thread::Builder::new().name("procpool-insist".into()).spawn(insist);
    }
}
