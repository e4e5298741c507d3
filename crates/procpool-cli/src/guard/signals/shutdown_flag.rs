//! Whether procpool was told to end by a signal: a flag that the handler itself puts up. So it is up as soon as the signal has come,
//! however late the thread is that acts on it.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;

use crate::guard::signals::ignored::IgnoredSignals;

/// The flag, and what is known of the signal. Clones are one and the same.
#[derive(Clone, Default)]
pub(crate) struct ShutdownFlag {
    is_set: Arc<AtomicBool>,
    /// When it was heard of first.
    heard: Arc<OnceLock<SystemTime>>,
    /// The keeper got it as well, which is in no group and no session with anybody else: all processes did.
    is_for_all: Arc<AtomicBool>,
}

/// How long word of the keeper's may take, and the time between two looks.
const WORD: Duration = Duration::from_millis(100);
const LOOK: Duration = Duration::from_millis(5);

const SIGNALS: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];

impl ShutdownFlag {
    /// That of this process.
    pub(crate) fn of_this_process() -> ShutdownFlag {
        static FLAG: OnceLock<ShutdownFlag> = OnceLock::new();
        FLAG.get_or_init(ShutdownFlag::default).clone()
    }

    /// From now on signals put it up.
    ///
    /// # Errors
    /// Where the system refuses a handler.
    pub(super) fn follow_signals(&self, ignored: IgnoredSignals) -> io::Result<()> {
        for signal in SIGNALS.into_iter().filter(|signal| !ignored.has(*signal)) {
            flag::register(signal, Arc::clone(&self.is_set))?;
        }
        Ok(())
    }

    /// Puts it up: another of procpool's processes got the signal, or is dead.
    pub(crate) fn set(&self) {
        let _ = self.heard.set(SystemTime::now());
        self.is_set.store(true, Ordering::Release);
    }

    /// Notes a signal where it is one that ends a run.
    pub(super) fn set_for_all(&self, signal: i32) {
        if SIGNALS.contains(&signal) {
            self.set();
            self.is_for_all.store(true, Ordering::Release);
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Acquire)
    }

    /// Since when all processes have been told to end, if they have. What the keeper has to say of that may take a moment.
    pub(crate) fn all_signalled_since(&self) -> Option<SystemTime> {
        let until = Instant::now() + WORD;
        while self.is_set() && !self.is_for_all.load(Ordering::Acquire) && Instant::now() < until {
            thread::sleep(LOOK);
        }
        self.heard.get().copied().filter(|_| self.is_for_all.load(Ordering::Acquire))
    }
}
