//! Which signals were ignored when procpool was started. Those stay ignored, as nohup(1) wants it.

use std::sync::OnceLock;

use crate::os::sys;

/// A set of signals, bit n-1 for signal n.
#[derive(Clone, Copy)]
pub(crate) struct IgnoredSignals(u64);

/// The last signal with a name. Real-time signals are not used here.
const MOST: i32 = 31;

impl IgnoredSignals {
    /// Those that this process ignored at the first call.
    pub(crate) fn at_start() -> IgnoredSignals {
        static FOUND: OnceLock<IgnoredSignals> = OnceLock::new();
        *FOUND.get_or_init(|| {
            let ignored = (1..=MOST).filter(|signal| sys::is_ignored(*signal));
            IgnoredSignals(ignored.fold(0, |set, signal| set | 1 << (signal - 1)))
        })
    }

    pub(crate) fn has(self, signal: i32) -> bool {
        (1..=MOST).contains(&signal) && self.0 & (1 << (signal - 1)) != 0
    }
}

#[cfg(test)]
mod tests {
    use signal_hook::consts::{SIGPIPE, SIGTERM};

    use super::*;

    #[test]
    fn what_this_process_ignores_is_known_without_proc() {
        // The Rust runtime ignores SIGPIPE, and the test harness changes nothing about that.
        assert!(IgnoredSignals::at_start().has(SIGPIPE));
        assert!(!IgnoredSignals::at_start().has(SIGTERM));
        assert!(!IgnoredSignals::at_start().has(0) && !IgnoredSignals::at_start().has(64));
    }
}
