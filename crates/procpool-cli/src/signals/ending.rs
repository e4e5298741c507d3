//! Whether procpool was told to end by a signal: a flag that the handler itself puts up. So it is up as soon as the signal has come,
//! however late the thread is that acts on it.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;

use crate::signals::ignored::Ignored;

/// The flag. Clones are one and the same.
#[derive(Clone, Default)]
pub(crate) struct Ending(Arc<AtomicBool>);

const SIGNALS: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];

impl Ending {
    /// That of this process.
    pub(crate) fn of_this_process() -> Ending {
        static FLAG: OnceLock<Ending> = OnceLock::new();
        FLAG.get_or_init(Ending::default).clone()
    }

    /// From now on signals put it up.
    ///
    /// # Errors
    /// Where the system refuses a handler.
    pub(super) fn follow_signals(&self, ignored: Ignored) -> io::Result<()> {
        for signal in SIGNALS.into_iter().filter(|signal| !ignored.has(*signal)) {
            flag::register(signal, Arc::clone(&self.0))?;
        }
        Ok(())
    }

    /// Puts it up: another of procpool's processes got the signal, or is dead.
    pub(crate) fn note(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(crate) fn is_noted(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
