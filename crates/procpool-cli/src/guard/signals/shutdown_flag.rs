//! Whether a signal has told procpool to end: a flag that the signal handler itself sets, so that it is set
//! as soon as the signal arrives, however late the thread runs that acts on it.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;

use crate::guard::signals::ignored::IgnoredSignals;

/// The flag, and what is known of the signal. Clones share their state.
#[derive(Clone, Default)]
pub(crate) struct ShutdownFlag {
    is_set: Arc<AtomicBool>,
    /// When the flag was first set by a thread.
    heard: Arc<OnceLock<SystemTime>>,
    /// The keeper got the signal as well. It shares no group and no session, so the signal was sent to all
    /// processes.
    is_for_all: Arc<AtomicBool>,
}

/// How long a message from the keeper may take, and the time between two looks.
const MESSAGE_DELAY: Duration = Duration::from_millis(100);
const PAUSE: Duration = Duration::from_millis(5);

const SIGNALS: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];

impl ShutdownFlag {
    /// The flag of this process.
    pub(crate) fn of_this_process() -> ShutdownFlag {
        static FLAG: OnceLock<ShutdownFlag> = OnceLock::new();
        FLAG.get_or_init(ShutdownFlag::default).clone()
    }

    /// From now on signals set it.
    ///
    /// # Errors
    /// A handler is refused.
    pub(super) fn follow_signals(&self, ignored: IgnoredSignals) -> io::Result<()> {
        for signal in SIGNALS.into_iter().filter(|signal| !ignored.has(*signal)) {
            flag::register(signal, Arc::clone(&self.is_set))?;
        }
        Ok(())
    }

    /// Sets it because another of procpool's processes got the signal, or is dead.
    pub(crate) fn set(&self) {
        let _ = self.heard.set(SystemTime::now());
        self.is_set.store(true, Ordering::Release);
    }

    /// Sets it if the signal, which the keeper got, is one that ends a run.
    pub(super) fn set_for_all(&self, signal: i32) {
        if SIGNALS.contains(&signal) {
            self.set();
            self.is_for_all.store(true, Ordering::Release);
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Acquire)
    }

    /// When all processes were told to end, if they were. Waits a moment for the keeper's message if only
    /// this process is known to have been.
    pub(crate) fn all_signalled_since(&self) -> Option<SystemTime> {
        let until = Instant::now() + MESSAGE_DELAY;
        while self.is_set() && !self.is_for_all.load(Ordering::Acquire) && Instant::now() < until {
            thread::sleep(PAUSE);
        }
        self.heard.get().copied().filter(|_| self.is_for_all.load(Ordering::Acquire))
    }
}
