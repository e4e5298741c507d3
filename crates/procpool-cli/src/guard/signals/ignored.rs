//! Which signals were ignored when procpool was started.
//! Knows nothing of what they would do.

use std::sync::OnceLock;

use crate::os::sys;

/// A set of signals, bit n-1 for signal n.
#[derive(Clone, Copy)]
pub(crate) struct IgnoredSignals(u64);

/// Those below are the ones that programs know by name. Those above are nobody's in here.
const MOST: i32 = 31;

impl IgnoredSignals {
    /// Those that this process ignored when this was first asked.
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
