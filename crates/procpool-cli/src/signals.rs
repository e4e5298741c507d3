//! Signals to procpool, and what the run is told of them.
//! Knows nothing of how jobs are ended.

use std::fs;
use std::io;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use procpool_core::{Halt, Handle, LocalProcess, Signal};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, iterator};

use crate::exit::ExitStatus;
use crate::pulse::Pulse;

/// Those that end a run.
const ENDING: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// Signals that are caught from now on, and wait for a run to be told.
pub(crate) struct Signals {
    caught: iterator::Signals,
}

/// The first signal that was caught, if any was.
pub(crate) struct Caught(Arc<OnceLock<i32>>);

impl Signals {
    /// Catches INT, TERM and HUP. One that was ignored when procpool was started (nohup) stays ignored.
    pub(crate) fn catch() -> io::Result<Signals> {
        let ignored = ignored()?;
        let is_ignored = |signal: i32| ignored & (1 << (signal - 1)) != 0;
        if is_ignored(SIGCHLD) {
            // Inherited so, the kernel would reap the jobs before anybody learns how they ended, see
            // waitpid(2). Any handler puts an end to that.
            flag::register(SIGCHLD, Arc::default())?;
        }
        let wanted = ENDING.into_iter().filter(|signal| !is_ignored(*signal));
        Ok(Signals { caught: iterator::Signals::new(wanted)? })
    }

    /// Tells the run: the first one ends it politely, INT by INT and the others by TERM; INT after that kills.
    ///
    /// And where procpool's own end doesn't come, sees to that: see [`Insistence`].
    pub(crate) fn control(self, handle: Handle, pulse: Pulse) -> io::Result<Caught> {
        let first = Arc::new(OnceLock::new());
        let noted = Arc::clone(&first);
        let mut signals = self.caught;
        let obey = move || {
            for signal in &mut signals {
                let patience = match (noted.set(signal), signal) {
                    (Ok(()), SIGINT) => {
                        handle.stop_with(Signal::INT);
                        PATIENCE
                    }
                    (Ok(()), _) => {
                        handle.stop();
                        PATIENCE
                    }
                    (Err(_), SIGINT) if handle.halted() != Halt::Kill => {
                        handle.kill();
                        LITTLE_PATIENCE
                    }
                    (Err(_), _) => continue,
                };
                let signal = noted.get().copied().unwrap_or(signal);
                Insistence { signal, handle: handle.clone(), pulse: pulse.clone() }.start(patience);
            }
        };
        thread::Builder::new().name("procpool-signal".into()).spawn(obey)?;
        Ok(Caught(first))
    }
}

/// Longer than the grace time and what comes after it.
const PATIENCE: Duration = LocalProcess::GRACE.saturating_add(Duration::from_secs(2));

/// After the signal that says "at once".
const LITTLE_PATIENCE: Duration = Duration::from_secs(1);

/// What KILL takes to reach every job.
const KILLING: Duration = Duration::from_millis(100);

/// The end of a run that was told to end and doesn't: whoever reads its output has stopped reading and stays,
/// so that it waits in a write, or a job can't be killed.
struct Insistence {
    signal: i32,
    handle: Handle,
    pulse: Pulse,
}

impl Insistence {
    /// Ends procpool by the signal once nothing has been delivered for so long. Where the run ends before
    /// that, procpool does, and this with it.
    fn start(self, patience: Duration) {
        let insist = move || {
            self.pulse.wait_for_silence(patience);
            self.handle.kill();
            thread::sleep(KILLING);
            ExitStatus::Signal(self.signal).leave()
        };
        // Without a thread there is one safety net less, and nothing else to do about it.
        let _ = thread::Builder::new().name("procpool-insist".into()).spawn(insist);
    }
}

impl Caught {
    pub(crate) fn get(&self) -> Option<i32> {
        self.0.get().copied()
    }
}

/// The set of ignored signals, bit n-1 for signal n, as proc(5) has it: no other safe call tells it.
fn ignored() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    Ok(ignored_in(&status).unwrap_or(0))
}

fn ignored_in(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_mask_of_ignored_signals_is_read() {
        assert_eq!(ignored_in("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\tff\n"), Some(0x1001));
        assert_eq!(ignored_in("Name:\tx\n"), None);
        // The Rust runtime ignores SIGPIPE, and the test harness changes nothing about that.
        assert_ne!(ignored().unwrap() & (1 << (signal_hook::consts::SIGPIPE - 1)), 0);
    }
}
